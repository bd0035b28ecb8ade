// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/keys"
)

// cachedKeys is a relying party that reads the key set once an hour and never in between, not even for a kid that it
// does not know.
type cachedKeys struct {
	p  *idptest.IDP
	mu sync.Mutex
	at time.Time
	jose.JSONWebKeySet
}

func (c *cachedKeys) verify(t *testing.T, token string) error {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.p.Now(); now.Sub(c.at) >= time.Hour {
		res := httptest.NewRecorder()
		c.p.Node.Handler().ServeHTTP(res, httptest.NewRequest(http.MethodGet, c.p.Issuer+"/jwks", nil))
		c.JSONWebKeySet = jose.JSONWebKeySet{}
		if err := json.Unmarshal(res.Body.Bytes(), &c.JSONWebKeySet); err != nil {
			return err
		}
		c.at = now
	}
	jws, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{"RS256", "PS256", "ES256", "ES384", "EdDSA"})
	if err != nil {
		return err
	}
	found := c.Key(jws.Signatures[0].Protected.KeyID)
	if len(found) != 1 {
		return fmt.Errorf("kid %s is not in the set of %s", jws.Signatures[0].Protected.KeyID, c.at)
	}
	_, err = jws.Verify(found[0].Key)
	return err
}

// TK-14 on three nodes under load: for two days, with a rotation in the middle of it, a relying party that reads the key
// set once an hour verifies every token, also those of a node that has not heard of the rotation yet.
func TestTK14RotationUnderLoad(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	for _, alg := range keys.Algs() {
		p.AddClient(t, &client.Client{
			ID: alg, GrantTypes: []string{"client_credentials"}, Scope: "api", AuthMethod: "client_secret_post",
			IDTokenAlg: alg, AccessTokenFormat: "at+jwt", Secrets: []client.Secret{{Digest: p.Node.Office.Digest(idptest.ClientSecret)}},
		})
	}
	rp := &cachedKeys{p: p}
	nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
	kids := map[string]bool{}
	var mu sync.Mutex
	load := func() {
		var all sync.WaitGroup
		for _, n := range nodes {
			for _, alg := range keys.Algs() {
				all.Go(func() {
					token := machineToken(t, n, p.Issuer, alg)
					if err := rp.verify(t, token); err != nil {
						t.Errorf("%s at %s: %v", alg, p.Now(), err)
					}
					mu.Lock()
					defer mu.Unlock()
					kids[strings.SplitN(token, ".", 2)[0]] = true
				})
			}
		}
		all.Wait()
	}
	for step := range 96 {
		p.Advance(30 * time.Minute)
		switch step {
		case 50:
			var turned sync.WaitGroup
			turned.Go(func() {
				if err := p.Node.RotateKeys(t.Context(), ""); err != nil {
					t.Errorf("rotate after %s: %v", time.Duration(step)*30*time.Minute, err)
				}
			})
			load()
			turned.Wait()
		case 51:
			// The others have heard of it; a node that starts later reads the ring as they do.
			nodes = []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
		}
		load()
	}
	if n := len(keys.Algs()); len(kids) != 2*n {
		t.Errorf("%d keys signed, want the old and the new one of %d algorithms", len(kids), n)
	}
}

// machineToken asks a node for an access token of the client of an algorithm.
func machineToken(t *testing.T, n *idptest.Node, issuer, alg string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {alg}, "client_secret": {idptest.ClientSecret}}
	req := httptest.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res := httptest.NewRecorder()
	n.Handler().ServeHTTP(res, req)
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.Unmarshal(res.Body.Bytes(), &out); err != nil || out.Token == "" {
		t.Errorf("%s: %d %s", alg, res.Code, res.Body)
	}
	return out.Token
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// appKey is the key of an app that authenticates by private_key_jwt.
type appKey struct {
	kid     string
	private *ecdsa.PrivateKey
}

func newAppKey(t *testing.T, kid string) appKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return appKey{kid, k}
}

func (k appKey) set(t *testing.T) []byte {
	t.Helper()
	b, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: k.private.Public(), KeyID: k.kid, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sign makes a JWS of claims.
func (k appKey) sign(t *testing.T, claims map[string]any) string {
	t.Helper()
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.private, KeyID: k.kid}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := s.Sign(b)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// asserted is a request for a token of the client itself.
func (k appKey) asserted(t *testing.T, p *idptest.IDP, id, jti string) url.Values {
	t.Helper()
	now := p.Now()
	return url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
		"client_assertion": {k.sign(t, map[string]any{
			"iss": id, "sub": id, "aud": p.Issuer, "jti": jti, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(),
		})},
	}
}

// send posts a form to the token endpoint of a node, without a header.
func send(t *testing.T, p *idptest.IDP, n *idptest.Node, form url.Values) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Addr+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Host = strings.TrimPrefix(p.Issuer, "http://")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	var body map[string]any
	if err := json.NewDecoder(res.Body).Decode(&body); err != nil {
		t.Error(err)
	}
	return res.StatusCode, body
}

// TestTK05 is the security case TK-05: one assertion 50 times at once over three nodes on one real Redis, and one works.
func TestTK05(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	nodes := []*idptest.Node{p.Node, p.AddNode(t), p.AddNode(t)}
	k := newAppKey(t, "k")
	p.AddClient(t, &client.Client{ID: "machine", GrantTypes: []string{"client_credentials"}, AuthMethod: "private_key_jwt", Keys: k.set(t), Scope: "api"})
	p.AddClient(t, &client.Client{ID: "other", GrantTypes: []string{"client_credentials"}, AuthMethod: "private_key_jwt", Keys: k.set(t), Scope: "api"})
	form := k.asserted(t, p, "machine", "once")
	var mu sync.Mutex
	won := 0
	together(50, func(i int) {
		status, body := send(t, p, nodes[i%3], form)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case status == http.StatusOK:
			won++
		case status != http.StatusUnauthorized || body["error"] != "invalid_client":
			t.Errorf("request %d: %d %v", i, status, body)
		}
	})
	if won != 1 {
		t.Errorf("%d of 50 uses of one assertion succeeded, want 1", won)
	}
	if status, body := send(t, p, nodes[0], k.asserted(t, p, "machine", "twice")); status != http.StatusOK {
		t.Errorf("the next assertion: %d %v", status, body)
	}
	if status, body := send(t, p, nodes[1], k.asserted(t, p, "other", "once")); status != http.StatusOK {
		t.Errorf("the same id of another client: %d %v", status, body)
	}
}

// TestCA03KeysOfAnApp: a node reads keys from a source that the operator allows, and goes on when another one hangs.
func TestCA03KeysOfAnApp(t *testing.T) {
	k, other := newAppKey(t, "k"), newAppKey(t, "other")
	release := make(chan struct{})
	source := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			<-release
		}
		_, _ = w.Write(k.set(t))
	}))
	defer source.Close()
	defer close(release)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: source.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) {
		c.OutgoingAllow, c.OutgoingCAFile = []string{source.Listener.Addr().String()}, file
	}})
	for id, uri := range map[string]string{"good": source.URL + "/keys", "slow": source.URL + "/hangs", "inside": "https://10.0.0.1/keys"} {
		p.AddClient(t, &client.Client{ID: id, GrantTypes: []string{"client_credentials"}, AuthMethod: "private_key_jwt", KeysURI: uri, Scope: "api"})
	}
	var waiting sync.WaitGroup
	for _, jti := range []string{"1", "2", "3"} {
		form := k.asserted(t, p, "slow", jti)
		waiting.Go(func() {
			if status, body := send(t, p, p.Node, form); status != http.StatusServiceUnavailable || body["error"] != "temporarily_unavailable" {
				t.Errorf("slow: %d %v", status, body)
			}
		})
	}
	if status, body := send(t, p, p.Node, k.asserted(t, p, "good", "1")); status != http.StatusOK {
		t.Errorf("another app: %d %v", status, body)
	}
	if status, body := send(t, p, p.Node, other.asserted(t, p, "good", "2")); status != http.StatusUnauthorized {
		t.Errorf("another key: %d %v", status, body)
	}
	if status, body := send(t, p, p.Node, k.asserted(t, p, "inside", "1")); status != http.StatusServiceUnavailable {
		t.Errorf("an address inside: %d %v", status, body)
	}
	waiting.Wait()
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// TestAllocations bounds what one hot request allocates in the handler and the driver of Redis, a fifth above what it
// was when it was measured: every allocation is paid again by the collector, a quarter of the time of small requests.
func TestAllocations(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := idptest.New(t, idptest.Setup{Redis: []string{addr}})
	es := p.NewRP(t, "es256", func(c *client.Client) { c.Company, c.IDTokenAlg = "plain", "ES256" })
	p.NewRP(t, "service", func(c *client.Client) {
		c.GrantTypes, c.Scope, c.RedirectURIs, c.PostLogoutRedirectURIs = []string{client.GrantCredentials}, "cases.read", nil, nil
	})
	p.AddAccount(t, "ben", "plain")
	b := p.Browser(t)
	got := es.Exchange(t, b.Get(t, es.AuthURL(idptest.With("scope", "openid offline_access"))).Login(t, "ben", idptest.Password))

	token := func(name, id string, form url.Values) call {
		return call{name: name, method: http.MethodPost, path: "/token", client: id, form: form}
	}
	for _, tt := range []struct {
		call
		most float64
	}{
		{call{name: "discovery", method: http.MethodGet, path: "/.well-known/openid-configuration"}, 33},
		{call{name: "keys", method: http.MethodGet, path: "/jwks"}, 33},
		{token("client credentials", "service", url.Values{"grant_type": {"client_credentials"}}), 152},
		{token("refresh", "es256", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {got.RefreshToken}}), 340},
		{call{name: "introspection", method: http.MethodPost, path: "/introspect", client: "es256", form: url.Values{"token": {got.AccessToken}}}, 283},
		{call{name: "userinfo", method: http.MethodGet, path: "/userinfo", bearer: got.AccessToken}, 266},
	} {
		h := p.Node.Handler()
		allocs := testing.AllocsPerRun(100, func() {
			res := httptest.NewRecorder()
			h.ServeHTTP(res, tt.request(strings.TrimPrefix(p.Issuer, "http://")))
			if res.Code != http.StatusOK {
				t.Errorf("%s: status %d: %s", tt.name, res.Code, res.Body)
			}
		})
		t.Logf("%s: %.0f", tt.name, allocs)
		if allocs > tt.most {
			t.Errorf("%s allocates %.0f times, want at most %.0f", tt.name, allocs, tt.most)
		}
	}
}

// call is one request that can be made again and again.
type call struct {
	name, method, path, client, bearer string
	form                               url.Values
}

func (c call) request(host string) *http.Request {
	r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.form.Encode()))
	r.Host = host
	if c.form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if c.client != "" {
		r.SetBasicAuth(c.client, idptest.ClientSecret)
	}
	if c.bearer != "" {
		r.Header.Set("Authorization", "Bearer "+c.bearer)
	}
	return r
}

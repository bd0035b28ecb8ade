// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// world is a whole provider with clients of programs: robot may do everything, acme and plain within their companies.
type world struct {
	*idptest.IDP
	people *idptest.RelyingParty
}

// all are all scopes of the API.
func all() string { return strings.Join(admin.Scopes(), " ") }

func newWorld(t *testing.T, setup idptest.Setup) *world {
	t.Helper()
	w := &world{IDP: idptest.New(t, setup)}
	for id, company := range map[string]string{"robot": "", "acme-robot": "acme", "plain-robot": "plain"} {
		w.robot(t, id, company, all()+" cases.read")
	}
	w.people = w.NewRP(t, "it-app", func(c *client.Client) {
		c.Company, c.Scope = "", "openid "+all()
	})
	return w
}

// robot registers a client for a program.
func (w *world) robot(t *testing.T, id, company, scope string) {
	t.Helper()
	w.AddClient(t, &client.Client{ID: id, Company: company, GrantTypes: []string{client.GrantCredentials}, Scope: scope, AuthMethod: client.AuthBasic})
}

// token gets an access token of a program, as such programs do.
func (w *world) token(t *testing.T, id string, scopes ...string) string {
	t.Helper()
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(scopes) > 0 {
		form.Set("scope", strings.Join(scopes, " "))
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.Issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(id), idptest.ClientSecret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || out.Token == "" {
		t.Fatalf("token of %s: %d, %v", id, res.StatusCode, err)
	}
	return out.Token
}

// person signs somebody in at the people's app, with all scopes of the API, and returns the access token.
func (w *world) person(t *testing.T, name, company string, role authn.AdminRole) string {
	t.Helper()
	w.AddAdmin(t, name, company, role)
	b := w.Browser(t)
	page := b.Get(t, w.people.AuthURL(idptest.With("scope", "openid "+all()))).Prove(t, name)
	if page.Find("button[value=allow]").Length() == 1 {
		page = page.Submit(t, url.Values{"answer": {"allow"}})
	}
	return w.people.Exchange(t, page).AccessToken
}

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	text   string
	json   map[string]any
}

func (r reply) str(name string) string {
	s, _ := r.json[name].(string)
	return s
}

// list is a member that is a list of objects.
func (r reply) list(name string) []map[string]any {
	var out []map[string]any
	items, _ := r.json[name].([]any)
	for _, x := range items {
		m, _ := x.(map[string]any)
		out = append(out, m)
	}
	return out
}

// faults are the pointers and locations of a problem.
func (r reply) faults() string {
	var out []string
	for _, f := range r.list("errors") {
		out = append(out, fmt.Sprint(f["pointer"], f["location"]))
	}
	return strings.ReplaceAll(strings.Join(out, " "), "<nil>", "")
}

// head are headers to send: name, value, name, value.
type head []string

// ask sends a request with a token, or none, and a JSON body, or none.
func (w *world) ask(t *testing.T, method, path, token, body string, headers ...string) reply { //nolint:revive // a request has as many parts
	t.Helper()
	r, err := w.try(t, method, path, token, body, headers)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// try is ask for goroutines, which must not end the test.
func (w *world) try(t *testing.T, method, path, token, body string, headers head) (reply, error) { //nolint:revive // a request has as many parts
	t.Helper()
	if strings.HasPrefix(path, "/") {
		path = w.Issuer + path
	}
	req, err := http.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
		if method == http.MethodPatch {
			req.Header.Set("Content-Type", "application/merge-patch+json")
		}
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	out := reply{status: res.StatusCode, header: res.Header, text: string(raw)}
	_ = json.Unmarshal(raw, &out.json)
	return out, err
}

// raw asks for an address in the very spelling in which it is given.
func (w *world) raw(t *testing.T, path, token string) (int, string) {
	t.Helper()
	req := httptest.NewRequest(http.MethodGet, w.Issuer, nil)
	u, err := url.ParseRequestURI(path)
	if err != nil {
		t.Fatal(err)
	}
	req.URL, req.RequestURI = u, path
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res := httptest.NewRecorder()
	w.Node.Handler().ServeHTTP(res, req)
	return res.Code, res.Body.String()
}

// made registers a client and returns the answer.
func (w *world) made(t *testing.T, token, body string) reply {
	t.Helper()
	r := w.ask(t, http.MethodPost, "/api/v1/clients", token, body)
	if r.status != http.StatusCreated {
		t.Fatalf("register: %d %s", r.status, r.text)
	}
	return r
}

const anApp = `{"client_name":"Tide","redirect_uris":["https://tide.example.com/cb"],"grant_types":["authorization_code","refresh_token"],"response_types":["code"]}`

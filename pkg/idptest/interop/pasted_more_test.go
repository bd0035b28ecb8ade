// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// What the console says to paste for oauth2-proxy protects an application, which is told who is there.
func TestPastedOAuth2Proxy(t *testing.T) {
	dir := filepath.Join(os.TempDir(), "lychgate-interop", "oauth2-proxy")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "install", "github.com/oauth2-proxy/oauth2-proxy/v7@v7.15.6")
	build.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	behind := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(rw).Encode(map[string]string{"sub": r.Header.Get("X-Forwarded-User"), "email": r.Header.Get("X-Forwarded-Email")})
	}))
	t.Cleanup(behind.Close)
	w := newWorld(t)
	port := free(t)
	own := "http://127.0.0.1:" + port
	text := w.pasted(t, app{own, own + "/oauth2/callback"}, "oauth2-proxy")
	text, there := strings.CutSuffix(text, `upstreams = ["http://127.0.0.1:3000/"]`)
	if !there {
		t.Fatalf("the settings do not end with where the application listens: %s", text)
	}
	// Where both listen, and that the test has no TLS, is no matter of the provider's.
	write(t, dir, "proxy.cfg", text+fmt.Sprintf("upstreams = [%q]\nhttp_address = %q\ncookie_secure = false\nskip_provider_button = true\n", behind.URL, "127.0.0.1:"+port))
	runServer(t, dir, "127.0.0.1:"+port, "./oauth2-proxy", "--config", "proxy.cfg")
	w.greetsAt(t, app{own, ""}, "/")
}

// runServer starts a program that says nothing when it is ready, and waits until it listens.
func runServer(t *testing.T, dir, address, name string, args ...string) {
	t.Helper()
	script := `"$@" & while ! (: < "/dev/tcp/$ADDRESS") 2>/dev/null; do kill -0 $! || exit 1; sleep 0.05; done; echo ready; wait`
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	run(t, dir, []string{"ADDRESS=" + host + "/" + port}, "bash", append([]string{"-c", script, "bash", name}, args...)...)
}

// What the console says to paste for oidc-client-ts signs a person in and out, in a page of a real browser.
func TestPastedOIDCClientTS(t *testing.T) {
	dir := install(t, "oidc-client-ts", []string{"npm", "install", "--no-audit", "--no-fund"})
	w := newWorld(t)
	var page string
	mux := http.NewServeMux()
	mux.Handle("/node_modules/", http.FileServer(http.Dir(dir)))
	mux.HandleFunc("/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(page))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	a := app{srv.URL, srv.URL + "/callback"}
	text := w.pasted(t, a, "oidc-client-ts", func(c *client.Client) { c.AuthMethod = client.AuthNone })
	begin, rest, ok1 := strings.Cut(text, "// To begin a sign-in.")
	in, rest, ok2 := strings.Cut(rest, "// At the callback address.")
	back, out, ok3 := strings.Cut(rest, "// To sign out.")
	if !ok1 || !ok2 || !ok3 {
		t.Fatalf("the settings have not four parts: %s", text)
	}
	page = `<!doctype html><html lang="en"><title>app</title><pre id="report"></pre>
<script type="importmap">{"imports": {"oidc-client-ts": "/node_modules/oidc-client-ts/dist/esm/oidc-client-ts.js", "jwt-decode": "/node_modules/jwt-decode/build/esm/index.js"}}</script>
<script type="module">` + begin + `
if (location.pathname === '/login') {` + in + `}
if (location.pathname === '/callback') {` + back + `
  document.getElementById('report').textContent = JSON.stringify(user.profile)
}
if (location.pathname === '/logout') {` + out + `}
</script></html>`
	b := newTab(t)
	b.do(chromedp.Navigate(a.url + "/login"))
	b.until(`document.querySelector('#password') !== null`)
	b.run(fmt.Sprintf(`username.value = %q; password.value = %q; document.querySelector('form button.primary').click()`, person, idptest.Password))
	b.until(`document.querySelector('#code') !== null`)
	b.run(fmt.Sprintf(`code.value = %q; document.querySelector('form button.primary').click()`, w.Code(t, 0)))
	b.until(`location.pathname === '/callback' && document.querySelector('#report').textContent !== ''`)
	var who struct{ Sub, Email string }
	if err := json.Unmarshal([]byte(b.text("#report")), &who); err != nil || who.Sub != w.subject || who.Email != person {
		t.Errorf("the app says %s, want %s (%v)", b.text("#report"), w.subject, err)
	}
	b.do(chromedp.Navigate(a.url + "/logout"))
	b.until(`location.pathname === '/bye'`)
}

// What the console says to paste for curl gets a token for a service, with either way of sending the secret.
func TestPastedCurl(t *testing.T) {
	for _, method := range []string{client.AuthBasic, client.AuthPost} {
		t.Run(method, func(t *testing.T) {
			w := newWorld(t)
			c := &client.Client{
				ID: "night:job", Name: "Night job", Company: "acme", GrantTypes: []string{client.GrantCredentials}, Scope: "cases:read",
				AuthMethod: method,
			}
			w.AddClient(t, c)
			text := ""
			for _, s := range console.Snippets(c, w.Issuer, idptest.ClientSecret, "") {
				if s.ID == "curl" {
					text = s.Text
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			out, err := exec.CommandContext(ctx, "sh", "-c", text).Output()
			var token struct {
				AccessToken string `json:"access_token"`
				TokenType   string `json:"token_type"`
				Scope       string `json:"scope"`
			}
			if err != nil || json.Unmarshal(out, &token) != nil {
				t.Fatalf("%s: %v: %s", text, err, out)
			}
			if token.AccessToken == "" || !strings.EqualFold(token.TokenType, "bearer") || token.Scope != "cases:read" {
				t.Errorf("the answer is %s", out)
			}
		})
	}
}

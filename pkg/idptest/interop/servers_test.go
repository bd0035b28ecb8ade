// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

func TestSpringSecurity(t *testing.T) {
	dir := install(t, "spring", []string{"mvn", "-q", "-B", "package"})
	w := newWorld(t)
	port := free(t)
	own := "http://127.0.0.1:" + port
	a := app{own, own + "/login/oauth2/code/lychgate"}
	// Spring sends PKCE for public clients alone.
	w.register(t, a, func(c *client.Client) { c.PKCE = "optional" })
	run(t, dir, w.env(port), "java", "-jar", "target/interop-1.jar")
	w.signInAt(t, a, "/report")
}

// Apache with mod_auth_openidc stands before an application that knows nothing of OpenID Connect and is told by headers
// who is there.
func TestModAuthOpenIDC(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "sh", "-c",
		"test -e /usr/lib/apache2/modules/mod_auth_openidc.so || apt-get install -y -q apache2 libapache2-mod-auth-openidc").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	w := newWorld(t)
	tokens := make(chan string, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bye" {
			_, _ = rw.Write([]byte("bye"))
			return
		}
		tokens <- r.Header.Get("OIDC_access_token")
		_ = json.NewEncoder(rw).Encode(map[string]any{
			"sub": r.Header.Get("OIDC_CLAIM_sub"), "email": r.Header.Get("OIDC_CLAIM_email"), "acr": r.Header.Get("OIDC_CLAIM_acr"),
			"refreshed": r.Header.Get("OIDC_refresh_token") != "",
		})
	}))
	t.Cleanup(backend.Close)
	port := free(t)
	own := "http://127.0.0.1:" + port
	a := app{own, own + "/callback"}
	w.register(t, a, nil)
	dir := t.TempDir()
	conf, err := os.ReadFile("apache/apache.conf")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("@DIR@", dir, "@PORT@", port, "@ISSUER@", w.Issuer, "@SECRET@", idptest.ClientSecret, "@BACKEND@", backend.URL).Replace(string(conf))
	for _, d := range []string{dir, filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		_ = os.Chmod(d, 0o777) // its own user writes there
	}
	file := filepath.Join(dir, "apache.conf")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, nil, "sh", "-c", "echo ready; exec apache2 -f "+file+" -DFOREGROUND")
	listens(t, "127.0.0.1:"+port)
	b := w.Browser(t)
	page := b.Get(t, a.url+"/login").Login(t, person, idptest.Password).Code(t, w.Code(t, 0))
	w.check(t, page.Find("body").Text())
	first := <-tokens
	// The module refreshes by itself before an access token ends, and on demand.
	back := own + "/login"
	b.Get(t, a.callback+"?"+url.Values{"refresh": {back}, "access_token": {first}}.Encode())
	select {
	case second := <-tokens:
		if second == first || second == "" {
			t.Errorf("the module did not refresh")
		}
	case <-time.After(10 * time.Second):
		t.Error("the module did not come back from its refresh")
	}
	page = b.Get(t, a.callback+"?logout="+url.QueryEscape(own+"/bye"))
	if page.URL.String() != own+"/bye" {
		t.Errorf("after the sign-out the browser is at %s: %s", page.URL, page.Body)
	}
	if page = b.Get(t, a.url+"/login"); page.Find("input[type=password]").Length() != 1 {
		t.Errorf("the session lives on after the sign-out: %s", page.URL)
	}
}

// listens waits until somebody listens on an address.
func listens(t *testing.T, address string) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(50*time.Millisecond)
	defer tick.Stop()
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-deadline:
			t.Fatalf("nobody listens on %s: %v", address, err)
		case <-tick.C:
		}
	}
}

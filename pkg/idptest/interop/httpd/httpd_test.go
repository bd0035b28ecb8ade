// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package httpd_test signs in to a page that Apache httpd protects with mod_auth_openidc, a relying party that is not
// ours and not in Go.
package httpd_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const anna = "anna@acme.example"

// site is a running httpd.
type site struct {
	url string
	dir string
}

// modules are those of a small server; mpm_event and the rest are built in or loaded where Debian keeps them.
func modules() []string {
	return []string{
		"mpm_event", "authn_core", "authz_core", "authz_user", "dir", "mime", "include", "headers", "auth_openidc",
	}
}

// start runs httpd in the foreground until the test ends.
func start(t *testing.T, p *idptest.IDP) *site {
	t.Helper()
	s := &site{dir: t.TempDir()}
	port := free(t)
	s.url = "http://localhost:" + port
	p.NewRP(t, "httpd", func(c *client.Client) {
		c.Name, c.URI = "Protected Page", s.url+"/"
		c.RedirectURIs = []string{s.url + "/private/callback"}
		c.PostLogoutRedirectURIs = []string{s.url + "/bye.html"}
	})
	ended := s.run(t, s.frame(port)+s.protection(p))
	s.answers(t, ended)
	return s
}

// run starts httpd with a configuration; what it returns is closed when it has ended.
func (s *site) run(t *testing.T, text string) chan struct{} {
	t.Helper()
	s.pages(t)
	config := filepath.Join(s.dir, "httpd.conf")
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t), "-f", config, "-DFOREGROUND")
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		<-ended
		if t.Failed() {
			s.log(t)
		}
	})
	return ended
}

// program is where the distribution puts httpd.
func program(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"apache2", "/usr/sbin/apache2", "httpd", "/usr/sbin/httpd"} {
		if file, err := exec.LookPath(name); err == nil {
			return file
		}
	}
	t.Fatal("no Apache httpd here: deploy/test-deps.sh installs it")
	return ""
}

// free returns a port that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// pages writes the protected page, which names who is signed in, and the one that people come back to.
func (s *site) pages(t *testing.T) {
	t.Helper()
	for name, body := range map[string]string{
		"private/index.html": `<title>private</title><h1>Private</h1><p id="user"><!--#echo var="REMOTE_USER" --></p>` +
			`<p id="name"><!--#echo var="OIDC_CLAIM_name" --></p><p id="acr"><!--#echo var="OIDC_CLAIM_acr" --></p>` +
			`<p id="iss"><!--#echo var="OIDC_CLAIM_iss" --></p>`,
		"bye.html": `<title>bye</title><h1>Bye</h1>`,
	} {
		file := filepath.Join(s.dir, "htdocs", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(body), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	// The pages are read by another user than the one that runs the test.
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

// frame is httpd's configuration but for what it says of OpenID Connect.
func (s *site) frame(port string) string {
	var b strings.Builder
	for _, m := range modules() {
		fmt.Fprintf(&b, "LoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", m, m)
	}
	if os.Geteuid() == 0 {
		b.WriteString("User www-data\nGroup www-data\n")
	}
	fmt.Fprintf(&b, `ServerRoot %[1]q
ServerName localhost
Listen 127.0.0.1:%[2]s
DefaultRuntimeDir %[1]q
PidFile "%[1]s/httpd.pid"
ErrorLog "%[1]s/error.log"
LogLevel info auth_openidc:debug
StartServers 1
DocumentRoot "%[1]s/htdocs"
TypesConfig /etc/mime.types
AddOutputFilter INCLUDES .html
DirectoryIndex index.html
<Directory "%[1]s/htdocs">
    Options +Includes
    Require all granted
</Directory>
`, s.dir, port)
	return b.String()
}

// protection is what people would write to protect a part of the site.
func (s *site) protection(p *idptest.IDP) string {
	return fmt.Sprintf(`
OIDCProviderMetadataURL %[1]s/.well-known/openid-configuration
OIDCClientID httpd
OIDCClientSecret %[2]s
OIDCRedirectURI %[3]s/private/callback
OIDCCryptoPassphrase "only for the test"
OIDCScope "openid profile email"
OIDCPKCEMethod S256
OIDCRemoteUserClaim email
OIDCPassClaimsAs environment

<Location /private/>
    AuthType openid-connect
    Require valid-user
</Location>
`, p.Issuer, idptest.ClientSecret, s.url)
}

// answers waits until httpd answers, or has ended.
func (s *site) answers(t *testing.T, ended chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(30 * time.Second)
	for {
		if res, err := http.Get(s.url + "/bye.html"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode != http.StatusOK {
				t.Errorf("status of an open page = %d, want 200", res.StatusCode)
			}
			return
		}
		select {
		case <-ended:
			t.Fatal("httpd ended")
		case <-patience:
			t.Fatal("httpd does not answer")
		case <-tick.C:
		}
	}
}

func (s *site) log(t *testing.T) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "error.log"))
	if err != nil {
		t.Log(err)
	}
	t.Logf("%s", text)
}

// TestModAuthOpenIDC: a page protected by httpd is seen after password and code, knows who it is, and signs out to
// where httpd asks for.
func TestModAuthOpenIDC(t *testing.T) {
	p := idptest.New(t, idptest.Setup{RealClock: true})
	p.AddEnrolled(t, anna, "acme")
	s := start(t, p)
	b := person(t, p)

	page := b.Get(t, s.url+"/private/")
	if page.H1() != "Sign in" || !strings.HasPrefix(page.URL.String(), p.Issuer) {
		t.Fatalf("protected page = %d %q at %s, want the sign-in", page.Status, page.H1(), page.URL)
	}
	page = page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	want := map[string]string{"user": anna, "name": "Anna Example", "acr": "urn:lychgate:acr:mfa", "iss": p.Issuer}
	wantPrivate(t, s, page, want)
	wantPrivate(t, s, b.Get(t, s.url+"/private/"), want)

	out := b.Get(t, s.url+"/private/callback?logout="+url.QueryEscape(s.url+"/bye.html"))
	if out.H1() != "Bye" || out.URL.String() != s.url+"/bye.html" {
		t.Fatalf("after the sign-out = %d %q at %s, want %s/bye.html", out.Status, out.H1(), out.URL, s.url)
	}
	again := b.Get(t, s.url+"/private/")
	if again.H1() != "Sign in" {
		t.Errorf("protected page after the sign-out = %q at %s, want the sign-in", again.H1(), again.URL)
	}
}

// TestModAuthOpenIDCStranger: without the code the page stays closed.
func TestModAuthOpenIDCStranger(t *testing.T) {
	p := idptest.New(t, idptest.Setup{RealClock: true})
	p.AddEnrolled(t, anna, "acme")
	s := start(t, p)
	b := person(t, p)
	page := b.Get(t, s.url+"/private/").Login(t, anna, idptest.Password).Code(t, "000000")
	if page.H1() != "Enter your code" || page.Alert() == "" {
		t.Fatalf("page after a wrong code = %q, alert %q", page.H1(), page.Alert())
	}
	if page := b.Get(t, s.url+"/private/"); page.H1() == "Private" {
		t.Errorf("the protected page is seen without a code")
	}
	forged := b.Get(t, s.url+"/private/callback?code=lgc_forged&state=forged&iss="+url.QueryEscape(p.Issuer))
	if forged.H1() == "Private" {
		t.Errorf("the protected page is seen with a forged answer")
	}
}

// person is a browser that asks for pages, as browsers do: to anything else httpd answers 401 (OIDCUnAuthAction).
func person(t *testing.T, p *idptest.IDP) *idptest.Browser {
	t.Helper()
	b := p.Browser(t)
	b.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	return b
}

func wantPrivate(t *testing.T, s *site, page *idptest.Page, want map[string]string) {
	t.Helper()
	if page.Status != http.StatusOK || page.H1() != "Private" || !strings.HasPrefix(page.URL.String(), s.url+"/private/") {
		t.Fatalf("page = %d %q at %s (alert %q), want the protected one:\n%s", page.Status, page.H1(), page.URL, page.Alert(), page.Body)
	}
	for id, value := range want {
		if got := page.Find("#" + id).Text(); got != value {
			t.Errorf("%s = %q, want %q", id, got, value)
		}
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
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

// app is a relying party under test. It has /login, which begins the sign-in; a callback, which redeems the code,
// refreshes the tokens, asks userinfo and answers with a report; and /logout, which signs out and ends at /bye.
type app struct {
	url string
	// callback is its redirect_uri.
	callback string
}

// report is what an app says of a sign-in.
type report struct {
	Subject string `json:"sub"`
	Email   string `json:"email"`
	ACR     string `json:"acr"`
	// Refreshed says that a new access token came for the refresh token, and was not the first one.
	Refreshed bool `json:"refreshed"`
}

// world is a provider with one person who has an authenticator.
type world struct {
	*idptest.IDP
	subject string
}

const person = "anna@example.com"

func newWorld(t *testing.T) *world {
	t.Helper()
	p := idptest.New(t, idptest.Setup{RealClock: true, Host: "localhost"})
	return &world{p, p.AddEnrolled(t, person, "acme")}
}

// register registers an app as an IT team would, with what the library wants.
func (w *world) register(t *testing.T, a app, change func(*client.Client)) {
	t.Helper()
	c := &client.Client{
		ID: "app", Name: "App", Company: "acme", RedirectURIs: []string{a.callback}, PostLogoutRedirectURIs: []string{a.url + "/bye"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile email offline_access",
		AuthMethod: "client_secret_basic",
	}
	if change != nil {
		change(c)
	}
	w.AddClient(t, c)
}

// signIn walks through the app as a person does, and holds its report against what is true.
func (w *world) signIn(t *testing.T, a app) {
	t.Helper()
	w.signInAt(t, a, "/login")
}

func (w *world) signInAt(t *testing.T, a app, path string) {
	t.Helper()
	b := w.Browser(t)
	page := b.Get(t, a.url+path).Login(t, person, idptest.Password).Code(t, w.Code(t, 0))
	if page.Status != http.StatusOK || !strings.HasPrefix(page.URL.String(), a.url) {
		t.Fatalf("after the sign-in the browser is at %s: %d %s", page.URL, page.Status, page.Body)
	}
	w.check(t, page.Find("body").Text())
	page = b.Get(t, a.url+"/logout")
	if !strings.HasPrefix(page.URL.String(), a.url+"/bye") {
		t.Errorf("after the sign-out the browser is at %s: %d %s", page.URL, page.Status, page.Body)
	}
	if page = b.Get(t, a.url+path); page.Find("input[type=password]").Length() != 1 {
		t.Errorf("the session lives on after the sign-out: %s", page.URL)
	}
}

func (w *world) check(t *testing.T, body string) {
	t.Helper()
	var r report
	if err := json.Unmarshal([]byte(strings.TrimSpace(body)), &r); err != nil {
		t.Fatalf("report %q: %v", body, err)
	}
	if r.Subject != w.subject || r.Email != person || !r.Refreshed || r.ACR != "urn:lychgate:acr:mfa" {
		t.Errorf("report %+v of %s", r, w.subject)
	}
}

// free is an address that nobody listens on.
func free(t *testing.T) (port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err = net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// run starts a program in a copy of its folder and waits until it says "ready" on a line of its own.
func run(t *testing.T, dir string, env []string, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan struct{})
	log := &strings.Builder{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if lines.Text() == "ready" {
				close(ready)
				continue
			}
			fmt.Fprintln(log, lines.Text())
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait()
		<-done
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log)
		}
	})
	select {
	case <-ready:
	case <-done:
		t.Fatalf("%s ended before it was ready", name)
	case <-time.After(2 * time.Minute):
		t.Fatalf("%s is not ready after 2 minutes", name)
	}
}

// install copies a folder and runs its installation there once for all tests of a run.
func install(t *testing.T, folder string, commands ...[]string) string {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "lychgate-interop", folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	commands = append([][]string{{"cp", "-r", mustAbs(t, folder) + "/.", "."}}, commands...)
	for _, c := range commands {
		cmd := exec.CommandContext(t.Context(), c[0], c[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", c, err, out)
		}
	}
	return dir
}

func mustAbs(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// local is an app at a free port.
func local(t *testing.T) (app, string) {
	t.Helper()
	port := free(t)
	url := "http://127.0.0.1:" + port
	return app{url, url + "/callback"}, port
}

func (w *world) env(port string) []string {
	return []string{"ISSUER=" + w.Issuer, "CLIENT_ID=app", "CLIENT_SECRET=" + idptest.ClientSecret, "PORT=" + port}
}

func TestOpenIDClient(t *testing.T) {
	dir := install(t, "openid-client", []string{"npm", "install", "--no-audit", "--no-fund"})
	w := newWorld(t)
	a, port := local(t)
	w.register(t, a, nil)
	run(t, dir, w.env(port), "node", "app.mjs")
	w.signIn(t, a)
}

func TestAuthlib(t *testing.T) {
	dir := install(t, "authlib", []string{"python3", "-m", "venv", "venv"},
		[]string{"venv/bin/pip", "install", "-q", "-r", "requirements.txt"})
	w := newWorld(t)
	a, port := local(t)
	w.register(t, a, nil)
	run(t, dir, w.env(port), "venv/bin/python", "app.py")
	w.signIn(t, a)
}

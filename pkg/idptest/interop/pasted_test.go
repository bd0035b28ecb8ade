// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// pasted registers an app and returns what its page in the console says to paste for a library.
func (w *world) pasted(t *testing.T, a app, library string, change ...func(*client.Client)) string {
	t.Helper()
	var made *client.Client
	w.register(t, a, func(c *client.Client) {
		c.Scope, c.GrantTypes = "openid profile email", []string{client.GrantCode}
		for _, f := range change {
			f(c)
		}
		made = c
	})
	for _, s := range console.Snippets(made, w.Issuer, idptest.ClientSecret, strings.Repeat("r", 43)) {
		if s.ID == library {
			return s.Text
		}
	}
	t.Fatalf("nothing to paste for %s", library)
	return ""
}

// greets signs in at the app and looks who it says is there.
func (w *world) greets(t *testing.T, a app) {
	t.Helper()
	w.greetsAt(t, a, "/login")
}

func (w *world) greetsAt(t *testing.T, a app, path string) {
	t.Helper()
	page := w.Browser(t).Get(t, a.url+path).Login(t, person, idptest.Password).Code(t, w.Code(t, 0))
	var who struct{ Sub, Email string }
	if err := json.Unmarshal([]byte(strings.TrimSpace(page.Find("body").Text())), &who); err != nil {
		t.Fatalf("at %s: %v: %s", page.URL, err, page.Body)
	}
	if who.Sub != w.subject || who.Email != person {
		t.Errorf("the app says %+v, want %s", who, w.subject)
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// What the console says to paste for openid-client signs a person in, between two lines of a server.
func TestPastedOpenIDClient(t *testing.T) {
	dir := install(t, "openid-client", []string{"npm", "install", "--no-audit", "--no-fund"})
	w := newWorld(t)
	a, port := local(t)
	begin, end, ok := strings.Cut(w.pasted(t, a, "openid-client"), "// At the callback address.")
	if !ok {
		t.Fatal("the settings have no second half")
	}
	write(t, dir, "pasted.mjs", "import { createServer } from 'node:http'\n"+begin+`
createServer(async (req, res) => {
  const currentUrl = new URL(req.url, '`+a.url+`')
  if (currentUrl.pathname === '/login') return res.writeHead(303, { location: to.href }).end()
  //`+end+`
  res.end(JSON.stringify(person))
}).listen(`+port+`, '127.0.0.1', () => console.log('ready'))
`)
	run(t, dir, nil, "node", "pasted.mjs")
	w.greets(t, a)
}

// What the console says to paste for Authlib signs a person in, in a bare application of Flask.
func TestPastedAuthlib(t *testing.T) {
	dir := install(t, "authlib", []string{"python3", "-m", "venv", "venv"},
		[]string{"venv/bin/pip", "install", "-q", "-r", "requirements.txt"})
	w := newWorld(t)
	a, port := local(t)
	write(t, dir, "pasted.py", `from flask import Flask, jsonify, redirect, session
from werkzeug.serving import make_server

app = Flask(__name__)
app.secret_key = "made for this test alone"
`+w.pasted(t, a, "authlib")+`


@app.get("/")
def home():
    return jsonify(sub=session["person"]["sub"], email=session["person"]["email"])


server = make_server("127.0.0.1", `+port+`, app)
print("ready", flush=True)
server.serve_forever()
`)
	run(t, dir, nil, "venv/bin/python", "pasted.py")
	w.greets(t, a)
}

// What the console says to paste for Spring Security signs a person in, in place of the application's own settings.
func TestPastedSpringSecurity(t *testing.T) {
	dir := install(t, "spring", []string{"mvn", "-q", "-B", "package"})
	w := newWorld(t)
	port := free(t)
	own := "http://127.0.0.1:" + port
	a := app{own, own + "/login/oauth2/code/lychgate"}
	text := w.pasted(t, a, "spring", func(c *client.Client) {
		// The application has no code of its own for PKCE, and refreshes.
		c.PKCE, c.Scope, c.GrantTypes = client.PKCEOptional, "openid profile email offline_access", []string{client.GrantCode, client.GrantRefresh}
	})
	write(t, dir, "pasted.yaml", text+"\nserver:\n  address: 127.0.0.1\n  port: "+port+"\nlogging.level.root: warn\n")
	run(t, dir, nil, "java", "-jar", "target/interop-1.jar", "--spring.config.location=file:pasted.yaml", "--spring.main.banner-mode=off")
	w.greetsAt(t, a, "/report")
}

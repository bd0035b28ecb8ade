// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package httpd_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const carla = "carla@acme.example"

// paste registers a client by the forms of the console, and returns what its page says to paste.
func paste(t *testing.T, p *idptest.IDP, s *site) string {
	t.Helper()
	p.AddAdmin(t, carla, "acme", authn.AdminCompany)
	page := person(t, p).Get(t, "/admin/clients/new").Login(t, carla, idptest.Password).Code(t, p.Code(t, 0))
	if page.H1() != "Add a client" {
		t.Fatalf("page = %d %q at %s (alert %q), want the form of a new client", page.Status, page.H1(), page.URL, page.Alert())
	}
	fields := url.Values{}
	page.Find("main form input[name], main form select, main form textarea").Each(func(_ int, in *idptest.Selection) {
		if kind := in.AttrOr("type", ""); kind == "radio" || kind == "checkbox" {
			if _, checked := in.Attr("checked"); !checked {
				return
			}
		}
		value := in.AttrOr("value", "")
		if chosen := in.Find("option[selected]"); chosen.Length() > 0 {
			value = chosen.AttrOr("value", "")
		}
		fields.Set(in.AttrOr("name", ""), value)
	})
	fields.Set("name", "Protected Page")
	fields.Set("redirects", s.url+"/private/callback")
	fields.Set("postlogout", s.url+"/bye.html")
	page = page.Submit(t, fields)
	if page.H1() != "Protected Page" {
		t.Fatalf("page = %d %q (alert %q), want that of the client", page.Status, page.H1(), page.Alert())
	}
	return page.Find("#snippet-mod-auth-openidc").Text()
}

// TestPastedFromTheConsole: a client that was registered in the console signs a person in through mod_auth_openidc with
// exactly what the client's page says to paste, and nothing else.
func TestPastedFromTheConsole(t *testing.T) {
	p := idptest.New(t, idptest.Setup{RealClock: true})
	p.AddEnrolled(t, anna, "acme")
	s := &site{dir: t.TempDir()}
	port := free(t)
	s.url = "http://localhost:" + port
	text := paste(t, p, s)
	ended := s.run(t, s.frame(port)+"\n"+text+"\n")
	s.listens(t, ended)
	b := person(t, p)
	page := b.Get(t, s.url+"/private/")
	if page.H1() != "Sign in" || !strings.HasPrefix(page.URL.String(), p.Issuer) {
		t.Fatalf("protected page = %d %q at %s, want the sign-in", page.Status, page.H1(), page.URL)
	}
	page = page.Login(t, anna, idptest.Password).Code(t, p.Code(t, 0))
	wantPrivate(t, s, page, map[string]string{"user": anna, "name": "Anna Example", "acr": authn.ACRFactor, "iss": p.Issuer})
}

// listens waits until httpd answers at all: the whole site is protected.
func (s *site) listens(t *testing.T, ended chan struct{}) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	patience := time.After(30 * time.Second)
	for {
		if res, err := http.Get(s.url + "/bye.html"); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				t.Error("the pasted settings protect nothing")
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

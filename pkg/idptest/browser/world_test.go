// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/demo"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	anna = "anna@acme.example"
	bert = "bert@acme.example"
	sam  = "sam@plain.example"
)

// world is a provider and the sample app, on two sites: 127.0.0.1 and localhost.
type world struct {
	*idptest.IDP
	app string
	// third is an app of nobody's company: people are asked for consent.
	third *idptest.RelyingParty
	made  int
}

// newWorld starts both. anna is enrolled, bert never was, sam's company has the second factor off.
func newWorld(t *testing.T, setup idptest.Setup) *world {
	t.Helper()
	w := &world{IDP: idptest.New(t, setup)}
	if late := time.Since(w.Now()); late > 0 && !setup.RealClock {
		// A browser drops cookies by its own clock: ours must not be behind.
		w.Advance(late)
	}
	w.AddEnrolled(t, anna, "acme")
	w.AddAccount(t, bert, "acme")
	w.AddAccount(t, sam, "plain")
	w.third = w.NewRP(t, "third", func(c *client.Client) {
		c.FrontchannelURI, c.FrontchannelSession = c.URI+"front", true
		c.Company, c.PolicyURI, c.TosURI = "", "https://app.example/privacy", "https://app.example/terms"
	})
	w.startApp(t)
	return w
}

func (w *world) startApp(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	w.app = "http://localhost:" + port
	w.AddClient(t, &client.Client{
		ID: "example-cases", Name: "Example Cases", URI: w.app + "/", Company: "acme",
		RedirectURIs: []string{w.app + "/callback"}, PostLogoutRedirectURIs: []string{w.app + "/"},
		GrantTypes: []string{"authorization_code", "refresh_token"}, Scope: "openid profile email offline_access",
		AuthMethod: "client_secret_basic",
	})
	app := demo.New(demo.Config{
		Issuer: w.Issuer, URL: w.app, ClientID: "example-cases", ClientSecret: idptest.ClientSecret,
		Templates: w.Node.Templates(), Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: w.Now,
		Code: func(string) (string, error) { return "", errors.New("not here") },
	})
	srv := httptest.NewUnstartedServer(app.Handler())
	_ = srv.Listener.Close()
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
}

// hosts are those that a browser may talk to.
func (w *world) hosts() []string {
	var hosts []string
	for _, address := range []string{w.Issuer, w.app, w.RP.URL, w.third.URL} {
		hosts = append(hosts, strings.TrimPrefix(address, "http://"))
	}
	return hosts
}

// fresh is a name that no account has.
func (w *world) fresh() string {
	w.made++
	return fmt.Sprintf("person%d@acme.example", w.made)
}

// codeOf is what an authenticator with this key shows now.
func (w *world) codeOf(t *testing.T, key string) string {
	t.Helper()
	return idptest.CodeOf(t, idptest.SecretOf(t, key), w.Now())
}

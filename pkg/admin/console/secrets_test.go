// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// token asks for a token of a service with a secret, at a node.
func token(t *testing.T, n *idptest.Node, p *idptest.IDP, id, secret string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+n.Addr+"/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		t.Fatal(err)
	}
	req.Host = strings.TrimPrefix(p.Issuer, "http://")
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(id, secret)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// TestSecretsAreChanged is C6: two secrets at once, the last use of each seen from another node, and the date on which the
// old one ends, which is kept although nobody presses anything.
func TestSecretsAreChanged(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients/new").Prove(t, carla), "Add a client")
	page = want(t, page.Press(t, "main", "Add a client", form("kind", "service", "redirects", "", "postlogout", "")), "Tide Cases")
	first, id := secretOn(page), registered(t, p, "Tide Cases").ID
	page = want(t, page.Follow(t, "/admin/clients/"+id), "Tide Cases")
	if page.Find("#secrets .danger").Length() != 0 || !strings.Contains(page.Find("#secrets .items").Text(), "Not used yet") {
		t.Error("the only secret can be ended, or was used")
	}

	p.Advance(time.Minute)
	again := page
	page = want(t, page.Press(t, "#secrets", "Make a new secret", url.Values{"ends": {"7"}}), "Tide Cases")
	second := secretOn(page)
	if second == "" || second == first || page.Header.Get("Cache-Control") != "no-store" || page.Find("#secrets .items li").Length() != 2 {
		t.Fatalf("second secret %q, %d on the page", second, page.Find("#secrets .items li").Length())
	}
	// The same form again makes no third one.
	if page = again.Press(t, "#secrets", "Make a new secret", url.Values{"ends": {"7"}}); secretOn(page) != "" || len(registered(t, p, "Tide Cases").Secrets) != 2 {
		t.Error("a form that was sent twice made two secrets")
	}

	node := p.AddNode(t)
	for _, secret := range []string{first, second} {
		if got := token(t, node, p, id, secret); got != http.StatusOK {
			t.Errorf("a valid secret answers %d", got)
		}
	}
	if err := node.FlushUses(t.Context()); err != nil {
		t.Fatal(err)
	}
	page = want(t, page.Follow(t, "/admin/clients/"+id), "Tide Cases")
	items := page.Find("#secrets .items li")
	if got := strings.Join(strings.Fields(items.Last().Text()), " "); !strings.Contains(got, "Ends in 7 days") || !strings.Contains(got, "from 127.0.0.1") {
		t.Errorf("the old secret: %q", got)
	}
	if got := page.Find("#secrets .note strong").Text(); got != "The older secret is still in use." {
		t.Errorf("note %q", got)
	}
	if strings.Contains(page.Body, first) || strings.Contains(page.Body, second) {
		t.Error("a secret is shown again")
	}

	endsOnTime(t, p, node, id, [2]string{first, second})
}

// endsOnTime: seven days after the second secret was made the first is refused, on every node.
func endsOnTime(t *testing.T, p *idptest.IDP, node *idptest.Node, id string, secrets [2]string) {
	t.Helper()
	p.Advance(7*24*time.Hour - time.Second)
	if got := token(t, node, p, id, secrets[0]); got != http.StatusOK {
		t.Errorf("a second before its end the old secret answers %d", got)
	}
	p.Advance(time.Second)
	for _, n := range []*idptest.Node{node, p.Node} {
		if got := token(t, n, p, id, secrets[0]); got != http.StatusUnauthorized {
			t.Errorf("at its end the old secret answers %d", got)
		}
		if got := token(t, n, p, id, secrets[1]); got != http.StatusOK {
			t.Errorf("the new secret answers %d", got)
		}
	}
}

// TestSecretIsKeptAndEnded: the end is taken back, then the secret is ended at once, on every node.
func TestSecretIsKeptAndEnded(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/clients/cases").Prove(t, carla), "Case App")
	want(t, page.Press(t, "#secrets", "Make a new secret", url.Values{"ends": {"1"}}), "Case App")
	page = want(t, page.Follow(t, "/admin/clients/cases"), "Case App")
	page = want(t, page.Press(t, "#secrets", "Keep it longer", nil), "Case App")
	if got := page.Note(); !strings.Contains(got, "stays valid") {
		t.Errorf("note %q", got)
	}
	p.Advance(25 * time.Hour)
	if status, _ := p.RP.Call(t, "/introspect", url.Values{"token": {"x"}}); status != http.StatusOK {
		t.Errorf("the secret that was kept answers %d", status)
	}
	page = want(t, b.Get(t, "/admin/clients/cases").Prove(t, carla), "Case App")
	old := page.Find("#secrets .items li").Last().Find("input[name=secret]").AttrOr("value", "")
	page = want(t, b.Post(t, "/admin/clients/cases/secrets/end", url.Values{"secret": {old}}), "Case App")
	if got := page.Note(); !strings.Contains(got, "has ended") {
		t.Errorf("note %q", got)
	}
	if status, _ := p.RP.Call(t, "/introspect", url.Values{"token": {"x"}}); status != http.StatusUnauthorized {
		t.Errorf("the secret that was ended answers %d", status)
	}
	// One that is gone is news, not a fault.
	page = want(t, b.Post(t, "/admin/clients/cases/secrets/end", url.Values{"secret": {old}}), "Case App")
	if got := page.Note(); !strings.Contains(got, "Nothing was changed") {
		t.Errorf("note %q", got)
	}
	for _, name := range []string{audit.SecretMade, audit.SecretKept, audit.SecretEnded} {
		if got := happened(t, p, name); len(got) != 1 || got[0].Client != "cases" || got[0].Actor == "" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// TestClientIsChangedAndTurnedOff is C7: the whole description, by two admins at once, off, on, and away.
func TestClientIsChangedAndTurnedOff(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	edit := want(t, b.Get(t, "/admin/clients/cases/edit").Prove(t, carla), "Change Case App")
	other := want(t, as(t, p, ivy, "/admin/clients/cases"), "Case App")
	want(t, other.Press(t, "#policy", "Save the policy", url.Values{"factor": {"always"}, "consent": {"remember"}}), "Case App")
	if c := registered(t, p, "Case App"); c.SecondFactor != "always" || c.Consents() != client.ConsentRemember {
		t.Errorf("policy %q, consent %q", c.SecondFactor, c.Consents())
	}
	change := url.Values{
		"name": {"Case App 2"}, "redirects": {p.RP.URL + "/callback\nhttps://two.example/cb"}, "format": {"at+jwt"}, "kind": {"web"},
		"backchannel": {"https://two.example/back"}, "backsession": {"1"}, "scope": {"openid email"}, "auth": {"client_secret_post"},
		"pkce": {"optional"}, "idalg": {"ES256"}, "subject": {"public"}, "useralg": {"ES256"}, "factor": {"required"}, "maxage": {"600"}, "refresh": {"1"},
		"accesslife": {"120"}, "idlife": {"7200"}, "refreshidle": {"86400"}, "refreshlife": {""},
	}
	page := want(t, edit.Press(t, "main", "Save", change), "Change Case App")
	if !strings.Contains(page.Alert(), "Somebody else changed this client") || page.Find("#name").AttrOr("value", "") != "Case App 2" {
		t.Fatalf("alert %q, name %q", page.Alert(), page.Find("#name").AttrOr("value", ""))
	}
	page = want(t, page.Press(t, "main", "Save", change), "Change Case App")
	if got := page.Find("#idlife-error").Text(); !strings.Contains(got, "within the limits") || page.Find("#accesslife-error").Length() != 0 {
		t.Fatalf("an ID token of two hours: %q", got)
	}
	change.Set("idlife", "90")
	page = want(t, page.Press(t, "main", "Save", change), "Case App 2")
	if got := strings.Join(strings.Fields(page.Find("#tokens").Text()), " "); !strings.Contains(got, "Access token: 2 minutesID token: 90 secondsRefresh token: 90 days after the sign-in; unused 1 day") {
		t.Errorf("tokens %q", got)
	}
	c := registered(t, p, "Case App 2")
	if len(c.RedirectURIs) != 2 || c.AccessTokenFormat != client.FormatJWT || !c.BackchannelSession || c.AuthMethod != client.AuthPost ||
		c.PKCE != client.PKCEOptional || c.Alg() != "ES256" || c.UserinfoAlg != "ES256" || c.SecondFactor != "required" || *c.DefaultMaxAge != 600 ||
		c.Scope != "openid email offline_access" || !c.HasGrant(client.GrantRefresh) || len(c.Secrets) != 1 {
		t.Errorf("changed to %+v", c)
	}
	if got := page.Find("#warnings").Text(); !strings.Contains(got, "PKCE is optional") || !strings.Contains(got, "is not encrypted") {
		t.Errorf("warnings %q", got)
	}
	page = want(t, page.Press(t, "#end", "Turn off", nil), "Case App 2 Turned off")
	if got := b.Get(t, p.RP.AuthURL()); got.Status != 400 {
		t.Errorf("a sign-in at a client that is off = %d %q", got.Status, got.H1())
	}
	page = want(t, page.Press(t, "#end", "Turn on", nil), "Case App 2")
	page = want(t, page.Follow(t, page.Find("#end a.danger").AttrOr("href", "")), "Remove Case App 2?")
	page = want(t, page.Press(t, "main", "Remove this client", nil), "Clients")
	if got := page.Note(); got != "The client is removed." {
		t.Errorf("note %q", got)
	}
	nothing(t, b.Get(t, "/admin/clients/cases"))
}

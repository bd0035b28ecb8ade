// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey_test

import (
	"fmt"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

const (
	bert = "bert@acme.example"
	cleo = "cleo@acme.example"

	question = "Use your passkey or security key"
	setup    = "Set up a passkey or security key"
)

// world is a whole provider with passkeys alone, and bert and cleo, who have none yet.
func world(t *testing.T) *idptest.IDP {
	t.Helper()
	p := idptest.New(t, idptest.Setup{Host: "localhost", Factors: []string{"passkey"}})
	p.AddAccount(t, bert, "acme")
	p.AddAccount(t, cleo, "acme")
	return p
}

func want(t *testing.T, page *idptest.Page, h1 string) {
	t.Helper()
	if page.Status != 200 || page.H1() != h1 {
		t.Fatalf("page %d %q at %s (alert %q), want %q", page.Status, page.H1(), page.URL.Path, page.Alert(), h1)
	}
}

// open goes to the step after the password.
func open(t *testing.T, p *idptest.IDP, name string) *idptest.Page {
	t.Helper()
	return p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, name, idptest.Password)
}

func answer(json string) url.Values { return url.Values{"passkey": {json}} }

// enrol sets a key up.
func enrol(t *testing.T, p *idptest.IDP, name string, k *key) idptest.Tokens {
	t.Helper()
	page := open(t, p, name)
	want(t, page, setup)
	done := page.Submit(t, answer(k.create(t, page)))
	want(t, done, "Set-up complete")
	if n := done.Find("#recovery-codes li").Length(); n != 10 {
		t.Errorf("%d recovery codes with the first set-up, want 10", n)
	}
	return p.RP.Exchange(t, done.Submit(t, nil))
}

func amr(tok idptest.Tokens) string { return strings.Trim(fmt.Sprint(tok.Claims["amr"]), "[]") }

// TestSetUpAndSignIn: a key that stays in its device is hwk, one that may be copied is swk.
func TestSetUpAndSignIn(t *testing.T) {
	for method, flags := range map[string]byte{"hwk": 0, "swk": eligible, "swk backed up": eligible | backedUp} {
		t.Run(method, func(t *testing.T) {
			method, _, _ := strings.Cut(method, " ")
			p, k := world(t), newKey(t)
			k.flags |= flags
			tok := enrol(t, p, bert, k)
			for range 2 {
				if got, want := amr(tok), "pwd "+method+" mfa"; got != want || tok.Claims["acr"] != authn.ACRFactor {
					t.Errorf("amr = %q, acr = %v, want %q", got, tok.Claims["acr"], want)
				}
				if got := fmt.Sprint(p.RP.Introspect(t, tok.AccessToken)["lg_evidence"]); !strings.Contains(got, "method:"+method) || !strings.Contains(got, "how:fresh") {
					t.Errorf("lg_evidence = %s, want a fresh %s", got, method)
				}
				page := open(t, p, bert)
				want(t, page, question)
				tok = p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))
			}
		})
	}
}

// TestOptions: what the pages ask for.
func TestOptions(t *testing.T) {
	p, k := world(t), newKey(t)
	page := open(t, p, bert)
	o := asked(t, page)
	if o.RPID != "localhost" || o.RP.Name != "Acme Legal" || o.User.Name != bert || o.Attestation != "none" || len(o.Challenge) != 43 || len(o.User.ID) != 43 {
		t.Errorf("options = %+v", o)
	}
	if again := asked(t, p.Browser(t).Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)); again.Challenge == o.Challenge || again.User.ID != o.User.ID {
		t.Errorf("another flow = %+v, want another challenge for the same user", again)
	}
	enrol(t, p, bert, k)
	page = open(t, p, bert)
	o = asked(t, page)
	if len(o.Allow) != 1 || o.Allow[0].ID != text(k.id) || o.RPID != "localhost" {
		t.Errorf("options = %+v, want the one key", o)
	}
	if !strings.Contains(page.Body, `&#34;transports&#34;:[&#34;usb&#34;]`) {
		t.Error("the transports that are known are not given back, or others are")
	}
	if policy := page.Header.Get("Permissions-Policy"); strings.Contains(policy, "publickey") {
		t.Errorf("Permissions-Policy = %q forbids what the page is for", policy)
	}
}

// forgeries are answers that must never count, whichever page they are for.
func forgeries() map[string]change {
	return map[string]change{
		"another origin":          func(c *ceremony) { c.origin = "https://evil.example" },
		"another port":            func(c *ceremony) { c.origin = "http://localhost:1" },
		"https for http":          func(c *ceremony) { c.origin = strings.Replace(c.origin, "http:", "https:", 1) },
		"no origin":               func(c *ceremony) { c.origin = "" },
		"a frame of another site": func(c *ceremony) { c.crossOrigin = true },
		"another site's key":      func(c *ceremony) { c.rpID = "evil.example" },
		"another challenge":       func(c *ceremony) { c.challenge = text(make([]byte, 32)) },
		"no challenge":            func(c *ceremony) { c.challenge = "" },
		"nobody present":          func(c *ceremony) { c.flags &^= present },
		"backed up, not eligible": func(c *ceremony) { c.flags |= backedUp },
		"data cut short":          func(c *ceremony) { c.authData = func(b []byte) []byte { return b[:36] } },
		"data too long":           func(c *ceremony) { c.authData = func(b []byte) []byte { return append(b, 0) } },
		"no data":                 func(c *ceremony) { c.authData = func([]byte) []byte { return nil } },
		"an id too long":          func(c *ceremony) { c.id = make([]byte, 1024) },
		"no id":                   func(c *ceremony) { c.id = nil },
	}
}

// TestForgedAnswers: each is refused with the same words, in a flow where the right answer then works.
func TestForgedAnswers(t *testing.T) {
	p, k, other := world(t), newKey(t), newKey(t)
	enrol(t, p, bert, k)
	enrol(t, p, cleo, other)
	cases := forgeries()
	cases["an answer to a set-up"] = func(c *ceremony) { c.kind = "webauthn.create" }
	cases["a signature of something else"] = func(c *ceremony) {
		c.signature = func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	}
	cases["no signature"] = func(c *ceremony) { c.signature = func([]byte) []byte { return nil } }
	cases["a key that is not on the list"] = func(c *ceremony) { c.id = []byte("another credential id of its own") }
	cases["an id of somebody else"] = func(c *ceremony) { c.id = other.id }
	cases["a user handle of somebody else"] = func(c *ceremony) { c.user = other.user }
	cases["eligible all of a sudden"] = func(c *ceremony) { c.flags |= eligible }
	cases["the counter as before"] = func(c *ceremony) { c.count = 1 }
	cases["the counter at zero"] = func(c *ceremony) { c.count = 0 }
	page := open(t, p, bert)
	for name, forge := range cases {
		page = page.Submit(t, answer(k.get(t, page, forge)))
		want(t, page, question)
		if !strings.Contains(page.Alert(), "did not work") {
			t.Errorf("%s: alert = %q, want a refusal", name, page.Alert())
		}
	}
	page = page.Submit(t, answer(other.get(t, page)))
	want(t, page, question)
	page = page.Submit(t, answer(k.get(t, page)))
	p.RP.Exchange(t, page)
}

// TestForgedSetUps: nothing becomes live by them; the right answer to the same page then works.
func TestForgedSetUps(t *testing.T) {
	for name, forge := range forgeries() {
		refusedSetUp(t, name, forge)
	}
	refusedSetUp(t, "an answer to a sign-in", func(c *ceremony) { c.kind = "webauthn.get" })
	refusedSetUp(t, "no key", func(c *ceremony) { c.flags &^= attested })
	for name, alg := range map[string]int{"no algorithm": 0, "ES384": -35, "RS1": -65535, "HMAC": 5} {
		refusedSetUp(t, name, func(c *ceremony) { c.cose[3] = alg })
	}
	refusedSetUp(t, "another curve", func(c *ceremony) { c.cose[-1] = 2 })
	refusedSetUp(t, "a point off the curve", func(c *ceremony) { c.cose[-3] = make([]byte, 32) })
	refusedSetUp(t, "a symmetric key", func(c *ceremony) { c.cose[1] = 4 })
}

func refusedSetUp(t *testing.T, name string, forge change) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		p, k := world(t), newKey(t)
		page := open(t, p, bert)
		refused := page.Submit(t, answer(k.create(t, page, forge)))
		want(t, refused, setup)
		if !strings.Contains(refused.Alert(), "nothing is set up yet") {
			t.Errorf("alert = %q, want a refusal", refused.Alert())
		}
		done := refused.Submit(t, answer(k.create(t, refused)))
		want(t, done, "Set-up complete")
	})
}

// TestMalformedAnswers: what our page does not send is refused.
func TestMalformedAnswers(t *testing.T) {
	p, k := world(t), newKey(t)
	page := open(t, p, bert)
	good := k.create(t, page)
	for _, text := range malformed(good) {
		page = page.Submit(t, answer(text))
		want(t, page, setup)
	}
	enrol(t, p, bert, k)
	page = open(t, p, bert)
	for _, text := range append(malformed(k.get(t, page)), good) {
		page = page.Submit(t, answer(text))
		want(t, page, question)
	}
	p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))
}

func malformed(good string) []string {
	return []string{
		"", " ", "null", "{}", "[]", `"x"`, "{", good + good, good + "x", strings.Replace(good, "{", `{"x":1,`, 1),
		strings.Replace(good, "public-key", "password", 1), strings.Replace(good, `"id":"`, `"id":"AA`, 1),
		strings.Replace(good, `"clientDataJSON":"`, `"clientDataJSON":"!`, 1), strings.Repeat("[", 12<<10), strings.Repeat("x", 20<<10),
		strings.Replace(good, `"response":{`, `"response":{"signature":{"a":1},`, 1),
	}
}

// TestBeside: a second key is set up beside the first. The browser is told of the first, so that it makes no other one
// there; a browser that does not care is refused with words that say why, and both keys sign in afterwards.
func TestBeside(t *testing.T) {
	p, one, two := world(t), newKey(t), newKey(t)
	enrol(t, p, bert, one)
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	p.RP.Exchange(t, page.Submit(t, answer(one.get(t, page))))
	page = b.Get(t, "/account").Press(t, "#two-factor", "Add another authenticator", nil)
	want(t, page, setup)
	if o := asked(t, page); len(o.Exclude) != 1 || o.Exclude[0].ID != text(one.id) {
		t.Errorf("excludeCredentials = %+v, want the key that is there", o.Exclude)
	}
	page = page.Submit(t, answer(one.create(t, page)))
	want(t, page, setup)
	if got := page.Alert(); got != "You have set up this passkey or security key before. Press Continue and take another one." {
		t.Errorf("alert = %q", got)
	}
	page = page.Submit(t, answer(two.create(t, page)))
	if got := page.Find("#two-factor .items li").Length(); got != 2 || !strings.Contains(page.Note(), "added") {
		t.Fatalf("%q with %d keys and the note %q, want two", page.H1(), got, page.Note())
	}
	for name, k := range map[string]*key{"the first": one, "the second": two} {
		page = open(t, p, bert)
		if o := asked(t, page); len(o.Allow) != 2 {
			t.Errorf("allowCredentials = %+v, want both", o.Allow)
		}
		if got := amr(p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))); got != "pwd hwk mfa" {
			t.Errorf("%s: amr = %q", name, got)
		}
	}
}

// TestReplays: an answer counts once, in the flow and for the challenge that it is for.
func TestReplays(t *testing.T) {
	p, k := world(t), newKey(t)
	enrol(t, p, bert, k)
	page := open(t, p, bert)
	post := answer(k.get(t, page))
	other := open(t, p, bert)
	refused := other.Submit(t, post)
	want(t, refused, question)
	p.RP.Exchange(t, page.Submit(t, post))
	for _, again := range []*idptest.Page{other, refused} {
		want(t, again.Submit(t, post), question)
	}
	// Each page asks anew: what the page before asked for is over.
	one := open(t, p, bert)
	old := answer(k.get(t, one))
	two := one.Submit(t, answer("{}"))
	want(t, two, question)
	want(t, two.Submit(t, old), question)
}

// TestParallelAnswers: of 64 posts of one answer one is accepted.
func TestParallelAnswers(t *testing.T) {
	var log idptest.Log
	p := idptest.New(t, idptest.Setup{Factors: []string{"passkey"}, Log: &log})
	p.AddAccount(t, bert, "acme")
	k := newKey(t)
	enrol(t, p, bert, k)
	page := open(t, p, bert)
	post := answer(k.get(t, page))
	var group sync.WaitGroup
	var reached atomic.Int64
	for range 64 {
		group.Go(func() {
			if page.Submit(t, post).Status == 200 {
				reached.Add(1)
			}
		})
	}
	group.Wait()
	if n := strings.Count(log.String(), `"factor.accepted"`); n != 1 || reached.Load() == 0 {
		t.Errorf("%d of 64 accepted, %d answered, want one accepted", n, reached.Load())
	}
}

// TestCounters: a key that counts nothing stays good; one that counted and stops is taken for a copy.
func TestCounters(t *testing.T) {
	p, k := world(t), newKey(t)
	k.counts = 0
	enrol(t, p, bert, k)
	for range 2 {
		page := open(t, p, bert)
		p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))
	}
	k.count, k.counts = 5, 5
	page := open(t, p, bert)
	p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))
	for _, count := range []uint32{10, 9, 1, 0} {
		page = open(t, p, bert)
		want(t, page.Submit(t, answer(k.get(t, page, func(c *ceremony) { c.count = count }))), question)
	}
	page = open(t, p, bert)
	p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page, func(c *ceremony) { c.count = 11 }))))
}

// TestRememberedDevice: the tick works as with codes, and without it every sign-in asks.
func TestRememberedDevice(t *testing.T) {
	p, k := world(t), newKey(t)
	enrol(t, p, bert, k)
	b := p.Browser(t)
	page := b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	form := answer(k.get(t, page))
	form.Set("remember", "1")
	p.RP.Exchange(t, page.Submit(t, form))
	p.Advance(25 * 3600e9)
	page = b.Get(t, p.RP.AuthURL()).Login(t, bert, idptest.Password)
	if got := amr(p.RP.Exchange(t, page)); !strings.Contains(got, "pwd") {
		t.Errorf("amr through a remembered device = %q", got)
	}
	want(t, open(t, p, bert), question)
}

// TestChoice: with both factors people are asked which one to set up, the recommended one first; and each person is
// then asked for what they have.
func TestChoice(t *testing.T) {
	p := idptest.New(t, idptest.Setup{Factors: []string{"totp", "passkey"}})
	p.AddAccount(t, bert, "acme")
	p.AddEnrolled(t, cleo, "acme")
	page := open(t, p, bert)
	want(t, page, "Choose a second way to sign in")
	if got := strings.Join(strings.Fields(page.Find("fieldset label").Text()), " "); got != "Authenticator app (recommended) Passkey or security key" {
		t.Errorf("choice = %q", got)
	}
	k := newKey(t)
	page = page.Submit(t, url.Values{"method": {"passkey"}})
	want(t, page, setup)
	want(t, page.Submit(t, answer(k.create(t, page))), "Set-up complete")
	page = open(t, p, bert)
	want(t, page, question)
	p.RP.Exchange(t, page.Submit(t, answer(k.get(t, page))))
	page = open(t, p, cleo)
	want(t, page, "Enter your code")
	p.RP.Exchange(t, page.Code(t, p.Code(t, 0)))
}

// TestNoKey: somebody whose only authenticator is of a kind that is no longer offered is told so, and gets no further.
func TestNoKey(t *testing.T) {
	p := world(t)
	p.AddEnrolled(t, "dora@acme.example", "acme")
	page := open(t, p, "dora@acme.example")
	want(t, page, question)
	if !strings.Contains(page.Body, "There is no passkey or security key for this account.") || page.Find("form[data-passkey]").Length() != 0 {
		t.Error("the page asks for a key that cannot be there")
	}
}

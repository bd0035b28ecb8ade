// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// cookie is a device cookie, as a browser keeps it or a thief has copied it.
type cookie struct{ name, value string }

// rememberAt signs in at a node with the tick, and returns the browser and its device cookie.
func rememberAt(t *testing.T, p *idptest.IDP, n *idptest.Node) (*idptest.Browser, cookie) {
	t.Helper()
	p.NextStep()
	b := p.BrowserAt(t, n)
	p.RP.Exchange(t, b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password).Remember(t, p.Code(t, 0)))
	c := cookie{b.CookieName("lgd_"), b.Cookie("lgd_")}
	if c.value == "" {
		t.Fatal("the device is not remembered")
	}
	return b, c
}

// with signs in with the password and an old device cookie, from an address of its own.
func (c cookie) with(t *testing.T, p *idptest.IDP, n *idptest.Node, password string) *idptest.Page {
	t.Helper()
	b := p.BrowserAt(t, n)
	defer b.Client.CloseIdleConnections()
	b.SetCookie(c.name, c.value)
	return b.Get(t, p.RP.AuthURL()).Login(t, anna, password)
}

// asksAlways signs in n times with the cookie, eight at a time, over all nodes, and holds that every time the page is
// the one that is wanted.
func (c cookie) asksAlways(t *testing.T, p *idptest.IDP, nodes []*idptest.Node, n int, want string) {
	t.Helper()
	var done sync.WaitGroup
	for worker := range 8 {
		done.Go(func() {
			for i := worker; i < n; i += 8 {
				b := p.BrowserAt(t, nodes[i%3])
				b.Header.Set("X-Forwarded-For", fmt.Sprintf("198.51.100.%d", worker))
				b.SetCookie(c.name, c.value)
				page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
				b.Client.CloseIdleConnections()
				if page.Status != http.StatusOK || page.H1() != want || b.Cookie("lg_s") != "" {
					t.Errorf("sign-in %d: %d %q at %s, alert %q, want %q", i, page.Status, page.H1(), page.URL, page.Alert(), want)
				}
			}
		})
	}
	done.Wait()
}

// passesEverywhere holds that the device still stands for a code, on every node: else its refusal would prove nothing. It
// returns the cookie that is good now, since each use hands out a new one.
func (c cookie) passesEverywhere(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) cookie {
	t.Helper()
	for i, n := range nodes {
		b := p.BrowserAt(t, n)
		b.SetCookie(c.name, c.value)
		if page := b.Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password); !strings.HasPrefix(page.URL.String(), p.RP.URL) {
			t.Fatalf("node %d: the device is not remembered: %d %q", i, page.Status, page.H1())
		}
		c.value = b.Cookie("lgd_")
	}
	return c
}

// TestForgottenDeviceThreeNodes is RD-06: once *Forget this device* has answered, 500 sign-ins with its cookie over three
// nodes are all asked for a code, and the other device is not touched; likewise after *Forget all*.
func TestForgottenDeviceThreeNodes(t *testing.T) {
	p, nodes, _ := nodes3(t)
	_, lost := rememberAt(t, p, nodes[1])
	_, kept := rememberAt(t, p, nodes[2])
	lost = lost.passesEverywhere(t, p, nodes)
	own := p.BrowserAt(t, nodes[0])
	page := own.Own(t, anna)
	row := page.Find("#devices input[value^='" + lost.value[:21] + "']") // the id is the first half of the cookie
	if page.Find("#devices li").Length() != 2 || row.Length() != 1 {
		t.Fatalf("the device is not on the page: %q", page.Find("#devices").Text())
	}
	page = own.Post(t, "/account/devices/forget", url.Values{"id": {row.AttrOr("value", "")}})
	if page.Status != http.StatusOK || !strings.Contains(page.Note(), "forgotten") {
		t.Fatalf("forget: %d %q", page.Status, page.Note())
	}
	lost.asksAlways(t, p, nodes, 500, "Enter your code")
	kept = kept.passesEverywhere(t, p, nodes)
	if page = page.Press(t, "#devices", "Forget all", nil); !strings.Contains(page.Note(), "forgotten") {
		t.Fatalf("forget all: %d %q", page.Status, page.Note())
	}
	kept.asksAlways(t, p, nodes, 500, "Enter your code")
}

// TestRD05ThreeNodes is RD-05, and RD-06 by an admin: each of these ends every device at once, on all nodes.
func TestRD05ThreeNodes(t *testing.T) {
	const fresh = "vier-paarse-ramen-zingen"
	type world struct {
		p     *idptest.IDP
		nodes []*idptest.Node
		own   *idptest.Browser
	}
	// Each begins with a device that passes on every node, and returns its cookie once the act has answered.
	before := func(t *testing.T, w world) cookie {
		t.Helper()
		_, c := rememberAt(t, w.p, w.nodes[1])
		c = c.passesEverywhere(t, w.p, w.nodes)
		w.p.NextStep()
		return c
	}
	office := func(act authn.Change) func(*testing.T, world) cookie {
		return func(t *testing.T, w world) cookie {
			t.Helper()
			c := before(t, w)
			if _, err := w.nodes[2].Office.Apply(t.Context(), anna, act, fresh); err != nil {
				t.Fatal(err)
			}
			return c
		}
	}
	for name, act := range map[string]func(*testing.T, world) cookie{
		"password changed": func(t *testing.T, w world) cookie {
			t.Helper()
			c := before(t, w)
			done := w.own.Own(t, anna).Follow(t, "/account/password").Prove(t, anna).Submit(t, url.Values{"new_password": {fresh}})
			noted(t, done, "password is changed")
			return c
		},
		"authenticator added": func(t *testing.T, w world) cookie {
			t.Helper()
			c := before(t, w)
			addSecond(t, w.p, w.own)
			return c
		},
		"authenticator removed": func(t *testing.T, w world) cookie {
			t.Helper()
			_, page := addSecond(t, w.p, w.own)
			c := before(t, w)
			ask := page.Press(t, "#two-factor li:nth-child(2)", "Remove", nil).Prove(t, anna)
			noted(t, ask.Press(t, "main", "Remove", nil), "removed")
			return c
		},
		"authenticator replaced": func(t *testing.T, w world) cookie {
			t.Helper()
			c := before(t, w)
			setup := w.own.Own(t, anna).Press(t, "#two-factor", "Replace", nil).Prove(t, anna)
			secret := setup.Key(t)
			w.p.NextStep()
			done := setup.Code(t, idptest.CodeOf(t, secret, w.p.Now()))
			if done.H1() == "Set-up complete" {
				done = done.Submit(t, nil)
			}
			noted(t, done, "replaced")
			return c
		},
		"recovery code used": func(t *testing.T, w world) cookie {
			t.Helper()
			list := newCodes(t, w.own.Own(t, anna))
			c := before(t, w)
			if used := recoverAt(t, w.p, w.nodes[2], list[0]); used.H1() != "Recovery code used" {
				t.Fatalf("recovery: %d %q %q", used.Status, used.H1(), used.Alert())
			}
			return c
		},
		"factor reset": func(t *testing.T, w world) cookie {
			t.Helper()
			c := before(t, w)
			w.p.Ticket(t, anna)
			return c
		},
		"password set by an admin":   office(authn.SetPassword),
		"devices forgotten by admin": office(authn.Forget),
		"account disabled":           office(authn.Disable),
	} {
		t.Run(name, func(t *testing.T) {
			p, nodes, _ := nodes3(t)
			w := world{p, nodes, p.BrowserAt(t, nodes[0])}
			c := act(t, w)
			for _, password := range []string{idptest.Password, fresh} {
				for i, n := range nodes {
					page := c.with(t, p, n, password)
					if strings.HasPrefix(page.URL.String(), p.RP.URL) {
						t.Errorf("node %d: the device stands for a code", i)
					}
					if page.Status >= 500 {
						t.Errorf("node %d: %d %q", i, page.Status, page.H1())
					}
				}
				p.Advance(time.Hour)
			}
			if name == "account disabled" {
				if _, err := nodes[0].Office.Apply(t.Context(), anna, authn.Enable, ""); err != nil {
					t.Fatal(err)
				}
			}
			if name == "factor reset" {
				return // there is no code to be asked for
			}
			asks := false
			for _, password := range []string{idptest.Password, fresh} {
				asks = asks || c.with(t, p, nodes[1], password).H1() == "Enter your code"
			}
			if !asks {
				t.Errorf("no sign-in is asked for a code")
			}
		})
	}
}

func noted(t *testing.T, page *idptest.Page, part string) *idptest.Page {
	t.Helper()
	if page.Status != http.StatusOK || !strings.Contains(page.Note(), part) {
		t.Fatalf("%d %q at %s, note %q, alert %q, want %q", page.Status, page.H1(), page.URL, page.Note(), page.Alert(), part)
	}
	return page
}

// newCodes makes recovery codes on the account page.
func newCodes(t *testing.T, page *idptest.Page) []string {
	t.Helper()
	made := page.Press(t, "#recovery", "Make new codes", nil).Prove(t, anna).Press(t, "main", "Make new codes", nil)
	var list []string
	made.Find("#recovery-codes li").Each(func(_ int, li *idptest.Selection) { list = append(list, li.Text()) })
	if len(list) != 10 {
		t.Fatalf("%d recovery codes, want 10 (%d %q)", len(list), made.Status, made.H1())
	}
	return list
}

// recoverAt signs in at a node with a recovery code.
func recoverAt(t *testing.T, p *idptest.IDP, n *idptest.Node, code string) *idptest.Page {
	t.Helper()
	ask := asked(t, p, n)
	lost, ok := ask.Find("a[href$='/recovery']").Attr("href")
	if !ok {
		t.Fatalf("no way to a recovery code on %s", ask.URL)
	}
	return ask.Follow(t, lost).Submit(t, url.Values{"recovery_code": {code}})
}

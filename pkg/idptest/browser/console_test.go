// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// admin adds an admin of acme, or somebody of the IT team.
func (b *tab) admin(role authn.AdminRole) string {
	b.Helper()
	name := b.world.fresh()
	b.world.AddAdmin(b.T, name, "acme", role)
	return name
}

// administrates opens a page of the console by mouse.
func (b *tab) administrates(role authn.AdminRole, path string) {
	b.Helper()
	name := b.admin(role)
	b.get(b.world.Issuer + path)
	b.as(name, idptest.Password)
	b.world.NextStep()
	b.give("code", b.world.Code(b.T, 0))
}

// fills writes a value into a field, whatever it is.
func (b *tab) fills(id, value string) {
	b.Helper()
	b.do(b.click(selected("#" + id)))
	eval[chromedp.Void](b, selected("#"+id)+`.select?.()`)
	b.do(chromedp.KeyEvent(value))
}

// described fills in the form of a new client.
func (b *tab) described(name, callback string) {
	b.Helper()
	b.fills("name", name)
	b.fills("redirects", callback)
}

// consolePlaces are the pages of admins about clients.
func consolePlaces() []place {
	const edit = "/admin/clients/example-cases/edit"
	return []place{
		{"console-clients", 200, "Clients", "Clients", func(b *tab) {
			b.world.NewRP(b.T, "ends", func(c *client.Client) { c.Name, c.Disabled = "Turned Off", true })
			b.world.NewRP(b.T, "service", func(c *client.Client) {
				c.Name, c.GrantTypes, c.RedirectURIs, c.PostLogoutRedirectURIs = "Example Archive", []string{"client_credentials"}, nil, nil
				c.Scope = "archive.read"
			})
			b.administrates(authn.AdminCompany, "/admin/clients")
		}},
		{"console-clients-it", 200, "Clients", "Clients", func(b *tab) { b.administrates(authn.AdminIT, "/admin/clients?q=a") }},
		{"console-client", 200, "Example Cases", "Example Cases", func(b *tab) {
			b.administrates(authn.AdminCompany, "/admin/clients/example-cases")
		}},
		{"console-client-made", 200, "Tide", "Tide", func(b *tab) {
			b.administrates(authn.AdminCompany, "/admin/clients/new")
			b.described("Tide", "https://tide.example/callback")
			b.submit(primary)
		}},
		{"console-client-new", 200, "Add a client", "Client toevoegen", func(b *tab) { b.administrates(authn.AdminIT, "/admin/clients/new") }},
		{"console-client-error", 200, "Add a client", "Client toevoegen", func(b *tab) {
			b.administrates(authn.AdminIT, "/admin/clients/new")
			b.described("Tide", "http://tide.example/callback")
			b.submit(primary)
		}},
		{"console-client-edit", 200, "Change Example Cases", "Example Cases wijzigen", func(b *tab) { b.administrates(authn.AdminCompany, edit) }},
		{"console-client-remove", 200, "Remove Example Cases?", "Example Cases verwijderen?", func(b *tab) {
			b.administrates(authn.AdminCompany, "/admin/clients/example-cases/remove")
		}},
		{"console-try", 200, "What Example Cases receives", "Wat Example Cases ontvangt", func(b *tab) {
			b.administrates(authn.AdminCompany, "/admin/clients/example-cases")
			b.submit("#try form button")
		}},
	}
}

// TestPagesOfTheConsole holds the console to the contract of all pages.
func TestPagesOfTheConsole(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	english(t, w, consolePlaces())
	dutch(t, w, subjects(consolePlaces()))
	english(t, w, peoplePlaces())
	dutch(t, w, subjects(peoplePlaces()))
	english(t, w, companyPlaces())
	dutch(t, w, subjects(companyPlaces()))
}

// TestPagesOfThePolicy does the same for policy, journal, keys and overview.
func TestPagesOfThePolicy(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	english(t, w, policyPlaces())
	dutch(t, w, subjects(policyPlaces()))
}

// subjects are the first pages of the console's subjects: in Dutch these stand for the others, whose parts they share.
func subjects(list []place) []place {
	return slices.DeleteFunc(list, func(p place) bool { return strings.Count(p.name, "-") != 1 })
}

// walksIn signs in to the console by keyboard, on the way to a page.
func (b *tab) walksIn(path string) {
	b.Helper()
	name := b.admin(authn.AdminCompany)
	b.get(b.world.Issuer + path)
	b.signsIn(name).proves()
}

// replaces writes over what stands in the field that the focus is led to.
func (b *tab) replaces(id, text string) {
	b.Helper()
	b.reach("#" + id)
	eval[chromedp.Void](b, `document.activeElement.select()`)
	b.keys(text)
}

// TestC4ByKeyboard: a client is registered by keys alone; wrong input is refused with the field and the reason, and
// nothing that was typed is lost.
func TestC4ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b, name := w.open(t, l), "Tide "+strings.ReplaceAll(way, " ", "")
			b.walksIn("/admin/clients")
			b.want(200, "Clients")
			b.clean()
			b.follow(".panel-head a.button")
			b.want(200, b.in("Add a client", "Client toevoegen"))
			b.clean()
			b.replaces("name", name)
			b.reach("#kind-web")
			b.replaces("redirects", "http://tide.example/callback")
			b.follow(primary)
			b.refusedAt(b.in("Line 1 is http, which anybody on the way can read.", "Regel 1 is http, en dat kan iedereen onderweg lezen."))
			b.has("#redirects-error", b.in("Use https.", "Gebruik https."))
			if got := eval[string](b, selected("#name")+`.value`); got != name {
				t.Errorf("name = %q, want what was typed", got)
			}
			b.clean()
			b.replaces("redirects", "https://tide.example/callback")
			b.follow(primary)
			b.want(200, name)
			b.has("[role=status]", b.in("This is the only time that we show it.", "Wij tonen het alleen nu."))
			b.scriptless()
			b.clean()
		})
	}
}

// TestC5ByKeyboard: what to paste is found and copied, and a sign-in is tried.
func TestC5ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			b := w.open(t, l)
			b.walksIn("/admin/clients/example-cases")
			b.want(200, "Example Cases")
			b.has("#issuer", w.Issuer)
			b.reach("#paste details:nth-of-type(2) summary")
			b.keys(kb.Enter)
			b.eventually(`document.querySelector('#snippet-mod-auth-openidc').checkVisibility()`)
			b.has("#snippet-mod-auth-openidc", "OIDCClientID example-cases")
			b.follow("#try form button")
			b.want(200, b.in("What Example Cases receives", "Wat Example Cases ontvangt"))
			b.has("#try-claims", `"aud": "example-cases"`)
			b.has("#try-userinfo", "@acme.example")
			b.clean()
			b.follow("main .titles a")
			b.want(200, "Example Cases")
		})
	}
}

// TestC6ByKeyboard: a secret is made beside the old one, which is kept, then ended.
func TestC6ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			w.NewRP(t, "turn", func(c *client.Client) { c.Name = "Turning" })
			b := w.open(t, l)
			b.walksIn("/admin/clients/turn")
			b.follow("#secrets form[action$='/secrets'] button")
			b.want(200, "Turning")
			b.has("[role=status]", "lgcs_")
			if got := b.count("#secrets .items li"); got != 2 {
				t.Fatalf("%d secrets, want 2", got)
			}
			b.follow("#secrets form[action$='/keep'] button")
			b.has("[role=status]", b.in("The secret stays valid until another one is made.", "Het geheim blijft geldig tot er een ander wordt gemaakt."))
			b.follow("#secrets li:last-child form[action$='/end'] button")
			b.has("[role=status]", b.in("The secret has ended.", "Het geheim is beëindigd."))
			if got := b.count("#secrets .items li"); got != 1 {
				t.Errorf("%d secrets, want 1", got)
			}
			b.scriptless()
		})
	}
}

// TestC7ByKeyboard: policy, description and a lifetime are changed, the client is turned off and on, and removed.
func TestC7ByKeyboard(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	for way, l := range ways() {
		t.Run(way, func(t *testing.T) {
			w.NewRP(t, "gone", func(c *client.Client) { c.Name, c.SecondFactor = "Going", flow.FactorOptional })
			b := w.open(t, l)
			b.walksIn("/admin/clients/gone")
			b.reach("#p1")
			b.keys(kb.ArrowDown)
			b.keys(kb.ArrowDown)
			b.follow("#policy button.primary")
			b.has("[role=status]", b.in("The changes are saved.", "De wijzigingen zijn opgeslagen."))
			if !eval[bool](b, selected("#p3")+`.checked`) {
				t.Error("the policy is not kept")
			}
			b.follow("#look a.button")
			b.replaces("name", "Gone Soon")
			b.reach("details:has(#accesslife) > summary")
			b.keys(kb.Enter)
			b.replaces("accesslife", "600")
			b.follow(primary)
			b.want(200, "Gone Soon")
			b.has("#tokens", b.in("10 minutes", "10 minuten"))
			b.follow("#end form button")
			b.want(200, "Gone Soon "+b.in("Turned off", "Uitgezet"))
			b.clean()
			b.follow("#end form button")
			b.want(200, "Gone Soon")
			b.follow("#end a.danger")
			b.clean()
			b.follow("main form button")
			b.has("[role=status]", b.in("The client is removed.", "De client is verwijderd."))
		})
	}
}

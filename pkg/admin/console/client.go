// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// serveClient is a client's page, C5 to C7. A secret is never on it.
func serveClient(v *visit) error {
	c, err := v.clerk.Client(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.client(c, "", v.done("saved", "off", "on", "ended", "kept", "stale"))
}

// client shows the page of c; secret is one that was made just now.
func (v *visit) client(c *client.Client, secret, done string) error {
	uses, err := v.clerk.SecretUses(v.r.Context(), c.ID)
	if err != nil {
		return err
	}
	random := make([]byte, 32)
	if _, err := io.ReadFull(v.cfg.Rand, random); err != nil {
		return fmt.Errorf("random bytes: %w", err)
	}
	page := templates.ConsoleClient{
		Console: v.frame("clients"), ID: c.ID, Name: c.Name, Kind: kindOf(c), Tag: admin.Tag(c), Other: c.Company == "",
		Disabled: c.Disabled, Owner: c.Company, Used: utc(uses.SignIn), Issuer: v.cfg.Issuer, HasSecret: c.KeepsSecret(),
		Secret: secret, Factor: string(c.SecondFactor), Consent: c.Consents(), Self: c.Dynamic != nil, IT: v.it, Redirects: c.RedirectURIs,
		PostLogout: c.PostLogoutRedirectURIs, Backchannel: c.BackchannelURI, Frontchannel: c.FrontchannelURI,
		Auth: c.AuthMethod, Format: c.AccessTokenFormat, Algorithm: c.Alg(), Done: done,
		Trial: !c.Disabled && c.HasResponseType(client.TypeCode) && len(c.RedirectURIs) > 0,
	}
	life := c.Lifetimes(v.clerk.Lifetimes())
	page.AccessLife, page.IDLife, page.RefreshIdle, page.RefreshLife = span(life.Access), span(life.IDToken), span(life.RefreshIdle), span(life.RefreshEnd)
	if c.JWTAccess() {
		page.AccessLife = span(life.AccessJWT)
	}
	page.Refreshes = c.HasGrant(client.GrantRefresh)
	page.Newest = newest(c)
	if page.Gets, err = v.grants(c, page.Lang); err != nil {
		return err
	}
	page.LogoURL = v.cfg.Site.Logo(v.r.Context(), c)
	if len(c.RedirectURIs) > 0 {
		page.Callback = c.RedirectURIs[0]
	}
	b, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encode client: %w", err)
	}
	page.JSON = string(b)
	page.Secrets, page.Old = secrets(c, uses, v.cfg.Now())
	for _, s := range Snippets(c, v.cfg.Issuer, secret, base64.RawURLEncoding.EncodeToString(random)) {
		page.Snippets = append(page.Snippets, templates.ConsoleSnippet(s))
	}
	for _, w := range warnings(c, v.cfg.Now()) {
		page.Warnings = append(page.Warnings, templates.ConsoleWarning(w))
	}
	return v.page(page)
}

// span is a length of time in the largest unit that it is a whole number of.
func span(d time.Duration) templates.ConsoleSpan {
	for _, u := range []struct {
		unit string
		one  time.Duration
	}{{"days", 24 * time.Hour}, {"hours", time.Hour}, {"minutes", time.Minute}} {
		if d > 0 && d%u.one == 0 {
			return templates.ConsoleSpan{Unit: u.unit, N: int(d / u.one)}
		}
	}
	return templates.ConsoleSpan{Unit: "seconds", N: int(d / time.Second)}
}

// grants are what a client may get, in the words of the consent page.
func (v *visit) grants(c *client.Client, lang string) ([]templates.ConsoleGrant, error) {
	declared, err := v.clerk.ScopesNamed(v.r.Context(), c.Scopes())
	if err != nil {
		return nil, err
	}
	var out []templates.ConsoleGrant
	for _, name := range c.Scopes() {
		s, there := declared[name]
		g := templates.ConsoleGrant{ScopeWords: templates.ScopeWords{Name: name, Words: s.Words(lang)}, Claims: claimLines(s.Scope)}
		switch {
		case there:
			g.Opens = "claims"
		case personal(name):
			g.Opens = "standard"
		case slices.Contains(admin.Scopes(), name):
			g.Opens = "api"
		default:
			g.Opens = "nothing"
		}
		out = append(out, g)
	}
	return out, nil
}

// change changes the description of the client that the request is about, and leads back to its page.
func (v *visit) change(tag, done string, change func(*client.Client)) error {
	id := v.r.PathValue("id")
	c, err := v.clerk.Client(v.r.Context(), id)
	if err != nil {
		return err
	}
	changed := *c
	change(&changed)
	if tag == "" {
		tag = admin.Tag(c)
	}
	_, err = v.clerk.ChangeClient(v.r.Context(), id, tag, client.Registration{Client: &changed})
	if len(fieldErrors(err)) > 0 {
		// A rule is not kept: the whole form says which.
		return v.see(clientPage(id) + "/edit")
	}
	if err != nil {
		return v.settle(id, err)
	}
	return v.see(clientPage(id) + "?done=" + done)
}

// settle shows a client anew after an act that came too late; anything else is the caller's.
func (v *visit) settle(id string, err error) error {
	if errors.Is(err, admin.ErrStale) || errors.Is(err, authn.ErrConflict) {
		return v.see(clientPage(id) + "?done=stale")
	}
	return err
}

// submitClientPolicy changes what the client asks of a sign-in, C7.
func submitClientPolicy(v *visit) error {
	mode, consent := flow.FactorMode(v.form.Get("factor")), v.form.Get("consent")
	return v.change(v.form.Get("tag"), "saved", func(c *client.Client) {
		if slices.Contains([]string{client.ConsentAsk, client.ConsentRemember, client.ConsentNever}, consent) && consent != c.Consents() {
			c.Consent = consent
		}
		switch {
		case mode == flow.FactorRequired, mode == flow.FactorAlways:
			c.SecondFactor = mode
		case c.SecondFactor.Wanted():
			c.SecondFactor = ""
		}
	})
}

// submitDisableClient turns a client off: it is refused everywhere within a second.
func submitDisableClient(v *visit) error {
	return v.change("", "off", func(c *client.Client) { c.Disabled = true })
}

func submitEnableClient(v *visit) error {
	return v.change("", "on", func(c *client.Client) { c.Disabled = false })
}

// serveRemoveClient says what will end.
func serveRemoveClient(v *visit) error {
	c, err := v.clerk.Client(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.page(templates.ConsoleConfirm{
		Console: v.frame("clients"), Action: clientPage(c.ID) + "/remove", Back: clientPage(c.ID), ID: c.ID, Name: c.Name, Tag: admin.Tag(c),
	})
}

func submitRemoveClient(v *visit) error {
	id := v.r.PathValue("id")
	c, err := v.clerk.Client(v.r.Context(), id)
	if err != nil {
		return err
	}
	tag := v.form.Get("tag")
	if tag != admin.Tag(c) {
		// What is removed is what was looked at.
		return v.settle(id, admin.ErrStale)
	}
	if err := v.clerk.RemoveClient(v.r.Context(), id, tag); err != nil {
		return v.settle(id, err)
	}
	return v.see(clients + "?done=removed")
}

// warning is a weak setting. Kind is one of those that the page has words for, Entry what it is about.
type warning struct{ Kind, Entry string }

// oldSecret is the age at which a secret is worth changing.
const oldSecret = 365 * 24 * time.Hour

// warnings are the weak settings of a client; the page says what to do about each.
func warnings(c *client.Client, now time.Time) []warning {
	var out []warning
	add := func(is bool, kind, entry string) {
		if is {
			out = append(out, warning{kind, entry})
		}
	}
	inForce := slices.DeleteFunc(slices.Clone(c.Secrets), func(s client.Secret) bool { return s.Ended(now) })
	add(c.KeepsSecret() && len(inForce) == 0, "ended", "")
	add(c.Redirects() && !c.NeedsPKCE(), "pkce", "")
	add(c.HasGrant(client.GrantImplicit), "implicit", "")
	for _, uri := range c.RedirectURIs {
		// An app on a computer of its own has no other way (RFC 8252 §7.3).
		if c.ApplicationType != client.TypeNative && len(uri) > 5 && uri[:5] == "http:" {
			add(true, "loopback", uri)
			break
		}
	}
	add(c.AuthMethod == client.AuthSecretJWT, "jwt", "")
	add(slices.Contains(c.Introspect, "*"), "introspect", "")
	add(c.Redirects() && c.ApplicationType != client.TypeNative && c.BackchannelURI == "" && c.FrontchannelURI == "", "logout", "")
	add(slices.ContainsFunc(inForce, func(s client.Secret) bool { return s.Made != 0 && now.Sub(unix(s.Made)) > oldSecret }), "old", "")
	add(c.Dynamic != nil, "self", "")
	return out
}

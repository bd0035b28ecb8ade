// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/templates"
)

// severalLines are the fields with one entry a line.
func severalLines() []string {
	return []string{"redirects", "postlogout", "contacts", "companies", "roles", "audience", "introspect"}
}

// serveNewClient asks for the description of a new client, C4.
func serveNewClient(v *visit) error {
	if kept := v.draft(); kept != nil {
		return v.clientForm(nil, input(kept), "proof", nil)
	}
	return v.clientForm(nil, templates.ConsoleClientInput{
		Kind: kindWeb, Owner: v.of, Scope: "openid profile email", Auth: client.AuthBasic, PKCE: client.PKCERequired,
		Format: client.FormatOpaque, IDTokenAlg: "RS256", Subject: client.SubjectPublic,
	}, "", nil)
}

func submitNewClient(v *visit) error {
	in := input(v.form)
	c, problems := v.described(in, client.Client{})
	made := admin.Registered{}
	err := problems
	if err == nil {
		made, err = v.clerk.CreateClient(v.r.Context(), client.Registration{Client: c})
	}
	if err == nil {
		return v.client(made.Client, made.Secret, "added")
	}
	wrong, err := fields(err)
	if err != nil {
		return err
	}
	return v.clientForm(nil, in, "", wrong)
}

// serveEditClient shows the whole description to be changed, C7.
func serveEditClient(v *visit) error {
	c, err := v.clerk.Client(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	if kept := v.draft(); kept != nil {
		return v.clientForm(c, input(kept), "proof", nil)
	}
	return v.clientForm(c, written(c), "", nil)
}

func submitEditClient(v *visit) error {
	id := v.r.PathValue("id")
	before, err := v.clerk.Client(v.r.Context(), id)
	if err != nil {
		return err
	}
	in := input(v.form)
	c, problems := v.described(in, *before)
	if err = problems; err == nil {
		_, err = v.clerk.ChangeClient(v.r.Context(), id, in.Tag, client.Registration{Client: c})
	}
	switch {
	case err == nil:
		return v.see(clientPage(id) + "?done=saved")
	case errors.Is(err, admin.ErrStale):
		// Whoever has looked at it may put this in its place.
		in.Tag = admin.Tag(before)
		return v.clientForm(before, in, "stale", nil)
	}
	wrong, err := fields(err)
	if err != nil {
		return err
	}
	return v.clientForm(before, in, "", wrong)
}

// clientForm shows the form; c is the client that is changed, or nil.
func (v *visit) clientForm(c *client.Client, in templates.ConsoleClientInput, problem string, wrong []templates.ConsoleProblem) error {
	page := templates.ConsoleClientForm{
		Console: v.frame("clients"), Action: clients + "/new", Cancel: clients, IT: v.it, In: in, Problem: problem, Problems: wrong,
		Methods: client.AuthMethods(), Algorithms: keys.Algs(), Most: most(v.clerk.Lifetimes()),
	}
	if c != nil {
		page.ID, page.Name, page.Action, page.Cancel = c.ID, c.Name, clientPage(c.ID)+"/edit", clientPage(c.ID)
		if page.In.Tag == "" {
			page.In.Tag = admin.Tag(c)
		}
	}
	if v.r.URL.Query().Has(draftField) {
		page.SwitchURL = ""
	}
	if v.it {
		var err error
		if page.Companies, err = v.companies(); err != nil {
			return err
		}
	}
	return v.page(page)
}

// most are the lifetimes that a client can have at most.
func most(l client.Lifetimes) templates.ConsoleLives {
	in := func(d time.Duration) string { return strconv.FormatInt(int64(d/time.Second), 10) }
	return templates.ConsoleLives{Access: in(l.Access), JWT: in(l.AccessJWT), IDToken: in(l.IDToken), RefreshIdle: in(l.RefreshIdle), Refresh: in(l.RefreshEnd)}
}

// input is what was typed.
func input(f url.Values) templates.ConsoleClientInput {
	one := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	return templates.ConsoleClientInput{
		Tag: one("tag"), Name: one("name"), Kind: one("kind"), ID: one("id"), Owner: one("owner"),
		Redirects: f.Get("redirects"), PostLogout: f.Get("postlogout"), Contacts: f.Get("contacts"),
		URI: one("uri"), LogoURI: one("logo_uri"), PolicyURI: one("policy_uri"), TosURI: one("tos_uri"), LoginURI: one("login_uri"),
		Scope: one("scope"), Auth: one("auth"), KeysURI: one("jwks_uri"), PKCE: one("pkce"), Format: one("format"),
		Audience: f.Get("audience"), Introspect: f.Get("introspect"), IDTokenAlg: one("idalg"), Userinfo: one("useralg"),
		Subject: one("subject"), Backchannel: one("backchannel"), Frontchannel: one("frontchannel"),
		Factor: one("factor"), Companies: f.Get("companies"), Roles: f.Get("roles"), MaxAge: one("maxage"),
		AccessLife: one("accesslife"), IDLife: one("idlife"), RefreshIdle: one("refreshidle"), RefreshLife: one("refreshlife"),
		Refresh: f.Has("refresh"), BackSession: f.Has("backsession"), FrontSession: f.Has("frontsession"),
	}
}

// written is a client as the form shows it.
func written(c *client.Client) templates.ConsoleClientInput {
	text := func(list []string) string { return strings.Join(list, "\n") }
	in := templates.ConsoleClientInput{
		Tag: admin.Tag(c), Name: c.Name, Kind: kindOf(c), ID: c.ID, Owner: c.Company,
		Redirects: text(c.RedirectURIs), PostLogout: text(c.PostLogoutRedirectURIs), Contacts: text(c.Contacts),
		URI: c.URI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TosURI: c.TosURI, LoginURI: c.InitiateLoginURI,
		Scope: c.Scope, Auth: c.AuthMethod, KeysURI: c.KeysURI, PKCE: c.PKCE, Format: c.AccessTokenFormat,
		Audience: text(c.Audience), Introspect: text(c.Introspect), IDTokenAlg: c.Alg(), Userinfo: c.UserinfoAlg,
		Subject: c.SubjectType, Backchannel: c.BackchannelURI, Frontchannel: c.FrontchannelURI,
		Factor: string(c.SecondFactor), Companies: text(c.Companies), Roles: text(c.Roles),
		Refresh: c.HasGrant(client.GrantRefresh), BackSession: c.BackchannelSession, FrontSession: c.FrontchannelSession,
	}
	if c.DefaultMaxAge != nil {
		in.MaxAge = strconv.FormatInt(*c.DefaultMaxAge, 10)
	}
	in.AccessLife, in.IDLife = seconds(c.AccessTokenLife), seconds(c.IDTokenLife)
	in.RefreshIdle, in.RefreshLife = seconds(c.RefreshTokenIdle), seconds(c.RefreshTokenLife)
	return in
}

// described is the description that the form makes of the client before: what the form has no field for stays.
func (v *visit) described(in templates.ConsoleClientInput, before client.Client) (*client.Client, error) {
	c := before
	c.Name, c.URI, c.LogoURI, c.PolicyURI, c.TosURI, c.InitiateLoginURI = in.Name, in.URI, in.LogoURI, in.PolicyURI, in.TosURI, in.LoginURI
	c.RedirectURIs, c.PostLogoutRedirectURIs, c.Contacts = entries(in.Redirects), entries(in.PostLogout), entries(in.Contacts)
	c.Scope = strings.Join(strings.Fields(in.Scope), " ")
	c.KeysURI, c.PKCE, c.AccessTokenFormat = in.KeysURI, in.PKCE, in.Format
	c.IDTokenAlg, c.UserinfoAlg, c.SubjectType = in.IDTokenAlg, in.Userinfo, in.Subject
	c.BackchannelURI, c.FrontchannelURI = in.Backchannel, in.Frontchannel
	c.BackchannelSession, c.FrontchannelSession = in.BackSession && in.Backchannel != "", in.FrontSession && in.Frontchannel != ""
	c.SecondFactor, c.Roles, c.Introspect = flow.FactorMode(in.Factor), entries(in.Roles), entries(in.Introspect)
	if v.it {
		c.Company, c.Companies, c.Audience = in.Owner, entries(in.Companies), entries(in.Audience)
		if before.ID == "" {
			c.ID = in.ID
		}
	}
	ofKind(&c, in, before)
	var problems []error
	if c.Name == "" {
		problems = append(problems, &client.FieldError{Field: "client_name", Problem: "is empty"})
	}
	c.DefaultMaxAge = nil
	if in.MaxAge != "" {
		n, err := strconv.ParseInt(in.MaxAge, 10, 64)
		if err != nil {
			problems = append(problems, &client.FieldError{Field: "default_max_age", Problem: "must be a number"})
		}
		c.DefaultMaxAge = &n
	}
	problems = append(problems, lives(&c, in)...)
	if len(problems) > 0 {
		// Everything that is wrong is said at once.
		problems = append(problems, v.validated(c))
	}
	return &c, errors.Join(problems...)
}

// seconds is a number of seconds as it is typed; none is empty.
func seconds(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// lives sets the lifetimes as they were typed.
func lives(c *client.Client, in templates.ConsoleClientInput) []error {
	var problems []error
	for _, l := range []struct {
		field, typed string
		life         *int64
	}{
		{"lychgate_access_token_lifetime", in.AccessLife, &c.AccessTokenLife},
		{"lychgate_id_token_lifetime", in.IDLife, &c.IDTokenLife},
		{"lychgate_refresh_token_idle", in.RefreshIdle, &c.RefreshTokenIdle},
		{"lychgate_refresh_token_lifetime", in.RefreshLife, &c.RefreshTokenLife},
	} {
		*l.life = 0
		if l.typed == "" {
			continue
		}
		n, err := strconv.ParseInt(l.typed, 10, 64)
		if err != nil || n <= 0 {
			problems = append(problems, &client.FieldError{Field: l.field, Problem: "must be a number: the provider's own is the most"})
			continue
		}
		*l.life = n
	}
	return problems
}

// validated holds a client against the rules for all; the clerk knows the others.
func (v *visit) validated(c client.Client) error {
	c.ID = cmp.Or(c.ID, "new")
	client.Defaults(&c)
	return errors.Join(client.Validate(&c), client.ValidateLifetimes(&c, v.clerk.Lifetimes()))
}

// ofKind sets what follows from the kind: how the client proves itself and gets its tokens.
func ofKind(c *client.Client, in templates.ConsoleClientInput, before client.Client) {
	same := before.ID != "" && kindOf(&before) == in.Kind
	c.AuthMethod = in.Auth
	switch in.Kind {
	case kindSPA:
		c.ApplicationType, c.AuthMethod, c.PKCE = client.TypeWeb, client.AuthNone, client.PKCERequired
	case kindNative:
		c.ApplicationType = client.TypeNative
		if !same {
			c.AuthMethod, c.PKCE = client.AuthNone, client.PKCERequired
		}
	case kindService:
		c.ApplicationType, c.RedirectURIs, c.PostLogoutRedirectURIs = client.TypeWeb, nil, nil
		c.GrantTypes, c.ResponseTypes = []string{client.GrantCredentials}, nil
		c.Scope = strings.Join(slices.DeleteFunc(strings.Fields(c.Scope), personal), " ")
		return
	default:
		c.ApplicationType = client.TypeWeb
	}
	if !same {
		c.GrantTypes, c.ResponseTypes = []string{client.GrantCode}, []string{client.TypeCode}
	}
	c.GrantTypes = slices.DeleteFunc(slices.Clone(c.GrantTypes), func(g string) bool { return g == client.GrantRefresh })
	if in.Refresh {
		c.GrantTypes = append(c.GrantTypes, client.GrantRefresh)
		if !slices.Contains(c.Scopes(), "offline_access") {
			c.Scope = strings.TrimSpace(c.Scope + " offline_access")
		}
	} else {
		c.Scope = strings.Join(slices.DeleteFunc(c.Scopes(), func(s string) bool { return s == "offline_access" }), " ")
	}
}

// personal says whether a scope is about a person, so that a service has no use for it.
func personal(scope string) bool {
	return slices.Contains([]string{"openid", "profile", "email", "address", "phone", "offline_access"}, scope)
}

// entries are the lines that hold something.
func entries(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

// fields are the problems that an error names, at the fields of the form; an error that names none is the caller's.
func fields(err error) ([]templates.ConsoleProblem, error) {
	if errors.Is(err, authn.ErrExists) {
		return []templates.ConsoleProblem{{Field: "id", Kind: "taken"}}, nil
	}
	var out []templates.ConsoleProblem
	for _, f := range fieldErrors(err) {
		if p := problemOf(f); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, err
	}
	return out, nil
}

// fieldErrors collects the problems of a joined and wrapped error.
func fieldErrors(err error) []*client.FieldError {
	if f, ok := err.(*client.FieldError); ok { //nolint:errorlint // the tree is walked by hand
		return []*client.FieldError{f}
	}
	var out []*client.FieldError
	switch u := err.(type) { //nolint:errorlint // likewise
	case interface{ Unwrap() []error }:
		for _, e := range u.Unwrap() {
			out = append(out, fieldErrors(e)...)
		}
	case interface{ Unwrap() error }:
		out = fieldErrors(u.Unwrap())
	}
	return out
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// policyCSP is the content security policy of every page; form-action gets the client's origin added, because
// Chromium applies it to the redirect that follows a form.
const policyCSP = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// headers sets what every HTML answer carries. redirects are addresses of the client that a form here may lead to.
func headers(h http.Header, redirects []string) {
	csp := []string{policyCSP}
	for _, uri := range redirects {
		if o := origin(uri); o != "" && !slices.Contains(csp, o) {
			csp = append(csp, o)
		}
	}
	h.Set("Content-Security-Policy", strings.Join(csp, " "))
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// ways are the addresses that a form of flow f may end at. Chromium applies form-action to every redirect that follows
// a form, so an app whose callback leads on to another of its origins would be cut off: all that its registration
// names is allowed, and nothing else.
func (s *Site) ways(r *http.Request, f *flow.Flow) []string {
	list := []string{f.Request.RedirectURI}
	c, err := s.clientOf(r.Context(), &f.Request, "")
	if err != nil {
		return list
	}
	list = append(append(list, c.URI), c.RedirectURIs...)
	return append(list, c.PostLogoutRedirectURIs...)
}

// origin returns scheme and host of an address, or the scheme alone for an app's own scheme.
func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return ""
	}
	if u.Host == "" {
		return u.Scheme + ":"
	}
	return u.Scheme + "://" + u.Host
}

// page renders p whole, then writes it: a template that fails half way reaches nobody.
func (s *Site) page(w http.ResponseWriter, r *http.Request, status int, p templates.Page, redirects ...string) {
	s.show(w, r, status, p, func(h http.Header) { headers(h, redirects) })
}

// show is page with headers of its own; set is called when the page is whole.
func (s *Site) show(w http.ResponseWriter, r *http.Request, status int, p templates.Page, set func(http.Header)) {
	body, err := s.cfg.Templates.Render(p)
	if err != nil {
		s.cfg.Log.LogAttrs(r.Context(), slog.LevelError, "page not rendered", slog.String("page", p.Template()), slog.String("error", err.Error()))
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = w.Write([]byte("This page cannot be shown. Go back and try again.\n"))
		return
	}
	set(w.Header())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

// frame returns what stands around a page of flow f (or of request q, before there is a flow).
func (s *Site) frame(w http.ResponseWriter, r *http.Request, q *flow.Request, f *flow.Flow) templates.Frame {
	fr := templates.Frame{Lang: s.language(w, r, q)}
	help := s.help.Load()
	fr.HelpEmail, fr.HelpPhone = help.email, help.phone
	other := "nl"
	if fr.Lang == "nl" {
		other = "en"
	}
	query := url.Values{"ui_locales": {other}}
	if kind := r.URL.Query().Get(methodField); kind != "" && len(kind) < 32 {
		query.Set(methodField, kind)
	}
	fr.SwitchURL = r.URL.Path + "?" + query.Encode()
	companyID := ""
	if c, err := s.clientOf(r.Context(), q, ""); err == nil {
		fr.Client, companyID = c.Name, c.Company
		fr.LogoURL = s.logoURL(r.Context(), c)
	}
	if f != nil && f.Account != nil {
		companyID = f.Account.Company
	}
	if companyID != "" {
		if co, err := s.cfg.Companies.Company(r.Context(), companyID); err == nil {
			fr.Company = co.Name
			if co.HelpEmail != "" || co.HelpPhone != "" {
				fr.HelpEmail, fr.HelpPhone = co.HelpEmail, co.HelpPhone
			}
		}
	}
	return fr
}

// clientOf returns the client of a request, or the one of the given id.
func (s *Site) clientOf(ctx context.Context, q *flow.Request, id string) (*client.Client, error) {
	if q != nil {
		id = q.ClientID
	}
	return s.cfg.Clients.Client(ctx, id)
}

// language picks the page's language: what the person chose here before anything else, then what the app asked
// for, then what the browser says. A choice in the address is kept in a cookie.
func (s *Site) language(w http.ResponseWriter, r *http.Request, q *flow.Request) string {
	var prefs []string
	if r.Method == http.MethodGet {
		if chosen := r.URL.Query().Get("ui_locales"); chosen != "" && len(chosen) < 100 {
			lang := s.cfg.Templates.MatchLanguage(strings.Fields(chosen)...)
			if strings.HasPrefix(r.URL.Path, "/flow/") || strings.HasPrefix(r.URL.Path, linkPath) || strings.HasPrefix(r.URL.Path, ownPage) || strings.HasPrefix(r.URL.Path, consolePage) {
				s.jar.set(w, langCookie, lang, s.cfg.Now().Add(365*day))
			}
			return lang
		}
	}
	if c := s.jar.get(r, langCookie); c == "en" || c == "nl" {
		return c
	}
	if q != nil {
		prefs = append(prefs, q.UILocales...)
	}
	if a := r.Header.Get("Accept-Language"); len(a) < 1000 {
		prefs = append(prefs, a)
	}
	return s.cfg.Templates.MatchLanguage(prefs...)
}

// FormPost writes the page that posts an authorization response to the client (Form Post Response Mode 1.0).
func (s *Site) FormPost(w http.ResponseWriter, r *http.Request, action string, fields [][2]string, locales []string) error {
	q := &flow.Request{UILocales: locales}
	p := templates.FormPost{Frame: s.frame(w, r, q, nil), Action: action, Fields: fields}
	p.SwitchURL = ""
	s.page(w, r, http.StatusOK, p, action)
	return nil
}

// help is how people reach the help desk where no company says otherwise.
type help struct{ email, phone string }

// SetHelp changes the help addresses while running.
func (s *Site) SetHelp(email, phone string) { s.help.Store(&help{email, phone}) }

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package demo

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/lychgate/lychgate/templates"
)

// handle turns a page that returns errors into a handler. The error goes to the log, a plain sentence to the page.
func (a *App) handle(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := h(w, r)
		if err == nil {
			return
		}
		a.cfg.Log.LogAttrs(r.Context(), slog.LevelWarn, "sample app", slog.String("error", err.Error()))
		if serr := a.showHome(w, &visit{}, "sign_in", "The sign-in did not work. Try again."); serr != nil {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
}

func (a *App) frame() templates.Frame { return templates.Frame{Lang: "en", Client: "Example Cases"} }

func (a *App) home(w http.ResponseWriter, r *http.Request) error {
	v := a.visit(r)
	if v == nil || v.subject == "" {
		v = &visit{}
	}
	return a.showHome(w, v, "", "")
}

func (a *App) showHome(w http.ResponseWriter, v *visit, code, text string) error {
	p := templates.DemoHome{
		Frame: a.frame(), Person: v.name, Email: v.email, Strong: v.acr == acrFactor, Error: code, ErrorText: text,
		SignIn: "/login", SignOut: "/logout",
	}
	if v.subject != "" {
		p.Cases = cases()
	}
	return a.page(w, p)
}

// casePage shows a case to those who gave a code in this sign-in, and asks the others for one (RFC 9470).
func (a *App) casePage(w http.ResponseWriter, r *http.Request) error {
	c := findCase(r.PathValue("number"))
	if c == nil {
		http.NotFound(w, r)
		return nil
	}
	v := a.visit(r)
	strong := v != nil && v.acr == acrFactor
	if v == nil || v.subject == "" || (!strong && !v.asked(c.Number)) {
		http.Redirect(w, r, "/login?case="+url.QueryEscape(c.Number), http.StatusSeeOther)
		return nil
	}
	p := templates.DemoCasePage{
		Frame: a.frame(), Person: v.name, Case: *c, Home: "/", SignOut: "/logout", Refused: !strong,
	}
	if strong {
		p.Notes = notes()
	}
	return a.page(w, p)
}

// asked says whether the person comes back from being asked for a code for this case, so that it is not asked in
// a circle.
func (v *visit) asked(number string) bool { return v.target == "/cases/"+number }

func (a *App) page(w http.ResponseWriter, p templates.Page) error {
	body, err := a.cfg.Templates.Render(p)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; "+
		"base-uri 'none'; frame-ancestors 'none'; form-action 'self' "+a.cfg.Issuer)
	_, err = w.Write(body)
	return err
}

func (a *App) static(w http.ResponseWriter, r *http.Request) {
	body, kind, etag, ok := a.cfg.Templates.Static(r.PathValue("name"))
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", etag)
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	_, _ = w.Write(body)
}

// code tells the current code of a demo account. It exists in the demo alone.
func (a *App) code(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	code, err := a.cfg.Code(r.URL.Query().Get("user"))
	if err != nil {
		w.WriteHeader(http.StatusNotFound)
		_, _ = fmt.Fprintln(w, err)
		return
	}
	_, _ = fmt.Fprintln(w, code)
}

// logoutURL is the provider's end_session_endpoint with what RP-Initiated Logout 1.0 §2 asks for.
func logoutURL(endpoint string, cfg Config, v *visit) string {
	q := url.Values{"client_id": {cfg.ClientID}, "post_logout_redirect_uri": {cfg.URL + "/"}}
	if v != nil && v.idToken != "" {
		q.Set("id_token_hint", v.idToken)
	}
	return endpoint + "?" + q.Encode()
}

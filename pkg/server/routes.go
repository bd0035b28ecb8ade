// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"

	"github.com/lychgate/lychgate/pkg/account"
	"github.com/lychgate/lychgate/pkg/admin/console"
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/web"
)

// routes is every address of the public listener with its protection. It reads as a threat model: "open" may be
// reached from any site, "own" only from our own pages.
func routes(site *web.Site, engine *oidc.Provider) []route {
	w := site.Routes()
	own := protection(site.SameOrigin)
	return []route{
		get("/.well-known/openid-configuration").with(open).to(site, engine.ServeDiscovery).unlimited(),
		get("/.well-known/oauth-authorization-server").with(open).to(site, engine.ServeAuthServerMetadata).unlimited(),
		get("/jwks").with(open).to(site, engine.ServeJWKS).unlimited(),

		get("/authorize").with(open).to(site, w.Authorize),
		post("/authorize").with(open).to(site, w.AuthorizePost),
		post("/par").with(open).to(site, engine.Shared(engine.ServePAR)),
		post("/token").with(open).to(site, engine.Shared(engine.ServeToken)),
		get("/userinfo").with(open).to(site, engine.Shared(engine.ServeUserinfo)),
		post("/userinfo").with(open).to(site, engine.Shared(engine.ServeUserinfo)),
		post("/introspect").with(open).to(site, engine.ServeIntrospect),
		post("/revoke").with(open).to(site, engine.Shared(engine.ServeRevoke)),
		options("/par").with(open).to(site, engine.ServePreflight),
		options("/token").with(open).to(site, engine.ServePreflight),
		options("/userinfo").with(open).to(site, engine.ServePreflight),
		options("/revoke").with(open).to(site, engine.ServePreflight),
		post("/register").with(open).to(site, func(w http.ResponseWriter, r *http.Request) error {
			return engine.ServeRegister(w, r, site.Source(r))
		}),
		get("/register/{id}").with(open).to(site, engine.ServeClient),
		put("/register/{id}").with(open).to(site, engine.ServeClient),
		del("/register/{id}").with(open).to(site, engine.ServeClient),
		get("/logout").with(open).to(site, w.Logout),
		post("/logout").with(open).to(site, w.Logout),
		post("/logout/confirm").with(own).to(site, w.LogoutConfirm),
		get("/session/check").with(open).to(site, w.SessionCheck).unlimited(),

		get("/flow/{id}").with(open).to(site, w.Flow),
		get("/flow/{id}/restart").with(open).to(site, w.Restart),
		get("/flow/{id}/login").with(open).to(site, w.Login),
		post("/flow/{id}/login").with(own).to(site, w.LoginPost).unlimited(),
		get("/flow/{id}/forgot").with(open).to(site, w.Forgot),
		post("/flow/{id}/forgot").with(own).to(site, w.ForgotPost).unlimited(),
		get("/flow/{id}/enrol").with(open).to(site, w.Enrol),
		post("/flow/{id}/enrol").with(own).to(site, w.EnrolPost),
		get("/flow/{id}/factor").with(open).to(site, w.Factor),
		post("/flow/{id}/factor").with(own).to(site, w.FactorPost),
		get("/flow/{id}/recovery").with(open).to(site, w.Recovery),
		post("/flow/{id}/recovery").with(own).to(site, w.RecoveryPost),
		get("/flow/{id}/consent").with(open).to(site, w.Consent),
		post("/flow/{id}/consent").with(own).to(site, w.ConsentPost),

		get("/link/{token}").with(open).to(site, w.Link),
		post("/link/{token}").with(own).to(site, w.LinkPost).unlimited(),

		get("/logo/{id}").with(open).to(site, w.Logo),
		get("/static/{name...}").with(open).to(site, w.Static).unlimited(),
		get("/{$}").with(open).to(site, w.Home),
	}
}

// consoleRoutes are the addresses of the console. Each is guarded by itself (pkg/admin/console); what changes something is a
// POST of our own pages.
func consoleRoutes(site *web.Site, pages *console.Pages) []route {
	own := protection(site.SameOrigin)
	var out []route
	for _, r := range pages.Routes() {
		mounted := post(r.Path).with(own).to(site, r.Serve)
		if r.Method == http.MethodGet {
			mounted = get(r.Path).with(open).to(site, r.Serve)
		}
		if r.Slow {
			mounted.limit = slowLimit
		}
		out = append(out, mounted)
	}
	return out
}

// accountRoutes are the addresses of the person's own account page. What a GET shows asks for a session by itself; what
// changes something is a POST of our own pages.
func accountRoutes(site *web.Site, pages *account.Pages) []route {
	a := pages.Routes()
	own := protection(site.SameOrigin)
	return []route{
		get("/account").with(open).to(site, a.View),
		post("/account/add").with(own).to(site, a.Add),
		get("/account/authenticators/{id}/rename").with(open).to(site, a.Rename),
		post("/account/authenticators/{id}/rename").with(own).to(site, a.RenamePost),
		get("/account/authenticators/{id}/remove").with(open).to(site, a.Remove),
		post("/account/authenticators/{id}/remove").with(own).to(site, a.RemovePost),
		post("/account/authenticators/{id}/replace").with(own).to(site, a.Replace),
		get("/account/recovery").with(open).to(site, a.Recovery),
		post("/account/recovery").with(own).to(site, a.RecoveryPost),
		post("/account/devices/forget").with(own).to(site, a.ForgetDevice),
		post("/account/devices/forget-all").with(own).to(site, a.ForgetDevices),
		post("/account/sessions/end").with(own).to(site, a.EndSession),
		post("/account/sessions/end-others").with(own).to(site, a.EndOthers),
		post("/account/apps/end").with(own).to(site, a.EndApp),
		get("/account/password").with(open).to(site, a.Password),
		post("/account/password").with(own).to(site, a.PasswordPost).unlimited(),
		post("/account/sign-out").with(own).to(site, a.SignOut),
		post("/account/sign-out-everywhere").with(own).to(site, a.SignOutEverywhere),
	}
}

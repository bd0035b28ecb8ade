// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
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
		post("/token").with(open).to(site, engine.ServeToken),
		get("/userinfo").with(open).to(site, engine.ServeUserinfo),
		post("/userinfo").with(open).to(site, engine.ServeUserinfo),
		post("/introspect").with(open).to(site, engine.ServeIntrospect),
		post("/revoke").with(open).to(site, engine.ServeRevoke),
		get("/logout").with(open).to(site, w.Logout),
		post("/logout").with(open).to(site, w.Logout),
		post("/logout/confirm").with(own).to(site, w.LogoutConfirm),

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

		get("/static/{name...}").with(open).to(site, w.Static).unlimited(),
		get("/{$}").with(open).to(site, w.Home),
	}
}

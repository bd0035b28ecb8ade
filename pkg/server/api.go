// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/api"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/web"
)

// newAPI returns the REST API of IT teams.
func (s *Server) newAPI() (*api.API, error) {
	ring, err := sealRing(s.cfg.Secrets.Keys.Reveal())
	if err != nil {
		return nil, fmt.Errorf("secrets.keys: %w", err)
	}
	return api.New(api.Config{
		Issuer: s.cfg.Issuer, Tokens: tokens{s.engine}, Clerk: func(by admin.Actor) api.Clerk { return s.Office.Clerk(by) },
		Keys: ringKeys{s.Back}, Answers: s.store.Answers(), Ring: ring, Log: s.deps.Log, Now: s.deps.Now,
	})
}

// tokens says who comes with an access token, as the API wants it.
type tokens struct{ engine *oidc.Provider }

// Verify implements api.Verifier.
func (t tokens) Verify(ctx context.Context, token string) (api.Caller, error) {
	a, err := t.engine.Acting(ctx, token)
	if errors.Is(err, oidc.ErrToken) {
		return api.Caller{}, fmt.Errorf("%w: %w", api.ErrToken, err)
	}
	if err != nil {
		return api.Caller{}, err
	}
	return api.Caller{
		ClientID: a.Client.ID, Company: a.Client.Company, SelfRegistered: a.Client.Dynamic != nil, Scopes: a.Scopes,
		AccountID: a.Account.ID, AccountCompany: a.Account.Company, Role: a.Account.Admin, ACR: a.ACR, AuthTime: a.AuthTime,
	}, nil
}

// ringKeys is the ring as the API wants it: who rotates it stands in the journal.
type ringKeys struct{ *Back }

// Rotate implements api.Keys.
func (k ringKeys) Rotate(ctx context.Context, by admin.Actor, alg string, u keys.Urgency) error {
	return k.Office.Clerk(by).RotateKeys(ctx, alg, u)
}

// apiRoutes are the addresses of the REST API. Each is reached with a token that holds its scope, and by nobody else: no
// cookie counts there, so no other site can send a browser to it.
func apiRoutes(site *web.Site, a *api.API) []route {
	out := []route{get("/api/openapi.json").with(open).to(site, a.ServeDocument).unlimited()}
	for _, op := range a.Operations() {
		r := address{op.Method + " " + op.Path}.with(op.Guard).to(site, op.Serve)
		if op.Slow {
			r.limit = slowLimit
		}
		out = append(out, r)
	}
	return out
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
)

// Subject is the account as the client sees it (OIDC Core §8): its id, or for a pairwise client a value that clients of
// another sector cannot link with theirs.
func (p *Provider) Subject(c *client.Client, accountID string) string {
	if !c.Pairwise() {
		return accountID
	}
	return p.cfg.Pairwise(c.Sector(), accountID)
}

// issue records what the response type asks for, all in one step, and returns the fields of the response (OAuth 2.0
// Multiple Response Types §5, OIDC Core §3.2.2.5, §3.3.2.5).
func (p *Provider) issue(ctx context.Context, unit *work, f *flow.Flow, n grant.NewCode) ([][2]string, error) {
	kind := f.Request.ResponseType
	var access *grant.Access
	if yields(kind, typeToken) {
		a := p.access(unit.client, nil)
		access = &a
	}
	front, err := p.cfg.Grants.Issue(ctx, n, access)
	if err != nil {
		return nil, fmt.Errorf("issue answer: %w", err)
	}
	unit.issued = grant.Issued{Grant: n.Grant, Access: front.Access, AccessLife: front.AccessLife}
	fields, err := p.frontFields(unit, f, front)
	if err != nil && access != nil {
		// A token that was never sent never lives.
		err = errors.Join(err, p.cfg.Grants.Drop(context.WithoutCancel(ctx), unit.issued, true))
	}
	return fields, err
}

func (p *Provider) frontFields(unit *work, f *flow.Flow, front grant.Front) ([][2]string, error) {
	var fields [][2]string
	if front.Code != "" {
		fields = append(fields, [2]string{"code", front.Code})
	}
	token := front.Access
	if token != "" {
		if unit.client.JWTAccess() {
			var err error
			if token, err = p.signAccess(unit); err != nil {
				return nil, err
			}
		}
		fields = append(fields, [2]string{"access_token", token}, [2]string{"token_type", "Bearer"},
			[2]string{"expires_in", strconv.FormatInt(max(1, int64(front.AccessLife/time.Second)), 10)})
		if granted := unit.issued.Grant.Scopes; !slices.Equal(granted, words(f.Request.Params.Get("scope"))) {
			// RFC 6749 §4.2.2: said where it differs from what was asked for.
			fields = append(fields, [2]string{"scope", strings.Join(granted, " ")})
		}
	}
	if yields(f.Request.ResponseType, typeIDToken) {
		id, err := p.signID(unit, bound{access: token, code: front.Code, state: f.Request.State})
		if err != nil {
			return nil, err
		}
		fields = append(fields, [2]string{typeIDToken, id})
	}
	return fields, nil
}

// stillRegistered leaves out claims of scopes that the client is not registered for any more.
func stillRegistered(c *client.Client, names []string) []string {
	var may, out []string
	for _, s := range c.Scopes() {
		may = append(may, claimsOf(s)...)
	}
	for _, name := range names {
		if slices.Contains(may, name) {
			out = append(out, name)
		}
	}
	return out
}

// idTokenClaims are the claims of the person that stand in the ID token, as a JSON object; empty for none. They are
// those asked for one by one, those of scopes that say so, and, where no access token could fetch them, those of all
// scopes (OIDC Core §5.4).
func (p *Provider) idTokenClaims(ctx context.Context, c *client.Client, f *flow.Flow, scopes []string) (string, error) {
	claims, alone := map[string]any{}, f.Request.ResponseType == client.TypeIDToken
	if alone {
		claims = scopeClaims(f.Account.Claims, scopes)
	}
	if err := p.addDeclared(ctx, claims, scopes, declaredClaims{client.PersonOf(*f.Account), !alone}); err != nil {
		return "", err
	}
	addClaims(claims, f.Account.Claims, stillRegistered(c, f.Request.IDClaims))
	if len(claims) == 0 {
		return "", nil
	}
	b, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("encode claims: %w", err)
	}
	return string(b), nil
}

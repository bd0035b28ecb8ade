// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
)

// Acting is who comes with an access token of ours to an address of our own, and what for.
type Acting struct {
	// Client is whom the token was given to: a shared value, never to be changed.
	Client *client.Client
	Scopes []string
	// Account is whose token it is, as it stands now; its ID is empty for client credentials.
	Account authn.Account
	// ACR and AuthTime say how, and when, that person signed in.
	ACR      string
	AuthTime time.Time
}

// ErrToken is an access token that is not in force: unknown, forged, expired, revoked, or of a client or an account that
// is disabled or gone.
var ErrToken = errors.New("access token not in force")

// Acting looks an access token up, in one round trip; a forged one, and a JWT of client credentials, cost none. It
// answers ErrToken or authn.ErrUnavailable.
func (p *Provider) Acting(ctx context.Context, token string) (Acting, error) {
	live, err := p.lookup(ctx, token)
	if isDead(err) {
		return Acting{}, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err != nil {
		return Acting{}, err
	}
	if live.Kind != grant.KindAccess {
		return Acting{}, fmt.Errorf("%w: not an access token", ErrToken)
	}
	c, err := p.known(ctx, live.Grant.ClientID)
	if err != nil {
		return Acting{}, err
	}
	if c == nil {
		return Acting{}, fmt.Errorf("%w: client gone", ErrToken)
	}
	a := Acting{Client: c, Scopes: live.Scopes}
	if live.Grant.AccountID == "" {
		return a, nil
	}
	if live.Account.ID != live.Grant.AccountID || live.Account.State != authn.Active {
		return Acting{}, fmt.Errorf("%w: account not active", ErrToken)
	}
	a.Account, a.ACR, a.AuthTime = live.Account, live.Grant.ACR, live.Grant.AuthTime
	return a, nil
}

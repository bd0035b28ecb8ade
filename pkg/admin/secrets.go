// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// NewSecret gives a client a new secret. The newest one before stays valid beside it until ends, or, if ends is zero,
// until the next is made, so that the app can be changed over; everything older ends now.
func (c *Clerk) NewSecret(ctx context.Context, id string, ends time.Time) (Registered, error) {
	secret, err := c.o.newSecret("")
	if err != nil {
		return Registered{}, err
	}
	if !ends.IsZero() && !ends.After(c.o.Now()) {
		return Registered{}, problem("ends", "must be a time to come; leave it out to keep the one before until the next is made")
	}
	changed, err := c.editSecrets(ctx, id, func(x *client.Client) error {
		x.AddSecret(secret, c.o.Digest, c.o.Now())
		if len(x.Secrets) > 1 && !ends.IsZero() {
			x.Secrets[1].Ends = ends.Unix()
		}
		return nil
	})
	if err != nil {
		return Registered{}, err
	}
	c.event(ctx, audit.SecretMade, slog.String("client", id), slog.String("company", changed.Company), slog.String("secret", changed.Secrets[0].ID()))
	return Registered{changed, secret}, nil
}

// EndSecret ends a secret now; it is refused within 1 s. The last one can be ended too: the client is then refused
// until it has a new one. authn.ErrNotFound if there is no such secret.
func (c *Clerk) EndSecret(ctx context.Context, id, secret string) error {
	changed, err := c.editSecrets(ctx, id, func(x *client.Client) error {
		i := slices.IndexFunc(x.Secrets, func(s client.Secret) bool { return s.ID() == secret })
		if i < 0 {
			return fmt.Errorf("secret of client %q: %w", id, authn.ErrNotFound)
		}
		x.Secrets = slices.Delete(x.Secrets, i, i+1)
		return nil
	})
	if err == nil {
		c.event(ctx, audit.SecretEnded, slog.String("client", id), slog.String("company", changed.Company), slog.String("secret", secret))
	}
	return err
}

// KeepSecret moves the end of a secret; zero: it has none. authn.ErrNotFound if there is no such secret, or if it has
// ended: what has ended does not come back.
func (c *Clerk) KeepSecret(ctx context.Context, id, secret string, ends time.Time) error {
	if !ends.IsZero() && !ends.After(c.o.Now()) {
		return problem("ends", "must be a time to come")
	}
	at := int64(0)
	if !ends.IsZero() {
		at = ends.Unix()
	}
	changed, err := c.editSecrets(ctx, id, func(x *client.Client) error {
		i := slices.IndexFunc(x.Secrets, func(s client.Secret) bool { return s.ID() == secret && !s.Ended(c.o.Now()) })
		if i < 0 {
			return fmt.Errorf("secret of client %q: %w", id, authn.ErrNotFound)
		}
		x.Secrets[i].Ends = at
		return nil
	})
	if err == nil {
		c.event(ctx, audit.SecretKept, slog.String("client", id), slog.String("company", changed.Company), slog.String("secret", secret))
	}
	return err
}

// editSecrets changes the secrets of a client on a copy of it.
func (c *Clerk) editSecrets(ctx context.Context, id string, change func(*client.Client) error) (*client.Client, error) {
	var after *client.Client
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		x, err := c.held(ctx, st, id, "")
		if err != nil {
			return registry.Change{}, err
		}
		if !x.KeepsSecret() {
			return registry.Change{}, problem("token_endpoint_auth_method", "is "+x.AuthMethod+": the client has no secret")
		}
		changed := *x
		changed.Secrets = slices.Clone(x.Secrets)
		after = &changed
		if err := change(after); err != nil {
			return registry.Change{}, err
		}
		return registry.Change{PutClients: []*client.Client{after}}, nil
	})
	return after, err
}

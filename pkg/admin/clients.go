// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// Registered is a client that was added, with its secret, shown this once.
type Registered struct {
	*client.Client
	Secret string `json:"client_secret,omitempty"`
}

// AddClients registers all the clients or none of them. A secret is made for clients that need one and bring none.
func (o *Office) AddClients(ctx context.Context, list []client.Registration) ([]Registered, error) {
	out := make([]Registered, 0, len(list))
	var problems []error
	ids := map[string]int{}
	for i, given := range list {
		reg, err := o.prepare(ctx, given.Client, given.Secret)
		if err != nil {
			problems = append(problems, fmt.Errorf("client %d (%s): %w", i+1, given.Client.Name, err))
		} else if first, twice := ids[reg.ID]; twice {
			problems = append(problems, fmt.Errorf("client %d: client_id %q is that of client %d already", i+1, reg.ID, first))
		} else {
			ids[reg.ID] = i + 1
		}
		out = append(out, reg)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("nothing was registered:\n%w", err)
	}
	for i, reg := range out {
		if err := o.Clients.PutClient(ctx, reg.Client); err != nil {
			return nil, fmt.Errorf("register client %s: %w", reg.ID, errors.Join(err, o.takeBack(ctx, out[:i])))
		}
	}
	return out, nil
}

// takeBack removes clients whose secrets nobody will see.
func (o *Office) takeBack(ctx context.Context, list []Registered) error {
	var left []error
	for _, reg := range list {
		if err := o.Clients.RemoveClient(context.WithoutCancel(ctx), reg.ID); err != nil {
			left = append(left, fmt.Errorf("client %s stays registered without its secret: `lychgate client remove %s`: %w", reg.ID, reg.ID, err))
		}
	}
	return errors.Join(left...)
}

func (o *Office) prepare(ctx context.Context, c *client.Client, secret string) (Registered, error) {
	client.Defaults(c)
	if c.ID == "" {
		id, err := o.token("lgcl_", 16)
		if err != nil {
			return Registered{}, err
		}
		c.ID = id
	} else if _, err := o.Clients.Client(ctx, c.ID); !errors.Is(err, authn.ErrNotFound) {
		if err == nil {
			err = fmt.Errorf("client_id: %q %w; remove it first, or leave client_id out", c.ID, authn.ErrExists)
		}
		return Registered{}, err
	}
	if err := client.Validate(c); err != nil {
		return Registered{}, err
	}
	if c.Company != "" {
		if _, err := o.Companies.Company(ctx, c.Company); err != nil {
			return Registered{}, fmt.Errorf("lychgate_company: %q: %w", c.Company, err)
		}
	}
	if !c.KeepsSecret() {
		return Registered{Client: c}, nil
	}
	secret, err := o.newSecret(secret)
	if err != nil {
		return Registered{}, err
	}
	c.AddSecret(secret, o.Digest)
	return Registered{c, secret}, nil
}

// SetClient adds or replaces a client under its own id and secret, for a file or a demo that says how things are.
func (o *Office) SetClient(ctx context.Context, c *client.Client, secret string) error {
	client.Defaults(c)
	if err := client.Validate(c); err != nil {
		return err
	}
	if c.KeepsSecret() {
		if _, err := o.newSecret(secret); err != nil {
			return err
		}
		c.AddSecret(secret, o.Digest)
	}
	return o.Clients.PutClient(ctx, c)
}

// newSecret makes a secret, or takes one from another provider if it cannot be guessed.
func (o *Office) newSecret(given string) (string, error) {
	if given == "" {
		return o.token("lgcs_", 32)
	}
	if len(given) < 32 || len(given) > 512 || !ascii(given) {
		return "", errors.New("client_secret: 32 to 512 printable ASCII characters; leave it out to have one made")
	}
	return given, nil
}

// FindClient returns a client.
func (o *Office) FindClient(ctx context.Context, id string) (*client.Client, error) {
	c, err := o.Clients.Client(ctx, id)
	if errors.Is(err, authn.ErrNotFound) {
		return nil, fmt.Errorf("client %q: %w; `lychgate client list` shows the ids", id, err)
	}
	return c, err
}

// RotateSecret gives a client a new secret. The one before stays valid beside it until the next rotation, so that
// the app can be changed over; everything older ends now.
func (o *Office) RotateSecret(ctx context.Context, id string) (Registered, error) {
	c, err := o.FindClient(ctx, id)
	if err != nil {
		return Registered{}, err
	}
	if !c.KeepsSecret() {
		return Registered{}, fmt.Errorf("client %q has no secret", id)
	}
	secret, err := o.newSecret("")
	if err != nil {
		return Registered{}, err
	}
	changed := *c
	changed.AddSecret(secret, o.Digest)
	if err := o.Clients.ReplaceClient(ctx, &changed); err != nil {
		return Registered{}, err
	}
	return Registered{&changed, secret}, nil
}

// RemoveClient removes a client; its tokens are refused within 1 s.
func (o *Office) RemoveClient(ctx context.Context, id string) error {
	if _, err := o.FindClient(ctx, id); err != nil {
		return err
	}
	return o.Clients.RemoveClient(ctx, id)
}

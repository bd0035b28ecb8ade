// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// Registered is a client that was added, with its secret, shown this once.
type Registered struct {
	*client.Client
	Secret string `json:"client_secret,omitempty"`
}

// LogValue keeps the secret out of the logs.
func (r Registered) LogValue() slog.Value { return slog.StringValue("[redacted] " + r.ID) }

// ClientQuery asks for a page of clients, by client_id.
type ClientQuery struct {
	// Company is whose own apps are listed; empty: all that may be seen.
	Company string
	// Text is a part of the name or the id, in any case.
	Text string
	// After is the client_id that the page begins behind.
	After string
	// Limit is the length of the page: 1 to 200, 50 if 0.
	Limit int
}

// ClientPage is a page of clients.
type ClientPage struct {
	// Clients are shared values: never change them.
	Clients []*client.Client
	// Next is what the next page begins behind; empty: there is none.
	Next string
	// Total is how many there are on all pages.
	Total int
}

// Tag names the version of a client: 32 hexadecimal characters that change with anything that can be read of it.
func Tag(c *client.Client) string { return digest(c) }

func digest(v any) string {
	sum := sha256.Sum256([]byte(asJSON(v)))
	return hex.EncodeToString(sum[:16])
}

// Lifetimes are the most that a client can have.
func (c *Clerk) Lifetimes() client.Lifetimes { return c.o.Lifetimes }

// ListClients returns a page of clients, without asking the store more than once.
func (c *Clerk) ListClients(ctx context.Context, q ClientQuery) (ClientPage, error) {
	if q.Company != "" {
		if err := c.guard(ctx, q.Company, slog.String("company", q.Company)); err != nil {
			return ClientPage{}, err
		}
	} else {
		q.Company = c.by.Company
	}
	all, err := c.o.Clients.Clients(ctx)
	if err != nil {
		return ClientPage{}, err
	}
	text := strings.ToLower(q.Text)
	all = slices.DeleteFunc(all, func(x *client.Client) bool {
		return (q.Company != "" && x.Company != q.Company) ||
			(!strings.Contains(strings.ToLower(x.Name), text) && !strings.Contains(strings.ToLower(x.ID), text))
	})
	page := ClientPage{Total: len(all)}
	from, found := slices.BinarySearchFunc(all, q.After, func(x *client.Client, id string) int { return cmp.Compare(x.ID, id) })
	if found {
		from++
	}
	limit := pageSize(q.Limit)
	page.Clients = all[from:min(len(all), from+limit)]
	if from+limit < len(all) {
		page.Next = page.Clients[limit-1].ID
	}
	return page, nil
}

// pageSize bounds the length of a page.
func pageSize(asked int) int {
	const usual, most = 50, 200
	if asked <= 0 {
		return usual
	}
	return min(asked, most)
}

// Client returns a client that may be seen. It is a shared value: never change it.
func (c *Clerk) Client(ctx context.Context, id string) (*client.Client, error) {
	x, err := c.o.Clients.Client(ctx, id)
	if err == nil {
		err = c.guard(ctx, x.Company, slog.String("client", id))
	}
	if errors.Is(err, authn.ErrNotFound) {
		return nil, fmt.Errorf("client %q: %w; `lychgate client list` shows the ids", id, authn.ErrNotFound)
	}
	return x, err
}

// CreateClient registers one client. A secret is made where one is needed and none is given.
func (c *Clerk) CreateClient(ctx context.Context, r client.Registration) (Registered, error) {
	list, err := c.CreateClients(ctx, []client.Registration{r})
	if err != nil {
		return Registered{}, err
	}
	return list[0], nil
}

// CreateClients registers all the clients or none of them, in one step.
func (c *Clerk) CreateClients(ctx context.Context, list []client.Registration) ([]Registered, error) {
	var made []Registered
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		made = nil
		var problems []error
		ids := map[string]int{}
		for i, given := range list {
			reg, err := c.prepare(st, given)
			if err != nil {
				if len(list) > 1 {
					err = fmt.Errorf("client %d (%s): %w", i+1, given.Client.Name, err)
				}
				problems = append(problems, err)
			} else if first, twice := ids[reg.ID]; twice {
				problems = append(problems, fmt.Errorf("client %d: client_id %q is that of client %d already", i+1, reg.ID, first))
			} else {
				ids[reg.ID] = i + 1
			}
			made = append(made, reg)
		}
		var ch registry.Change
		for _, r := range made {
			ch.PutClients = append(ch.PutClients, r.Client)
		}
		return ch, errors.Join(problems...)
	})
	if err != nil {
		return nil, fmt.Errorf("nothing was registered:\n%w", err)
	}
	for _, r := range made {
		c.event(ctx, audit.ClientRegistered, slog.String("client", r.ID), slog.String("company", r.Company), slog.String("after", asJSON(r.Client)))
	}
	return made, nil
}

// prepare makes a new client of a description.
func (c *Clerk) prepare(st registry.State, r client.Registration) (Registered, error) {
	made := *r.Client
	x := &made
	if x.ID != "" {
		if c.by.Company != "" {
			return Registered{}, problem("client_id", "is made here: leave it out")
		}
		if _, taken := st.Clients[x.ID]; taken {
			return Registered{}, fmt.Errorf("client_id: %q %w; remove it first, or leave client_id out", x.ID, authn.ErrExists)
		}
	} else {
		id, err := c.o.token("lgcl_", 16)
		if err != nil {
			return Registered{}, err
		}
		x.ID = id
	}
	if err := c.checkClient(st, x, nil); err != nil {
		return Registered{}, err
	}
	if !x.KeepsSecret() {
		return Registered{Client: x}, nil
	}
	secret, err := c.o.newSecret(r.Secret)
	if err != nil {
		return Registered{}, err
	}
	x.AddSecret(secret, c.o.Digest, c.o.Now())
	return Registered{x, secret}, nil
}

// ChangeClient replaces the whole description of a client; its secrets stay, and its id. tag is the version that the
// description was made from (ErrStale if it is not in force any more); empty: any.
func (c *Clerk) ChangeClient(ctx context.Context, id, tag string, r client.Registration) (*client.Client, error) {
	var before, after *client.Client
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var err error
		if before, err = c.held(ctx, st, id, tag); err != nil {
			return registry.Change{}, err
		}
		if r.Client.ID != "" && r.Client.ID != id {
			return registry.Change{}, problem("client_id", "cannot be changed: it must be the client's own, or left out")
		}
		if r.Secret != "" {
			return registry.Change{}, problem("client_secret", "cannot be set here: make a new secret")
		}
		changed := *r.Client
		changed.ID, changed.Dynamic = id, before.Dynamic
		changed.KeepSecrets(before)
		after = &changed
		if err := c.checkClient(st, after, before); err != nil {
			return registry.Change{}, err
		}
		if asJSON(before) == asJSON(after) {
			return registry.Change{}, nil
		}
		return registry.Change{PutClients: []*client.Client{after}}, nil
	})
	if err != nil {
		return nil, err
	}
	if asJSON(before) != asJSON(after) {
		c.event(ctx, audit.ClientChanged, slog.String("client", id), slog.String("company", after.Company),
			slog.String("before", asJSON(before)), slog.String("after", asJSON(after)))
	}
	return after, nil
}

// held returns a client as it is in st, if it may be seen and is of the version.
func (c *Clerk) held(ctx context.Context, st registry.State, id, tag string) (*client.Client, error) {
	x, ok := st.Clients[id]
	if !ok {
		return nil, fmt.Errorf("client %q: %w; `lychgate client list` shows the ids", id, authn.ErrNotFound)
	}
	if err := c.guard(ctx, x.Company, slog.String("client", id)); err != nil {
		return nil, fmt.Errorf("client %q: %w", id, err)
	}
	if tag != "" && tag != Tag(x) {
		return nil, fmt.Errorf("client %q: %w", id, ErrStale)
	}
	return x, nil
}

// RemoveClient removes a client; its tokens are refused within 1 s. tag as for ChangeClient.
func (c *Clerk) RemoveClient(ctx context.Context, id, tag string) error {
	var before *client.Client
	err := c.edit(ctx, func(st registry.State) (registry.Change, error) {
		var err error
		before, err = c.held(ctx, st, id, tag)
		return registry.Change{RemoveClients: []string{id}}, err
	})
	if err != nil {
		return err
	}
	c.event(ctx, audit.ClientRemoved, slog.String("client", id), slog.String("company", before.Company), slog.String("before", asJSON(before)))
	return nil
}

// SetClient adds or replaces a client under its own id and secret, for a demo that says how things are.
func (o *Office) SetClient(ctx context.Context, x *client.Client, secret string) error {
	client.Defaults(x)
	if err := client.Validate(x); err != nil {
		return err
	}
	if x.KeepsSecret() {
		if _, err := o.newSecret(secret); err != nil {
			return err
		}
		x.AddSecret(secret, o.Digest, o.Now())
	}
	return o.Clients.PutClient(ctx, x)
}

// newSecret makes a secret, or takes one from another provider if it cannot be guessed.
func (o *Office) newSecret(given string) (string, error) {
	if given == "" {
		return o.token("lgcs_", 32)
	}
	if len(given) < 32 || len(given) > 512 || !ascii(given) {
		return "", problem("client_secret", "must be 32 to 512 printable ASCII characters; leave it out to have one made")
	}
	return given, nil
}

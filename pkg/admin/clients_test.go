// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"testing"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// failing is a registry whose store is gone after the first client.
type failing struct {
	client.Registry
	held map[string]bool
}

func (f failing) Client(context.Context, string) (*client.Client, error) {
	return nil, authn.ErrNotFound
}

func (f failing) PutClient(_ context.Context, c *client.Client) error {
	if len(f.held) > 0 {
		return authn.ErrUnavailable
	}
	f.held[c.ID] = true
	return nil
}

func (f failing) RemoveClient(_ context.Context, id string) error {
	delete(f.held, id)
	return nil
}

// TestAddClientsAllOrNone: a client whose secret was never shown does not stay.
func TestAddClientsAllOrNone(t *testing.T) {
	f := failing{held: map[string]bool{}}
	o := &Office{Clients: f, Digest: func(string) string { return "digest" }}
	web := func(id string) client.Registration {
		return client.Registration{Client: &client.Client{ID: id, Name: id, RedirectURIs: []string{"https://" + id + ".example/cb"}}}
	}
	added, err := o.AddClients(t.Context(), []client.Registration{web("one"), web("two")})
	if !errors.Is(err, authn.ErrUnavailable) || added != nil || len(f.held) != 0 {
		t.Errorf("AddClients() = %v, %v; %v stay", added, err, f.held)
	}
}

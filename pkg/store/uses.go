// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

// usesLife is how long the whole list stays without any client being used.
const usesLife = 400 * 24 * time.Hour

// ClientUses returns the store of the last uses of clients and their secrets.
func (s *Store) ClientUses() client.UseStore { return s.registry }

// useField is the field of a use: an id of a client has no space in it.
func useField(k client.UseKey) string { return k.Client + " " + k.Secret }

// KeepUses implements client.UseStore.
func (r *registry) KeepUses(ctx context.Context, seen map[client.UseKey]client.Use) error {
	if len(seen) == 0 {
		return nil
	}
	ctx = context.WithValue(ctx, uncounted{}, true)
	key := r.s.key.uses()
	set := cmd{"hset", key}
	for k, u := range seen {
		name := useField(k)
		sealed, err := r.s.sealJSON("use", field(key, name), u)
		if err != nil {
			return fmt.Errorf("keep the uses of clients: %w", err)
		}
		set = append(set, name, sealed)
	}
	// The second makes the list end one day; if it is lost, the next time does it.
	for _, c := range []cmd{set, {"expire", key, int64(usesLife / time.Second)}} {
		if _, err := r.s.do(ctx, c); err != nil {
			return fmt.Errorf("keep the uses of clients: %w", err)
		}
	}
	return nil
}

// Uses implements client.UseStore. A record that does not open says nothing of a use: it decides nothing.
func (r *registry) Uses(ctx context.Context, clients []*client.Client) (map[string]client.Uses, error) {
	var keys []client.UseKey
	for _, c := range clients {
		keys = append(keys, client.UseKey{Client: c.ID})
		for _, s := range c.Secrets {
			keys = append(keys, client.UseKey{Client: c.ID, Secret: s.ID()})
		}
	}
	out := map[string]client.Uses{}
	if len(keys) == 0 {
		return out, nil
	}
	key := r.s.key.uses()
	ask := cmd{"hmget", key}
	for _, k := range keys {
		ask = append(ask, useField(k))
	}
	got, err := r.s.do(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("read the uses of clients: %w", err)
	}
	have := list(got[0])
	for i, k := range keys {
		var u client.Use
		if sealed := have.text(i); sealed == "" || r.s.openJSON("use", field(key, useField(k)), sealed, &u) != nil {
			continue
		}
		uses := out[k.Client]
		if k.Secret == "" {
			uses.SignIn = u.At
		} else {
			if uses.Secrets == nil {
				uses.Secrets = map[string]client.Use{}
			}
			uses.Secrets[k.Secret] = u
		}
		out[k.Client] = uses
	}
	return out, nil
}

// TidyUses implements client.UseStore.
func (r *registry) TidyUses(ctx context.Context) error {
	ctx = context.WithValue(ctx, uncounted{}, true)
	snap, err := r.current(ctx)
	if err != nil {
		return fmt.Errorf("forget the uses of clients: %w", err)
	}
	key := r.s.key.uses()
	got, err := r.s.do(ctx, cmd{"hkeys", key})
	if err != nil {
		return fmt.Errorf("forget the uses of clients: %w", err)
	}
	gone := cmd{"hdel", key}
	names := list(got[0])
	for i := range names {
		id, secret, _ := strings.Cut(names.text(i), " ")
		if c, there := snap.clients[id]; !there || (secret != "" && !hasSecret(c, secret)) {
			gone = append(gone, names.text(i))
		}
	}
	if len(gone) > 2 {
		if _, err := r.s.do(ctx, gone); err != nil {
			return fmt.Errorf("forget the uses of clients: %w", err)
		}
	}
	return nil
}

func hasSecret(c *client.Client, id string) bool {
	for _, s := range c.Secrets {
		if s.ID() == id {
			return true
		}
	}
	return false
}

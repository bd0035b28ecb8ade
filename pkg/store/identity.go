// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"encoding/hex"
	"fmt"
	"strconv"

	"github.com/lychgate/lychgate/pkg/seal"
)

// identity is what lg:store says: which store this is, and with which single keys it was filled.
type identity struct {
	id    string
	epoch uint64
	// prints are the fingerprints of index key, pairwise key and pepper.
	prints [3]string
}

func (s *Store) fingerprints() [3]string {
	return [3]string{seal.Fingerprint(s.cfg.IndexKey), seal.Fingerprint(s.cfg.PairwiseKey), seal.Fingerprint(s.cfg.Pepper)}
}

// identify reads the identity of the store, or writes it once into a store that never had one, and compares it with
// what this process knows. It is background work: neither gated nor counted.
func (g *guard) identify(ctx context.Context) (uint64, []Reason, error) {
	ctx = context.WithValue(ctx, uncounted{}, true)
	g.mu.Lock()
	known := g.known
	g.mu.Unlock()
	fresh := ""
	if known.id == "" {
		if reasons, err := g.occupied(ctx); err != nil || len(reasons) > 0 {
			return 0, reasons, err
		}
		b, err := g.s.random(16)
		if err != nil {
			return 0, nil, fmt.Errorf("make the store's identity: %w", err)
		}
		fresh = hex.EncodeToString(b)
	}
	found, err := g.readIdentity(ctx, fresh)
	if err != nil {
		return 0, nil, err
	}
	if reasons := compare(known, found, g.s.fingerprints()); len(reasons) > 0 {
		return found.epoch, reasons, nil
	}
	g.mu.Lock()
	g.known = found
	g.mu.Unlock()
	return found.epoch, nil, nil
}

// occupied refuses a Redis that holds keys but no identity, where the configuration asks for one of our own alone.
// Nothing is written to it.
func (g *guard) occupied(ctx context.Context) ([]Reason, error) {
	if !g.s.cfg.OwnAlone {
		return nil, nil
	}
	ours, err := g.s.rdb.Exists(ctx, g.s.key.identity()).Result()
	if err != nil {
		return nil, fmt.Errorf("look for the store's identity: %w", err)
	}
	keys, err := g.s.rdb.DBSize(ctx).Result()
	if err != nil {
		return nil, fmt.Errorf("count keys: %w", err)
	}
	if ours == 0 && keys > 0 {
		return []Reason{{"this Redis holds other data", "name an empty one"}}, nil
	}
	return nil, nil
}

func compare(known, found identity, prints [3]string) []Reason {
	if found.id == "" {
		return []Reason{{
			"the store has lost its identity: it was emptied or replaced",
			"restore the last backup; to begin anew with an empty store, restart Lychgate",
		}}
	}
	if known.id != "" && known.id != found.id {
		return []Reason{{
			"foreign store: this is not the store that Lychgate was started with",
			"point the configuration to the right Redis, or restart Lychgate if the change is meant",
		}}
	}
	var out []Reason
	for i, name := range []string{"index key", "pairwise key", "pepper"} {
		if found.prints[i] != prints[i] {
			out = append(out, Reason{
				"foreign store: it was filled with another " + name,
				"set the " + name + " that the store was made with; it never changes",
			})
		}
	}
	return out
}

// readIdentity reads the identity. Where there is none it becomes one with the id fresh, written by one node only;
// without fresh it stays lost.
func (g *guard) readIdentity(ctx context.Context, fresh string) (identity, error) {
	p := g.s.fingerprints()
	r, err := g.s.runUngated(ctx, "identity", []string{g.s.key.identity()}, []any{fresh, p[0], p[1], p[2]})
	if err != nil {
		return identity{}, err
	}
	if r.code() != done {
		return identity{}, nil
	}
	epoch, err := strconv.ParseUint(r.text(2), 10, 64)
	if err != nil {
		return identity{}, nil //nolint:nilerr // a broken identity is one that is lost
	}
	return identity{id: r.text(1), epoch: epoch, prints: [3]string{r.text(3), r.text(4), r.text(5)}}, nil
}

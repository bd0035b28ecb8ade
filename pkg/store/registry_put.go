// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// PutClient implements client.Registry. This node sees it at once, others within a second.
func (r *registry) PutClient(ctx context.Context, c *client.Client) error {
	sealed, err := r.sealClient(c)
	if err != nil {
		return err
	}
	if err := r.put(ctx, r.s.key.clients(), c.ID, sealed); err != nil {
		return fmt.Errorf("store client: %w", err)
	}
	return nil
}

// ReplaceClient implements client.Registry. This node sees it at once, others within a second.
func (r *registry) ReplaceClient(ctx context.Context, c *client.Client) error {
	sealed, err := r.sealClient(c)
	if err != nil {
		return err
	}
	k := r.s.key
	if err := r.change(ctx, "registry_put", []string{k.version(), k.clients()}, c.ID, sealed, 1); err != nil {
		return fmt.Errorf("replace client: %w", err)
	}
	return nil
}

// sealClient makes the record of a client.
func (r *registry) sealClient(c *client.Client) (string, error) {
	if c.ID == "" || len(c.ID) > maxID || !printable(c.ID) {
		return "", fmt.Errorf("store client: id: %w", errInput)
	}
	b, err := c.Marshal()
	if err != nil {
		return "", fmt.Errorf("store client: %w", err)
	}
	sealed, err := r.s.seal("client", field(r.s.key.clients(), c.ID), append([]byte{recordVersion}, b...))
	if err != nil {
		return "", fmt.Errorf("store client: %w", err)
	}
	return sealed, nil
}

// RemoveClient implements client.Registry; authn.ErrNotFound if there is none.
func (r *registry) RemoveClient(ctx context.Context, id string) error {
	if err := r.put(ctx, r.s.key.clients(), id, ""); err != nil {
		return fmt.Errorf("remove client: %w", err)
	}
	return nil
}

// PutCompany implements company.Registry. This node sees it at once, others within a second.
func (r *registry) PutCompany(ctx context.Context, c company.Company) error {
	sealed, err := r.sealCompany(c)
	if err != nil {
		return err
	}
	if err := r.put(ctx, r.s.key.companies(), c.ID, sealed); err != nil {
		return fmt.Errorf("store company: %w", err)
	}
	return nil
}

// put writes one record with the version and reads the registry anew.
func (r *registry) put(ctx context.Context, key, id, sealed string) error {
	return r.change(ctx, "registry_put", []string{r.s.key.version(), key}, id, sealed)
}

// change runs a script that changes the registry, and waits until this node sees the change.
func (r *registry) change(ctx context.Context, script string, keys []string, args ...any) error {
	a, err := r.s.run(ctx, script, keys, args...)
	if err != nil {
		return err
	}
	switch a.code() {
	case done:
	case gone:
		return authn.ErrNotFound
	default:
		return refused(a.code())
	}
	// A reload that was under way may have read before the write, so one more may be needed.
	for range 3 {
		snap, err := r.reload(context.WithoutCancel(ctx), r.snap.Load())
		if err != nil {
			return err
		}
		if v, err := number(snap.version); err == nil && v >= a.num(1) {
			break
		}
	}
	return nil
}

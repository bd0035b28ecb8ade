// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/keys"
)

// KeyRing is the ring of signing keys (keys.Ring).
type KeyRing interface {
	List() []keys.Listing
	Rotate(ctx context.Context, alg string, u keys.Urgency) error
}

// SigningKeys lists the ring, in which nothing is secret; for the IT team alone.
func (c *Clerk) SigningKeys(ctx context.Context) ([]keys.Listing, error) {
	if err := c.wholeServer(ctx); err != nil {
		return nil, err
	}
	return c.o.Keys.List(), nil
}

// RotateKeys puts the next keys into use, or that of one algorithm; for the IT team alone. keys.ErrTooYoung,
// keys.ErrUnknownAlg.
func (c *Clerk) RotateKeys(ctx context.Context, alg string, u keys.Urgency) error {
	if err := c.wholeServer(ctx); err != nil {
		return err
	}
	if err := c.o.Keys.Rotate(ctx, alg, u); err != nil {
		return fmt.Errorf("rotate signing keys: %w", err)
	}
	c.event(ctx, audit.KeyRotated, slog.String("alg", alg), slog.String("urgency", string(u)))
	return nil
}

// wholeServer refuses a company's clerk what is no company's business, and writes it down.
func (c *Clerk) wholeServer(ctx context.Context) error {
	if c.by.Company == "" {
		return nil
	}
	c.event(ctx, audit.AdminRefused, slog.String("what", "keys"))
	return ErrForbidden
}

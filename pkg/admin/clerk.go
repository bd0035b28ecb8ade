// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/registry"
)

// ActorKind says what an actor is.
type ActorKind string

// The kinds of actors.
const (
	ActorAccount ActorKind = "account"
	ActorClient  ActorKind = "client"
	ActorCommand ActorKind = "command"
)

// Actor is who acts.
type Actor struct {
	Kind ActorKind
	// ID is the account's id or the client_id, for the audit log.
	ID string
	// Company bounds what the actor sees and changes; empty: everything.
	Company string
	// Through is the client that an account acts through; empty: it acts by itself, at the console.
	Through string
}

// remote says whether the actor comes by the API: a program, or a person whom a program speaks for.
func (a Actor) remote() bool { return a.Kind == ActorClient || a.Through != "" }

// CommandLine is whoever may run the command beside the configuration and its keys.
func CommandLine() Actor { return Actor{Kind: ActorCommand, ID: "command line"} }

// ErrStale is a change that was made from a version which is not in force any more.
var ErrStale = errors.New("changed meanwhile: read it again")

// ErrForbidden is an act that is not the actor's, whatever it is about.
var ErrForbidden = errors.New("this is for the IT team alone")

// Clerk does the acts of one actor, within what the actor may see: everything of another company is answered
// authn.ErrNotFound, as if there were none, and stands in the audit log.
type Clerk struct {
	// o is not embedded: whoever holds a clerk reaches nothing past it.
	o  *Office
	by Actor
}

// Clerk returns a clerk for an actor.
func (o *Office) Clerk(by Actor) *Clerk { return &Clerk{o, by} }

// Bound is the company that the clerk is bounded to; empty: none.
func (c *Clerk) Bound() string { return c.by.Company }

// within says whether something of a company may be seen.
func (c *Clerk) within(company string) bool { return c.by.Company == "" || c.by.Company == company }

// guard answers authn.ErrNotFound for something of another company, and writes down who asked for what.
func (c *Clerk) guard(ctx context.Context, company string, what slog.Attr) error {
	if c.within(company) {
		return nil
	}
	c.event(ctx, audit.AdminRefused, what)
	return authn.ErrNotFound
}

// event writes an audit event of the actor.
func (c *Clerk) event(ctx context.Context, name string, attrs ...slog.Attr) {
	all := []slog.Attr{slog.String("actor", c.by.ID), slog.String("by", string(c.by.Kind))}
	if c.by.Company != "" {
		all = append(all, slog.String("of", c.by.Company))
	}
	c.o.Audit.Event(ctx, name, append(all, attrs...)...)
}

// maxTries is how often a change of the registry is worked out anew because another one came between.
const maxTries = 20

// edit works a change out from the registry as it is, and makes it, again if another change came between.
func (c *Clerk) edit(ctx context.Context, change func(registry.State) (registry.Change, error)) error {
	for range maxTries {
		st, err := c.o.Registry.State(ctx)
		if err != nil {
			return err
		}
		ch, err := change(st)
		if err != nil || ch.Empty() {
			return err
		}
		if err = c.o.Registry.Apply(ctx, st.Version, ch); !errors.Is(err, authn.ErrMoved) {
			return err
		}
	}
	return fmt.Errorf("registry: too many changes at once: %w", authn.ErrBusy)
}

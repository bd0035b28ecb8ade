// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// counter implements throttle.Counter.
type counter struct{ *Store }

// group is the counters of one slot.
type group struct {
	keys []string
	args []any
}

// groups sorts guesses by slot, in the order given. A guess without a name is in the slot of its subject.
func (s counter) groups(guesses []throttle.Guess) ([]group, error) {
	var all []group
	at := map[string]int{}
	for _, g := range guesses {
		l := g.Limit
		if l.Kind == "" || strings.Trim(l.Kind, "abcdefghijklmnopqrstuvwxyz") != "" || l.Free < 1 || l.First <= 0 {
			return nil, fmt.Errorf("limit %q: %w", l.Kind, errInput)
		}
		tag := s.index.HashTag("throttle", "name", g.Name)
		if g.Name == "" {
			tag = s.index.HashTag("throttle", "subject", g.Subject)
		}
		i, ok := at[tag]
		if !ok {
			i = len(all)
			at[tag], all = i, append(all, group{})
		}
		all[i].keys = append(all[i].keys, s.key.counter(tag, l.Kind, s.index.Hash("throttle", l.Kind, g.Name, g.Subject)))
		all[i].args = append(all[i].args, l.Free, l.First.Milliseconds(), max(l.Longest, l.First).Milliseconds(), l.Per.Milliseconds())
	}
	return all, nil
}

// Charge implements throttle.Counter. If a later name has to wait, what the earlier ones paid is taken back.
func (s counter) Charge(ctx context.Context, g ...throttle.Guess) error {
	all, err := s.groups(g)
	if err != nil {
		return fmt.Errorf("charge guess: %w", err)
	}
	for i, gr := range all {
		err := s.charge(ctx, gr)
		if err == nil {
			continue
		}
		if _, waits := errors.AsType[*authn.WaitError](err); waits {
			for _, paid := range all[:i] {
				if _, uerr := s.run(context.WithoutCancel(ctx), "throttle_undo", paid.keys, paid.args...); uerr != nil {
					return fmt.Errorf("take charge back: %w", uerr)
				}
			}
		}
		return fmt.Errorf("charge guess: %w", err)
	}
	return nil
}

func (s counter) charge(ctx context.Context, g group) error {
	r, err := s.run(ctx, "throttle_charge", g.keys, g.args...)
	if err != nil {
		return err
	}
	switch r.code() {
	case done:
		return nil
	case wait:
		return &authn.WaitError{For: time.Duration(r.num(1)) * time.Millisecond}
	default:
		return refused(r.code())
	}
}

// Clear implements throttle.Counter.
func (s counter) Clear(ctx context.Context, g ...throttle.Guess) error {
	all, err := s.groups(g)
	if err != nil {
		return fmt.Errorf("clear guesses: %w", err)
	}
	for _, gr := range all {
		c := cmd{"unlink"}
		for _, k := range gr.keys {
			c = append(c, k)
		}
		if _, err := s.do(ctx, c); err != nil {
			return fmt.Errorf("clear guesses: %w", err)
		}
	}
	return nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Some implements authn.People.
func (s people) Some(ctx context.Context, ids []string) ([]authn.Record, error) {
	ids = ids[:min(len(ids), 2*maxPage)]
	if len(ids) == 0 {
		return nil, nil
	}
	var cmds []cmd
	for _, id := range ids {
		tag := s.index.Tag(id)
		cmds = append(cmds, hmget(s.key.acct(tag), acctFields()...), cmd{"get", s.key.prof(tag)})
	}
	out, err := s.do(ctx, cmds...)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	var all []authn.Record
	for i, id := range ids {
		r, err := s.person(s.index.Tag(id), list(out[2*i]), value(out[2*i+1]))
		switch {
		case err == nil && r.ID == id:
			all = append(all, r)
		case err != nil && !errors.Is(err, authn.ErrNotFound):
			s.cfg.Log.LogAttrs(ctx, slog.LevelError, "account lost or broken", slog.String("account", id))
		}
	}
	return all, nil
}

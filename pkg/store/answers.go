// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Answers remembers what was answered to a request, so that a caller who asks again, since the line broke, is told the
// same and nothing is done twice. Every method is one round trip and may answer authn.ErrUnavailable.
type Answers struct{ s *Store }

// Answers keeps answers.
func (s *Store) Answers() Answers { return Answers{s} }

func (a Answers) place(id string) string { return a.s.key.answer(a.s.index.HashTag("answer", id)) }

// digest stands for a request: a keyed hash, so that nothing of it can be guessed from the store.
func (a Answers) digest(id, request string) string { return a.s.index.Hash("request", id, request) }

// Begin claims id for a request, for hold: of many at once one is told claimed. Else it returns what was answered to the
// same request, or nil while that is under way; authn.ErrConflict if id was claimed for another request.
func (a Answers) Begin(ctx context.Context, id, request string, hold time.Duration) (answer []byte, claimed bool, err error) {
	key, digest := a.place(id), a.digest(id, request)
	out, err := a.s.do(ctx, cmd{"set", key, digest + "|", "px", hold.Milliseconds(), "nx", "get"})
	if err != nil {
		return nil, false, fmt.Errorf("begin answer: %w", err)
	}
	standing := value(out[0])
	if standing == "" {
		return nil, true, nil
	}
	have, sealed, _ := strings.Cut(standing, "|")
	switch {
	case have != digest:
		return nil, false, fmt.Errorf("begin answer: %w", authn.ErrConflict)
	case sealed == "":
		return nil, false, nil
	}
	answer, err = a.s.open("answer", field(key, digest), sealed)
	if err != nil {
		return nil, false, fmt.Errorf("begin answer: %w", err)
	}
	return answer, false, nil
}

// Finish keeps the answer, sealed, for life.
func (a Answers) Finish(ctx context.Context, id, request string, answer []byte, life time.Duration) error {
	key, digest := a.place(id), a.digest(id, request)
	sealed, err := a.s.seal("answer", field(key, digest), answer)
	if err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	if _, err := a.s.do(ctx, cmd{"set", key, digest + "|" + sealed, "px", life.Milliseconds()}); err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	return nil
}

// Drop gives a claim back: nothing was done.
func (a Answers) Drop(ctx context.Context, id string) error {
	if _, err := a.s.do(ctx, cmd{"unlink", a.place(id)}); err != nil {
		return fmt.Errorf("drop answer: %w", err)
	}
	return nil
}

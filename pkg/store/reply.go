// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"strconv"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Status numbers mean the same in all scripts (decisions.md).
const (
	gone        = 0
	done        = 1
	otherClient = 2
	replay      = 3
	otherURI    = 4
	verifier    = 5
	moved       = 6
	otherKey    = 7
	lost        = 8
	wait        = 9
	budget      = 10
	locked      = 11
	notEnrolled = 12
	accepted    = 13
	spent       = 14
	uncharged   = 15
	tooMany     = 16
	wrongState  = 17
)

// reply is the answer of a script: a status and its values.
type reply []any

func parseReply(name string, v any) (reply, error) {
	r, ok := v.([]any)
	if !ok || len(r) == 0 {
		return nil, fmt.Errorf("run %s: answer of no known form", name)
	}
	if _, ok := r[0].(int64); !ok {
		return nil, fmt.Errorf("run %s: answer without a status", name)
	}
	return r, nil
}

// code is the status.
func (r reply) code() int64 { return r.num(0) }

// num is the number at i; 0 if there is none.
func (r reply) num(i int) int64 {
	if i >= len(r) {
		return 0
	}
	switch v := r[i].(type) {
	case int64:
		return v
	case string:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return 0
		}
		return n
	default:
		return 0
	}
}

// text is the string at i; empty if there is none.
func (r reply) text(i int) string {
	if i >= len(r) {
		return ""
	}
	s, _ := r[i].(string)
	return s
}

// list is the answer of a command that gives several values, such as HMGET; nil for anything else.
func list(v any) reply {
	r, _ := v.([]any)
	return r
}

// pairs is the answer of HGETALL.
func pairs(v any) map[string]string {
	r := list(v)
	m := make(map[string]string, len(r)/2)
	for i := 0; i+1 < len(r); i += 2 {
		m[r.text(i)] = r.text(i + 1)
	}
	return m
}

// value is the answer of a command that gives one value; empty if it is missing.
func value(v any) string {
	s, _ := v.(string)
	return s
}

// number reads a counter that must be there: a missing or broken one is a lost record.
func number(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("counter %w", authn.ErrLost)
	}
	return n, nil
}

// refused is the error of a status that means the same everywhere.
func refused(code int64) error {
	switch code {
	case gone:
		return authn.ErrGone
	case moved:
		return authn.ErrMoved
	case lost:
		return authn.ErrLost
	case locked:
		return authn.ErrLocked
	case budget:
		return authn.ErrBudget
	case notEnrolled:
		return authn.ErrNotEnrolled
	case spent, uncharged:
		return authn.ErrRejected
	case tooMany, wrongState:
		return authn.ErrConflict
	default:
		return fmt.Errorf("status %d: %w", code, authn.ErrLost)
	}
}

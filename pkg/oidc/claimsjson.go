// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
)

// The bounds of the claims parameter: objects inside each other, and members of one object or entries of one list.
const (
	maxClaims       = 16 << 10
	maxClaimsDepth  = 5
	maxClaimMembers = 64
)

var errClaims = errors.New("not a bounded JSON object")

// readClaims reads the claims parameter. encoding/json alone would take a name twice, and any depth: two readers of
// one request could disagree, and the work would be the sender's to choose. Numbers that no float64 holds are refused.
func readClaims(s string) (map[string]any, error) {
	if len(s) > maxClaims {
		return nil, errClaims
	}
	r := claimsReader{json.NewDecoder(strings.NewReader(s))}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	out, ok := v.(map[string]any)
	if !ok {
		return nil, errClaims
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errClaims
	}
	return out, nil
}

type claimsReader struct{ d *json.Decoder }

// value reads one value that stands inside depth others.
func (r claimsReader) value(depth int) (any, error) {
	t, err := r.d.Token()
	if err != nil {
		return nil, err
	}
	open, ok := t.(json.Delim)
	switch {
	case !ok:
		return t, nil
	case depth == maxClaimsDepth:
		return nil, errClaims
	case open == '{':
		return r.object(depth + 1)
	default:
		return r.list(depth + 1)
	}
}

func (r claimsReader) object(depth int) (map[string]any, error) {
	out := map[string]any{}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return nil, err
		}
		name, _ := t.(string)
		if _, twice := out[name]; twice || len(out) == maxClaimMembers {
			return nil, errClaims
		}
		if out[name], err = r.value(depth); err != nil {
			return nil, err
		}
	}
	_, err := r.d.Token()
	return out, err
}

func (r claimsReader) list(depth int) ([]any, error) {
	out := []any{}
	for r.d.More() {
		if len(out) == maxClaimMembers {
			return nil, errClaims
		}
		v, err := r.value(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	_, err := r.d.Token()
	return out, err
}

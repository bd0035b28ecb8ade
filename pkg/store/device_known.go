// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// Known implements device.Store.
func (s devices) Known(ctx context.Context, tag, cookie string) (string, error) {
	name, err := s.known(ctx, tag, cookie)
	if err != nil {
		return "", fmt.Errorf("known device: %w", err)
	}
	return name, nil
}

func (s devices) known(ctx context.Context, tag, cookie string) (string, error) {
	b, err := seal.Decode(cookie, deviceID+deviceSecret)
	if err != nil {
		return "", authn.ErrGone
	}
	if _, err := seal.PackTag(tag); err != nil {
		return "", authn.ErrGone
	}
	id := seal.Encode(b[:deviceID])
	out, err := s.do(ctx, hmget(s.key.acct(tag), acctFields()...), hmget(s.key.mfa(tag), "state", "devgen"),
		cmd{"hget", s.key.dev(tag), "d:" + id}, cmd{"get", s.key.prof(tag)})
	if err != nil {
		return "", err
	}
	a, err := s.readAccount(list(out[0]), 0)
	if errors.Is(err, authn.ErrLost) {
		return "", authn.ErrGone // a tag that somebody made up has no account
	}
	if err != nil {
		return "", err
	}
	m, v := list(out[1]), value(out[2])
	if _, live := s.inForce(v, m.text(1)+"|"+fmt.Sprint(a.PasswordGen)); !live || a.State != authn.Active || m.text(0) != "on" {
		return "", authn.ErrGone
	}
	now, rest, _ := strings.Cut(v, "|")
	before, _, _ := strings.Cut(rest, "|")
	digest := []byte(s.deviceDigest(tag, id, b[deviceID:]))
	if subtle.ConstantTimeCompare(digest, []byte(now))|subtle.ConstantTimeCompare(digest, []byte(before)) != 1 {
		return "", authn.ErrGone
	}
	if _, err := s.addProfile(&a, value(out[3])); err != nil {
		return "", err
	}
	return a.Name, nil
}

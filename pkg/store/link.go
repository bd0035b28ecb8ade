// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// links implements authn.LinkStore.
type links struct{ *Store }

// linkSecret is the size of a token in bytes.
const linkSecret = 32

// linkKey is where the link of a token is kept; a token that cannot be one is gone.
func (s links) linkKey(token string) (string, error) {
	b, err := seal.Decode(token, linkSecret)
	if err != nil {
		return "", authn.ErrGone
	}
	return s.key.link(s.index.HashTag("link", string(b))), nil
}

// NewLink implements authn.LinkStore.
func (s links) NewLink(ctx context.Context, l authn.Link, life time.Duration) (string, error) {
	b, err := s.random(linkSecret)
	if err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	token := seal.Encode(b)
	key, err := s.linkKey(token)
	if err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	sealed, err := s.sealJSON("link", key, l)
	if err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	if _, err := s.do(ctx, cmd{"set", key, sealed, "px", life.Milliseconds(), "nx"}); err != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	return token, nil
}

// Link implements authn.LinkStore.
func (s links) Link(ctx context.Context, token string) (authn.Link, error) {
	return s.read(ctx, token, "get")
}

// UseLink implements authn.LinkStore.
func (s links) UseLink(ctx context.Context, token string) (authn.Link, error) {
	return s.read(context.WithoutCancel(ctx), token, "getdel")
}

func (s links) read(ctx context.Context, token, command string) (authn.Link, error) {
	key, err := s.linkKey(token)
	if err != nil {
		return authn.Link{}, fmt.Errorf("link: %w", err)
	}
	out, err := s.do(ctx, cmd{command, key})
	if err != nil {
		return authn.Link{}, fmt.Errorf("link: %w", err)
	}
	if value(out[0]) == "" {
		return authn.Link{}, fmt.Errorf("link: %w", authn.ErrGone)
	}
	var l authn.Link
	if err := s.openJSON("link", key, value(out[0]), &l); err != nil {
		return authn.Link{}, fmt.Errorf("link: %w", err)
	}
	return l, nil
}

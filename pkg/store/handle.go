// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/seal"
)

// The prefixes of handles; they help scanners that look for leaked secrets.
const (
	prefixCode    = "lgc_"
	prefixAccess  = "lga_"
	prefixRefresh = "lgr_"
	prefixSession = "lgs_"
	prefixFlow    = "lgf_"
)

// The payloads of handles (decisions.md): every one begins with the tag of its slot.
const (
	gidSize        = 16
	aidSize        = 8
	generationSize = 4
	sessionSecret  = 32
	flowSecret     = 16
	codeSize       = seal.TagSize + gidSize
	accessSize     = codeSize + aidSize
	refreshSize    = codeSize + generationSize
	sessionSize    = seal.TagSize + sessionSecret
	flowSize       = seal.TagSize + flowSecret
)

// token is what a code, access or refresh handle says.
type token struct {
	tag string
	gid [gidSize]byte
	// aid is of an access token, n of a refresh token.
	aid [aidSize]byte
	n   uint32
}

// jwtBit marks, in the first byte of an aid, the jti of a JWT, which leaves no record of its own. Without the mark a
// revoked or expired opaque token could pass for a JWT.
const jwtBit = 1

func (t token) isJWT() bool { return t.aid[0]&jwtBit != 0 }

func (t token) gidText() string { return seal.Encode(t.gid[:]) }

func (t token) aidText() string { return seal.Encode(t.aid[:]) }

// newHandle seals tag and rest.
func (s *Store) newHandle(prefix, tag string, rest ...[]byte) (string, error) {
	b, err := seal.PackTag(tag)
	if err != nil {
		return "", fmt.Errorf("make handle: %w", err)
	}
	for _, r := range rest {
		b = append(b, r...)
	}
	h, err := s.cfg.Ring.SealHandle(s.cfg.Now(), prefix, s.epoch(), b)
	if err != nil {
		return "", fmt.Errorf("make handle: %w", err)
	}
	return h, nil
}

func (s *Store) codeHandle(t token) (string, error) {
	return s.newHandle(prefixCode, t.tag, t.gid[:])
}

func (s *Store) accessHandle(t token) (string, error) {
	return s.newHandle(prefixAccess, t.tag, t.gid[:], t.aid[:])
}

func (s *Store) refreshHandle(t token) (string, error) {
	return s.newHandle(prefixRefresh, t.tag, t.gid[:], binary.BigEndian.AppendUint32(nil, t.n))
}

// openToken reads a code, access or refresh handle without asking Redis.
func (s *Store) openToken(prefix, handle string) (token, error) {
	if err := s.gate(); err != nil {
		return token{}, err
	}
	size := map[string]int{prefixCode: codeSize, prefixAccess: accessSize, prefixRefresh: refreshSize}[prefix]
	b, err := s.cfg.Ring.OpenHandle(prefix, s.epoch(), handle, size)
	if err != nil {
		return token{}, fmt.Errorf("open handle: %w", err)
	}
	var t token
	if t.tag, err = tagOf(b); err != nil {
		return token{}, err
	}
	b = b[seal.TagSize:]
	copy(t.gid[:], b)
	switch prefix {
	case prefixAccess:
		copy(t.aid[:], b[gidSize:])
	case prefixRefresh:
		t.n = binary.BigEndian.Uint32(b[gidSize:])
	}
	return t, nil
}

// newFlowID makes the id of a flow in the account's slot, and the key it is stored under.
func (s *Store) newFlowID(tag string) (id, key string, err error) {
	secret, err := s.random(flowSecret)
	if err != nil {
		return "", "", err
	}
	if id, err = s.newHandle(prefixFlow, tag, secret); err != nil {
		return "", "", err
	}
	return id, s.key.flow(tag, s.flowHash(tag, secret)), nil
}

func (s *Store) flowHash(tag string, secret []byte) string {
	return s.index.Hash("flow", tag, string(secret))
}

// flowRef is where a flow is stored. tag and hash are empty before the password.
type flowRef struct{ key, tag, hash string }

// openFlow reads the id of a flow without asking Redis: ErrGone for everything that is not ours.
func (s *Store) openFlow(id string) (flowRef, error) {
	// The epoch is not known before the store is ready: without the gate every handle would look forged.
	if err := s.gate(); err != nil {
		return flowRef{}, err
	}
	if !strings.HasPrefix(id, prefixFlow) {
		b, err := seal.Decode(id, flowSecret)
		if err != nil {
			return flowRef{}, fmt.Errorf("flow id: %w", authn.ErrGone)
		}
		return flowRef{key: s.key.anonymous(s.index.HashTag("flow", string(b)))}, nil
	}
	b, err := s.cfg.Ring.OpenHandle(prefixFlow, s.epoch(), id, flowSize)
	if err != nil {
		return flowRef{}, fmt.Errorf("flow id: %w: %w", authn.ErrGone, err)
	}
	tag, err := tagOf(b)
	if err != nil {
		return flowRef{}, fmt.Errorf("flow id: %w: %w", authn.ErrGone, err)
	}
	h := s.flowHash(tag, b[seal.TagSize:])
	return flowRef{key: s.key.flow(tag, h), tag: tag, hash: h}, nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
)

// storedGrant is a grant with what the store itself has to know of it.
type storedGrant struct {
	grant.Grant
	epoch           int64
	offline, rotate bool
}

// encodeGrant writes a grant compactly: it is opened at every use of a token. New fields go to the end.
func encodeGrant(g storedGrant) []byte {
	e := encoder{b: make([]byte, 0, 512)}
	e.byte(recordVersion)
	e.byte(bit(g.offline) | bit(g.rotate)<<1)
	e.int(g.epoch)
	e.text(g.ClientID)
	e.text(g.AccountID)
	e.text(g.Subject)
	e.text(g.SID)
	e.list(g.Scopes)
	e.list(g.Audience)
	e.time(g.AuthTime)
	e.time(g.RequestedAt)
	e.text(g.ACR)
	e.list(g.AMR)
	e.evidence(g.Evidence)
	e.text(g.Nonce)
	e.text(g.RedirectURI)
	e.time(g.Ends)
	e.text(g.IDClaims)
	e.list(g.UserClaims)
	return e.b
}

// decodeGrant reads what encodeGrant wrote; authn.ErrLost for anything else.
func decodeGrant(b []byte) (storedGrant, error) {
	d := decoder{b: b}
	if d.byte() != recordVersion {
		return storedGrant{}, fmt.Errorf("grant version: %w", authn.ErrLost)
	}
	flags := d.byte()
	g := storedGrant{offline: flags&1 != 0, rotate: flags&2 != 0, epoch: d.int()}
	g.Grant = grant.Grant{
		ClientID: d.text(), AccountID: d.text(), Subject: d.text(), SID: d.text(), Scopes: d.list(), Audience: d.list(),
		AuthTime: d.time(), RequestedAt: d.time(), ACR: d.text(), AMR: d.list(), Evidence: d.evidence(),
		Nonce: d.text(), RedirectURI: d.text(), Ends: d.time(),
	}
	if len(d.b) > 0 {
		// A grant of before 2026-11-24 ends here.
		g.IDClaims, g.UserClaims = d.text(), d.list()
	}
	if d.err != nil {
		return storedGrant{}, fmt.Errorf("grant: %w: %w", authn.ErrLost, d.err)
	}
	return g, nil
}

// overlay is what is stored of one opaque access token beside its grant.
type overlay struct {
	issued time.Time
	life   time.Duration
	// narrowed says that scopes stands for the grant's.
	narrowed bool
	scopes   []string
}

func encodeOverlay(o overlay) []byte {
	e := encoder{b: make([]byte, 0, 32)}
	e.byte(recordVersion)
	e.time(o.issued)
	e.int(o.life.Milliseconds())
	e.byte(bit(o.narrowed))
	e.list(o.scopes)
	return e.b
}

func decodeOverlay(b []byte) (overlay, error) {
	d := decoder{b: b}
	if d.byte() != recordVersion {
		return overlay{}, fmt.Errorf("access token version: %w", authn.ErrLost)
	}
	o := overlay{issued: d.time(), life: time.Duration(d.int()) * time.Millisecond, narrowed: d.byte() == 1, scopes: d.list()}
	if d.err != nil {
		return overlay{}, fmt.Errorf("access token: %w: %w", authn.ErrLost, d.err)
	}
	return o, nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/seal"
)

// grants implements grant.Store.
type grants struct{ *Store }

const (
	// withoutEnd bounds, in the index alone, a grant that ends with its access token.
	withoutEnd = 24 * time.Hour
	// maxGrants is how many grants of an account the index names; the ones that end first go.
	maxGrants = 2000
)

// uriDigest is how a redirect_uri stands in the grant control.
func uriDigest(uri string) string {
	sum := sha256.Sum256([]byte(uri))
	return seal.Encode(sum[:])
}

// Issue implements grant.Store.
func (s grants) Issue(ctx context.Context, n grant.NewCode, access *grant.Access) (grant.Front, error) {
	out, err := s.issue(ctx, n, access)
	if err != nil {
		return grant.Front{}, fmt.Errorf("issue answer: %w", err)
	}
	return out, nil
}

func (s grants) issue(ctx context.Context, n grant.NewCode, access *grant.Access) (grant.Front, error) {
	if err := s.gate(); err != nil {
		return grant.Front{}, err
	}
	t, err := s.newToken(s.index.Tag(n.Account.ID))
	if err != nil {
		return grant.Front{}, err
	}
	keys := []string{s.key.acct(t.tag), s.key.control(t.tag, t.gidText()), s.key.grant(t.tag, t.gidText()), s.key.grants(t.tag)}
	if n.Flow != "" {
		ref, err := s.openFlow(n.Flow)
		if err != nil {
			return grant.Front{}, err
		}
		if ref.tag != t.tag {
			return grant.Front{}, fmt.Errorf("flow of another account: %w", authn.ErrGone)
		}
		keys = append(keys, ref.key)
	}
	out := grant.Front{}
	args, err := s.codeArgs(n, t, &out)
	if err != nil {
		return grant.Front{}, err
	}
	front, frontKeys, err := s.frontArgs(n, t.tag, access, &out)
	if err != nil {
		return grant.Front{}, err
	}
	keys, args = append(keys, frontKeys...), append(append(args, bit(n.Flow != "")), front...)
	if n.Session != "" {
		if keys, args, err = sessions(s).record(n, t.tag, keys, args); err != nil {
			return grant.Front{}, err
		}
	}
	r, err := s.run(ctx, "issue", keys, args...)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	return out, err
}

// codeArgs are the arguments of issue for the code; an answer without one seals no grant.
func (s grants) codeArgs(n grant.NewCode, t token, out *grant.Front) ([]any, error) {
	a, sealed, ends := n.Account, "", int64(0)
	if !n.Grant.Ends.IsZero() {
		ends = n.Grant.Ends.UnixMilli()
	}
	if !n.NoCode {
		var err error
		if sealed, err = s.sealGrant(n, t, n.Offline, n.Rotate); err != nil {
			return nil, err
		}
		// The handle is made first: a code that is recorded can then always be sent.
		if out.Code, err = s.codeHandle(t); err != nil {
			return nil, err
		}
	}
	return []any{
		a.Epoch, a.PasswordGen, a.FactorGen, n.Grant.ClientID, uriDigest(n.Grant.RedirectURI),
		n.Challenge, "", bit(n.Offline), bit(n.Rotate), ends, sealed, s.cfg.Lifetimes.CodeLife.Milliseconds(),
		t.gidText(), withoutEnd.Milliseconds(), maxGrants,
	}, nil
}

func (s grants) sealGrant(n grant.NewCode, t token, offline, rotate bool) (string, error) {
	n.Grant.AccountID = n.Account.ID
	g := storedGrant{Grant: n.Grant, epoch: n.Account.Epoch, offline: offline, rotate: rotate}
	return s.seal("grant", s.key.grant(t.tag, t.gidText()), encodeGrant(g))
}

// frontArgs are the arguments and keys of issue for an access token: it has a grant of its own, since that of the code
// lives for a minute only and dies when the code is used twice.
func (s grants) frontArgs(n grant.NewCode, tag string, access *grant.Access, out *grant.Front) ([]any, []string, error) {
	if access == nil {
		return []any{"", "", "", 0}, nil, nil
	}
	t, err := s.newToken(tag)
	if err != nil {
		return nil, nil, err
	}
	over, err := s.newAccess(&t, *access)
	if err != nil {
		return nil, nil, err
	}
	n.Grant.Ends = time.Time{}
	sealed, err := s.sealGrant(n, t, false, false)
	if err != nil {
		return nil, nil, err
	}
	if out.Access, err = s.accessHandle(t); err != nil {
		return nil, nil, err
	}
	out.AccessLife = access.Life
	return []any{sealed, t.gidText(), over, access.Life.Milliseconds()}, t.keys(s.key)[1:], nil
}

// newToken makes a grant id in the slot of tag.
func (s *Store) newToken(tag string) (token, error) {
	b, err := s.random(gidSize)
	if err != nil {
		return token{}, err
	}
	return token{tag: tag, gid: [gidSize]byte(b)}, nil
}

// newAccess gives t a fresh access token id and returns its overlay, sealed; empty for a JWT.
func (s *Store) newAccess(t *token, a grant.Access) (string, error) {
	b, err := s.random(aidSize)
	if err != nil {
		return "", err
	}
	b[0] &^= jwtBit
	if !a.Stored {
		b[0] |= jwtBit
	}
	t.aid = [aidSize]byte(b)
	if !a.Stored {
		return "", nil
	}
	o := overlay{issued: s.now(), life: a.Life, narrowed: a.Scopes != nil, scopes: a.Scopes}
	return s.seal("access", s.key.access(t.tag, t.gidText(), t.aidText()), encodeOverlay(o))
}

// keys are those of redeem and refresh.
func (t token) keys(k keyspace) []string {
	return []string{
		k.acct(t.tag), k.control(t.tag, t.gidText()), k.grant(t.tag, t.gidText()), k.access(t.tag, t.gidText(), t.aidText()),
	}
}

// grantError is the error of a status of redeem, refresh and revoke.
func grantError(code int64) error {
	switch code {
	case gone:
		return grant.ErrUnknown
	case otherClient:
		return grant.ErrOtherClient
	case replay:
		return grant.ErrReplay
	case otherURI:
		return grant.ErrRedirect
	case verifier:
		return grant.ErrVerifier
	case otherKey:
		return grant.ErrKey
	default:
		return refused(code)
	}
}

// unknownHandle is the answer to a handle that is not ours; it keeps "unavailable".
func unknownHandle(err error) error {
	return fmt.Errorf("%w: %w", grant.ErrUnknown, err)
}

// Redeem implements grant.Store.
func (s grants) Redeem(ctx context.Context, code, clientID, redirectURI, challenge string, a grant.Access) (grant.Issued, error) { //nolint:revive // the arguments are those of RFC 6749 §4.1.3 and RFC 7636 §4.5
	i, err := s.redeem(ctx, code, []any{clientID, uriDigest(redirectURI), challenge}, a)
	if err != nil {
		return grant.Issued{}, fmt.Errorf("redeem code: %w", err)
	}
	return i, nil
}

func (s grants) redeem(ctx context.Context, code string, proof []any, a grant.Access) (grant.Issued, error) {
	t, err := s.openToken(prefixCode, code)
	if err != nil {
		return grant.Issued{}, s.handleError(err)
	}
	over, err := s.newAccess(&t, a)
	if err != nil {
		return grant.Issued{}, err
	}
	keys := t.keys(s.key)
	args := append([]any{t.aidText()}, proof...)
	r, err := s.run(ctx, "redeem", keys, append(args, "", "", over, a.Life.Milliseconds(), s.idle(a).Milliseconds())...)
	if err != nil {
		return grant.Issued{}, err
	}
	if r.code() != done {
		return grant.Issued{}, grantError(r.code())
	}
	i, err := s.issued(t, r.text(1), r.num(3))
	if err != nil {
		// Tokens that cannot be sent never live.
		_, derr := s.do(context.WithoutCancel(ctx), cmd{"unlink", keys[1], keys[2], keys[3]})
		return grant.Issued{}, errors.Join(grant.ErrUnknown, err, derr)
	}
	return i, nil
}

// handleError tells a handle that is not ours from a store that is not ready.
func (s *Store) handleError(err error) error {
	if s.gate() != nil {
		return err
	}
	return unknownHandle(err)
}

// idle is the idle life of a refresh token.
func (s *Store) idle(a grant.Access) time.Duration {
	return or(a.RefreshIdle, s.cfg.Lifetimes.RefreshIdle)
}

// issued makes the answer: the grant opened, and handles of the access token and of generation t.n.
func (s grants) issued(t token, sealed string, life int64) (grant.Issued, error) {
	g, err := s.openGrant(t, sealed)
	if err != nil {
		return grant.Issued{}, err
	}
	i := grant.Issued{Grant: g.Grant, AccessLife: time.Duration(life) * time.Millisecond}
	if i.Access, err = s.accessHandle(t); err != nil {
		return grant.Issued{}, err
	}
	if g.offline {
		if i.Refresh, err = s.refreshHandle(t); err != nil {
			return grant.Issued{}, err
		}
	}
	return i, nil
}

func (s *Store) openGrant(t token, sealed string) (storedGrant, error) {
	b, err := s.open("grant", s.key.grant(t.tag, t.gidText()), sealed)
	if err != nil {
		return storedGrant{}, err
	}
	return decodeGrant(b)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Config describes a ring. Store and Now are needed.
type Config struct {
	Store Store
	Now   func() time.Time
	// LongestToken is the life of the longest token the ring signs; 0: one hour.
	LongestToken time.Duration
	// Log gets the failures of Run; nil: none are logged.
	Log *slog.Logger
}

// RefreshEvery is how often Run reads the ring anew.
const RefreshEvery = 30 * time.Second

// ErrNotReady is a ring that has not been read yet, or has no key for the algorithm.
var ErrNotReady = errors.New("signing keys not ready")

// Ring is the signing keys of this node: an immutable snapshot that Refresh swaps. It is safe for use by many
// goroutines.
type Ring struct {
	cfg  Config
	snap atomic.Pointer[snapshot]
	lost atomic.Bool
}

// New returns a ring that is not ready until Refresh has succeeded once.
func New(c Config) *Ring {
	if c.LongestToken <= 0 {
		c.LongestToken = time.Hour
	}
	return &Ring{cfg: c}
}

// Refresh reads the ring from the store, makes it at the very first start, and does what the schedule asks for. When
// several nodes do so at once, the store takes one of them and the others read its ring. A ring that is missing
// later is authn.ErrLost and never made anew; the keys in memory stay, and Ready fails.
func (r *Ring) Refresh(ctx context.Context) error {
	err := r.change(ctx, func(ring []Key, p plan) ([]Key, bool, error) {
		if ring == nil {
			fresh, err := first(p.now)
			return fresh, true, err
		}
		return due(ring, p)
	})
	r.lost.Store(errors.Is(err, authn.ErrLost))
	if err != nil {
		return fmt.Errorf("refresh signing keys: %w", err)
	}
	return nil
}

// Rotate makes the next key of alg sign; an empty alg means all of them. ErrTooYoung, ErrUnknownAlg.
func (r *Ring) Rotate(ctx context.Context, alg string, u Urgency) error {
	algs := Algs()
	if alg != "" {
		if !slices.Contains(algs, alg) {
			return ErrUnknownAlg
		}
		algs = []string{alg}
	}
	return r.change(ctx, func(ring []Key, p plan) ([]Key, bool, error) {
		if ring == nil {
			return nil, false, ErrNotReady
		}
		var err error
		for _, a := range algs {
			if ring, err = rotate(ring, a, p, u); err != nil {
				return nil, false, err
			}
		}
		return ring, true, nil
	})
}

// action decides what becomes of a ring, and says whether it changed; nil is a ring that was never made.
type action func(ring []Key, p plan) ([]Key, bool, error)

// change reads the record, lets act decide, and writes it by compare-and-set; the loser of a race reads again and
// decides again, so that an act is never done on what another node has replaced.
func (r *Ring) change(ctx context.Context, act action) error {
	for range 5 {
		s, err := r.attempt(ctx, act)
		if errors.Is(err, authn.ErrConflict) {
			continue
		}
		if err != nil {
			return err
		}
		r.snap.Store(s)
		return nil
	}
	return authn.ErrConflict
}

// attempt reads, acts and writes once: authn.ErrConflict if another node wrote in between.
func (r *Ring) attempt(ctx context.Context, act action) (*snapshot, error) {
	raw, version, err := r.cfg.Store.LoadKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	var ring []Key
	if version != 0 || raw != nil {
		if ring, err = decode(raw); err != nil {
			return nil, errors.Join(authn.ErrLost, err)
		}
	}
	p := plan{now: r.cfg.Now().UTC(), longest: r.cfg.LongestToken}
	ring, changed, err := act(ring, p)
	if err != nil {
		return nil, err
	}
	if changed {
		raw, err := encode(ring)
		if err != nil {
			return nil, err
		}
		if err := r.cfg.Store.SaveKeys(ctx, raw, version); err != nil {
			return nil, fmt.Errorf("save: %w", err)
		}
	}
	return newSnapshot(ring, p.now)
}

// Run refreshes the ring every 30 s until ctx ends.
func (r *Ring) Run(ctx context.Context) {
	t := time.NewTicker(RefreshEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if err := r.Refresh(ctx); err != nil && r.cfg.Log != nil {
				r.cfg.Log.LogAttrs(ctx, slog.LevelError, "signing keys not refreshed", slog.String("error", err.Error()))
			}
		}
	}
}

// Ready says why the ring cannot be used, or nil.
func (r *Ring) Ready() error {
	if r.snap.Load() == nil {
		return ErrNotReady
	}
	if r.lost.Load() {
		return authn.ErrLost
	}
	return nil
}

// Signer returns the key that signs with alg now: its kid and its private half. ErrNotReady.
func (r *Ring) Signer(alg string) (string, crypto.Signer, error) {
	s := r.snap.Load()
	if s == nil || s.active[alg] == nil {
		return "", nil, ErrNotReady
	}
	return s.active[alg].key.ID, s.active[alg].key.Signer, nil
}

// Typ is the type of a JWT (RFC 8725 §3.11): a token of one type is never taken for another.
type Typ string

// The types of JWTs that the ring signs.
const (
	TypID     Typ = "JWT"
	TypAccess Typ = "at+jwt"
	TypLogout Typ = "logout+jwt"
	// TypUserinfo is ours: OIDC Core §5.3.2 names no type. TypIntrospection is that of RFC 9701 §5.
	TypUserinfo      Typ = "userinfo+jwt"
	TypIntrospection Typ = "token-introspection+jwt"
)

func typs() []Typ { return []Typ{TypID, TypAccess, TypLogout, TypUserinfo, TypIntrospection} }

// Sign returns payload as a compact JWS with alg, kid and typ in its header. ErrNotReady.
func (r *Ring) Sign(alg string, typ Typ, payload []byte) (string, error) {
	s := r.snap.Load()
	if s == nil || s.active[alg] == nil {
		return "", ErrNotReady
	}
	return s.active[alg].sign(typ, payload)
}

// JWKS is the public half of the ring (RFC 7517 §5): next, active and retired keys. Nil before the ring is ready;
// never change it.
func (r *Ring) JWKS() []byte {
	s := r.snap.Load()
	if s == nil {
		return nil
	}
	return s.jwks
}

// Use says what a signature is checked for.
type Use string

const (
	// ForToken takes published keys only.
	ForToken Use = "token"
	// ForHint takes keys, too, that left the JWKS up to HintLife ago: an old ID token still names its person.
	ForHint Use = "hint"
)

// Verify returns the public key of the given kid if it is for alg: the header's alg never chooses another kind of
// check than the key was made for (RFC 8725 §3.1).
func (r *Ring) Verify(kid, alg string, u Use) (crypto.PublicKey, bool) {
	s := r.snap.Load()
	if s == nil {
		return nil, false
	}
	k, ok := s.verify[kid]
	if !ok || k.Alg != alg {
		return nil, false
	}
	now := r.cfg.Now()
	if k.State == Retired && now.After(k.Retire) && (u != ForHint || now.After(k.Retire.Add(HintLife))) {
		return nil, false
	}
	return k.Signer.Public(), true
}

// Listing is a key as `key list` shows it: nothing in it is secret.
type Listing struct {
	ID        string    `json:"kid"`
	Alg       string    `json:"alg"`
	State     State     `json:"state"`
	Made      time.Time `json:"made"`
	Activated time.Time `json:"activated,omitzero"`
	// Leaves is when a retired key leaves the JWKS; Gone is when it stops verifying hints.
	Leaves time.Time `json:"leaves,omitzero"`
	Gone   time.Time `json:"gone,omitzero"`
}

// List returns the keys in the order they were made.
func (r *Ring) List() []Listing {
	s := r.snap.Load()
	if s == nil {
		return nil
	}
	out := make([]Listing, 0, len(s.ring))
	for _, k := range s.ring {
		l := Listing{ID: k.ID, Alg: k.Alg, State: k.State, Made: k.Made, Activated: k.Activated, Leaves: k.Retire}
		if k.State == Retired {
			l.Gone = k.Retire.Add(HintLife)
		}
		out = append(out, l)
	}
	return out
}

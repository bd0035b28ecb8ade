// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// scene is a store with one person signed in, for breaking.
type scene struct {
	t    *testing.T
	s    *store.Store
	e    *embedded.Embedded
	a    authn.Account
	f    *flow.Flow
	at   authn.Attempt
	ses  session.Session
	i    grant.Issued
	key  func(rest string) string
	good map[string]func() error
}

func newScene(t *testing.T) scene {
	t.Helper()
	s, e := mini(t, nil)
	ctx := t.Context()
	a, err := s.Accounts().Create(ctx, authn.NewAccount{Name: "ann", PasswordRecord: "record", TOTPSecret: []byte("12345678901234567890")})
	if err != nil {
		t.Fatal(err)
	}
	f := &flow.Flow{Request: flow.Request{ClientID: "app"}, Created: e.Now(), Account: &a, Epoch: 1, PasswordGen: 1, PasswordAt: e.Now()}
	if err := s.Flows().Create(ctx, f, "b"); err != nil {
		t.Fatal(err)
	}
	c := scene{t: t, s: s, e: e, a: a, f: f, at: authn.Attempt{Account: a, Flow: f.ID, Bind: []string{"b"}, Kind: "totp"}}
	if c.ses, err = s.Sessions().Create(ctx, session.Session{AccountID: a.ID, Epoch: 1, PasswordGen: 1, FactorGen: 1, End: e.Now().Add(time.Hour)}, ""); err != nil {
		t.Fatal(err)
	}
	out, err := s.Grants().Issue(ctx, grant.NewCode{Grant: grant.Grant{ClientID: "app"}, Account: a, Offline: true, Rotate: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.i, err = s.Grants().Redeem(ctx, out.Code, "app", "", "", grant.Access{Life: time.Hour, Stored: true}); err != nil {
		t.Fatal(err)
	}
	c.key = func(rest string) string { return "lg:{" + a.Tag + "}:" + rest }
	n := 0
	c.good = map[string]func() error{
		"ByName": func() error { _, err := s.Accounts().ByName(ctx, "ann"); return err },
		"ByID":   func() error { _, err := s.Accounts().ByID(ctx, a.ID); return err },
		"Flow":   func() error { _, err := s.Flows().Load(ctx, f.ID, []string{"b"}); return err },
		"Charge": func() error {
			n++
			_, err := s.Credentials().Charge(ctx, c.at, "guess"+strings.Repeat("x", n))
			return err
		},
		"Session": func() error { _, err := s.Sessions().Load(ctx, c.ses.Handle, "app"); return err },
		"Access":  func() error { _, err := s.Grants().Lookup(ctx, c.i.Access); return err },
		"Refresh": func() error { _, err := s.Grants().Lookup(ctx, c.i.Refresh); return err },
	}
	return c
}

// find returns the one key of the account that begins with rest.
func (c scene) find(rest string) string {
	c.t.Helper()
	for _, k := range c.e.Redis().Keys() {
		if strings.HasPrefix(k, c.key(rest)) {
			return k
		}
	}
	c.t.Fatalf("no key %s*", c.key(rest))
	return ""
}

// TestLostRecordsAreRefused: what is missing or broken is refused and told apart; never "not enrolled", never nobody.
func TestLostRecordsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(c scene)
		// want is what every use answers; uses not named must still work.
		want map[string]error
	}{
		{"nothing is wrong", func(scene) {}, nil},
		{"account gone", func(c scene) { c.e.Redis().Del(c.key("acct")) }, map[string]error{
			"ByName": authn.ErrLost, "ByID": authn.ErrLost, "Flow": authn.ErrLost, "Charge": authn.ErrMoved, "Session": authn.ErrLost,
			"Access": authn.ErrLost, "Refresh": authn.ErrLost,
		}},
		{"profile gone", func(c scene) { c.e.Redis().Del(c.key("prof")) }, map[string]error{
			"ByName": authn.ErrLost, "ByID": authn.ErrLost, "Flow": authn.ErrLost, "Session": authn.ErrLost, "Access": authn.ErrLost,
			"Refresh": authn.ErrLost,
		}},
		{"account and profile gone", func(c scene) {
			c.e.Redis().Del(c.key("acct"))
			c.e.Redis().Del(c.key("prof"))
		}, map[string]error{
			"ByName": authn.ErrLost, "ByID": authn.ErrNotFound, "Flow": authn.ErrLost, "Charge": authn.ErrMoved, "Session": authn.ErrLost,
			"Access": authn.ErrLost, "Refresh": authn.ErrLost,
		}},
		{"factor gone", func(c scene) { c.e.Redis().Del(c.key("mfa")) }, map[string]error{"Charge": authn.ErrLost}},
		{"last step gone", func(c scene) { c.dropFields("mfa", "l:") }, map[string]error{"Charge": authn.ErrLost}},
		{"counters gone", func(c scene) { c.dropFields("mfa", "bu") }, map[string]error{"Charge": authn.ErrLost}},
		{"factor secret broken", func(c scene) { c.spoilField("mfa", "s:") }, map[string]error{"Charge": authn.ErrLost}},
		{"factor generation set back", func(c scene) {
			c.e.Redis().HSet(c.key("mfa"), "gen", "0")
		}, map[string]error{"Charge": authn.ErrLost}},
		{"factor state unknown", func(c scene) { c.e.Redis().HSet(c.key("acct"), "mfastate", "none") }, map[string]error{
			"ByName": authn.ErrLost, "ByID": authn.ErrLost, "Flow": authn.ErrLost, "Session": authn.ErrLost, "Access": authn.ErrLost,
			"Refresh": authn.ErrLost,
		}},
		{"password record broken", func(c scene) { c.spoilField("acct", "pw") }, map[string]error{
			"ByName": authn.ErrLost, "ByID": authn.ErrLost,
		}},
		{"session broken", func(c scene) { spoil(c.t, c.e, c.find("s:")) }, map[string]error{"Session": authn.ErrLost}},
		{"grant broken", func(c scene) { spoil(c.t, c.e, c.find("g:")) }, map[string]error{
			"Access": grant.ErrUnknown, "Refresh": grant.ErrUnknown,
		}},
		{"grant control gone", func(c scene) { c.e.Redis().Del(c.find("c:")) }, map[string]error{
			"Access": grant.ErrUnknown, "Refresh": grant.ErrUnknown,
		}},
		{"flow broken", func(c scene) {
			c.spoilField(strings.TrimPrefix(c.find("f:"), c.key("")), "r")
		}, map[string]error{"Flow": authn.ErrLost}},
	} {
		t.Run(c.name, func(t *testing.T) {
			sc := newScene(t)
			c.spoil(sc)
			for use, act := range sc.good {
				if err := act(); !errors.Is(err, c.want[use]) {
					t.Errorf("%s: error = %v, want %v", use, err, c.want[use])
				}
			}
		})
	}
}

func (c scene) dropFields(rest, prefix string) {
	c.t.Helper()
	fields, err := c.e.Redis().HKeys(c.key(rest))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range fields {
		if strings.HasPrefix(f, prefix) {
			c.e.Redis().HDel(c.key(rest), f)
		}
	}
}

func (c scene) spoilField(rest, prefix string) {
	c.t.Helper()
	fields, err := c.e.Redis().HKeys(c.key(rest))
	if err != nil {
		c.t.Fatal(err)
	}
	for _, f := range fields {
		if f == prefix || strings.HasSuffix(prefix, ":") && strings.HasPrefix(f, prefix) {
			v := []byte(c.e.Redis().HGet(c.key(rest), f))
			v[len(v)-1] ^= 1
			c.e.Redis().HSet(c.key(rest), f, string(v))
		}
	}
}

func spoil(t *testing.T, e *embedded.Embedded, key string) {
	t.Helper()
	v, err := e.Redis().Get(key)
	if err != nil {
		t.Fatal(err)
	}
	b := []byte(v)
	b[len(b)-1] ^= 1
	if err := e.Redis().Set(key, string(b)); err != nil {
		t.Fatal(err)
	}
}

// TestMovedPayloadsAreRefused: who can write to Redis cannot give one person what belongs to another.
func TestMovedPayloadsAreRefused(t *testing.T) {
	c := newScene(t)
	ctx := t.Context()
	m := c.e.Redis()
	b, err := c.s.Accounts().Create(ctx, authn.NewAccount{Name: "eve", PasswordRecord: "eves", TOTPSecret: []byte("eve-eve-eve-eve-eve-")})
	if err != nil {
		t.Fatal(err)
	}
	eve := "lg:{" + b.Tag + "}:"
	// Eve's password record, profile, and authenticator in the place of Ann's.
	pw := m.HGet(c.key("acct"), "pw")
	m.HSet(c.key("acct"), "pw", m.HGet(eve+"acct", "pw"))
	if err := c.good["ByName"](); !errors.Is(err, authn.ErrLost) {
		t.Errorf("ByName with another's password record: %v, want ErrLost", err)
	}
	m.HSet(c.key("acct"), "pw", pw)
	prof, _ := m.Get(c.key("prof"))
	other, _ := m.Get(eve + "prof")
	_ = m.Set(c.key("prof"), other)
	if err := c.good["ByName"](); !errors.Is(err, authn.ErrLost) {
		t.Errorf("ByName with another's profile: %v, want ErrLost", err)
	}
	_ = m.Set(c.key("prof"), prof)
	ids, eves := m.HGet(c.key("mfa"), "ids"), m.HGet(eve+"mfa", "ids")
	m.HSet(c.key("mfa"), "s:"+ids, m.HGet(eve+"mfa", "s:"+eves))
	if err := c.good["Charge"](); !errors.Is(err, authn.ErrLost) {
		t.Errorf("Charge with another's secret: %v, want ErrLost", err)
	}
	// The name index of Ann pointing to Eve.
	for _, k := range m.Keys() {
		if v, err := m.Get(k); err == nil && v == c.a.ID {
			_ = m.Set(k, b.ID)
		}
	}
	if err := c.good["ByName"](); !errors.Is(err, authn.ErrLost) {
		t.Errorf("ByName with the index of another: %v, want ErrLost", err)
	}
	// A session whose end was moved in plain text still ends by what is sealed.
	key := c.find("s:")
	v, _ := m.Get(key)
	_, sealed, _ := strings.Cut(v, "|")
	_ = m.Set(key, "99999999999999|"+sealed)
	c.e.Advance(2 * time.Hour)
	if err := c.good["Session"](); !errors.Is(err, authn.ErrGone) {
		t.Errorf("Session with its end moved: %v, want ErrGone", err)
	}
}

// TestOtherKeysOpenNothing: a node with another ring, or after a new epoch, refuses everything.
func TestOtherKeysOpenNothing(t *testing.T) {
	c := newScene(t)
	other := config(t, c.e.Addr())
	other.Prefix, other.Embedded, other.Now = "lg:", true, c.e.Now
	s := opened(t, other)
	if _, err := s.Accounts().ByName(t.Context(), "ann"); !errors.Is(err, authn.ErrLost) {
		t.Errorf("ByName with another ring: %v, want ErrLost", err)
	}
	if _, err := s.Grants().Lookup(t.Context(), c.i.Access); !errors.Is(err, grant.ErrUnknown) {
		t.Errorf("Lookup with another ring: %v, want ErrUnknown", err)
	}
}

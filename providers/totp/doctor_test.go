// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// dice throws the same numbers in every run: a counter under HMAC.
type dice struct {
	seed string
	n    uint64
}

func (d *dice) bytes() []byte {
	m := hmac.New(sha512.New, []byte(d.seed))
	fmt.Fprint(m, d.n)
	d.n++
	return m.Sum(nil)
}

func (d *dice) below(n uint64) uint64 { return binary.BigEndian.Uint64(d.bytes()) % n }

func (d *dice) secret() []byte { return d.bytes()[:secretSize] }

func (d *dice) time() time.Time { return time.Unix(1_700_000_000+int64(d.below(1_000_000_000)), 0) }

// phone is an app with settings of its own: RFC 6238, written a second time.
type phone struct {
	hash           func() hash.Hash
	digits, period int
	slow           time.Duration
}

func right() phone { return phone{hash: sha1.New, digits: 6, period: 30} }

func (p phone) step(now time.Time) int64 { return now.Add(-p.slow).Unix() / int64(p.period) }

func (p phone) code(secret []byte, now time.Time) string {
	mac := hmac.New(p.hash, secret)
	_ = binary.Write(mac, binary.BigEndian, p.step(now))
	h := mac.Sum(nil)
	o := int(h[len(h)-1] & 15)
	n := int(h[o]&127)<<24 | int(h[o+1])<<16 | int(h[o+2])<<8 | int(h[o+3])
	return fmt.Sprintf("%0*d", p.digits, n%int(math.Pow10(p.digits)))
}

// TestPhone holds the second implementation to a third one.
func TestPhone(t *testing.T) {
	d := &dice{seed: "phone"}
	for range 5 {
		secret, now := d.secret(), d.time()
		if got, want := right().code(secret, now), oathtool(t, encode(secret), now); got != want {
			t.Errorf("code = %s, want %s", got, want)
		}
	}
}

// mistake is one thing that goes wrong in a set-up.
type mistake struct {
	name string
	// make returns what was typed and the authenticators that were removed; "" if this mistake does not fit them.
	make func(d *dice, secret []byte, now time.Time) (string, []authn.Credential)
	want authn.SetupError
}

func mistakes() []mistake {
	var all []mistake
	for _, s := range []int{31, 45, 60, 75, 94, 120, 200, 300, 451, 599, 600} {
		all = append(all, shifted(s), shifted(-s))
	}
	app := func(name string, want authn.SetupError, change func(*phone)) {
		p := right()
		change(&p)
		all = append(all, mistake{name, func(_ *dice, secret []byte, now time.Time) (string, []authn.Credential) {
			return p.code(secret, now), nil
		}, want})
	}
	sha2 := func(n string) authn.SetupError {
		return authn.SetupError{Cause: authn.CauseAlgorithm, Detail: "SHA-" + n}
	}
	eight, minute := authn.SetupError{Cause: authn.CauseDigits, Detail: "8"}, authn.SetupError{Cause: authn.CausePeriod, Detail: "60"}
	app("SHA-256", sha2("256"), func(p *phone) { p.hash = sha256.New })
	app("SHA-512", sha2("512"), func(p *phone) { p.hash = sha512.New })
	app("SHA-256 a step late", sha2("256"), func(p *phone) { p.hash, p.slow = sha256.New, 30*time.Second })
	app("SHA-256 on a slow phone", sha2("256"), func(p *phone) { p.hash, p.slow = sha256.New, 5*time.Minute })
	app("SHA-256 and eight digits", sha2("256"), func(p *phone) { p.hash, p.digits = sha256.New, 8 })
	app("SHA-512 and eight digits", sha2("512"), func(p *phone) { p.hash, p.digits = sha512.New, 8 })
	app("eight digits", eight, func(p *phone) { p.digits = 8 })
	app("eight digits a step early", eight, func(p *phone) { p.digits, p.slow = 8, -30*time.Second })
	app("eight digits on a fast phone", eight, func(p *phone) { p.digits, p.slow = 8, -8*time.Minute })
	app("60 seconds", minute, func(p *phone) { p.period = 60 })
	app("60 seconds, a step late", minute, func(p *phone) { p.period, p.slow = 60, time.Minute })
	app("60 seconds and eight digits", minute, func(p *phone) { p.period, p.digits = 60, 8 })
	app("60 seconds and SHA-256", minute, func(p *phone) { p.period, p.hash = 60, sha256.New })
	for pair := range strings.FieldsSeq("S5 Z2 G6 T7 IL IJ OQ OD UV B3 5S 2Z 6G 7T LI JI QO DO VU 3B") {
		all = append(all, mistyped(pair))
	}
	all = append(all, mistyped("S5", "2Z"), mistyped("OQ", "IL"), mistyped("6G", "DO"))
	for _, name := range []string{"Old phone", ""} {
		all = append(all, removedEntry(name, 0), removedEntry(name, 1), removedEntry(name, -1))
	}
	return all
}

func shifted(seconds int) mistake {
	p := right()
	p.slow = time.Duration(seconds) * time.Second
	return mistake{fmt.Sprintf("clock %d seconds slow", seconds), func(_ *dice, secret []byte, now time.Time) (string, []authn.Credential) {
		if off := p.step(now) - right().step(now); off >= -1 && off <= 1 {
			return "", nil
		}
		return p.code(secret, now), nil
	}, authn.SetupError{Cause: authn.CauseClock, Behind: p.slow}}
}

// mistyped types the first letter of each pair as the second, where the key first has it.
func mistyped(pairs ...string) mistake {
	return mistake{"key typed with " + strings.Join(pairs, " "), func(_ *dice, secret []byte, now time.Time) (string, []authn.Credential) {
		key := []byte(base32.StdEncoding.EncodeToString(secret))
		for _, pair := range pairs {
			i := bytes.IndexByte(key, pair[0])
			if i < 0 {
				return "", nil
			}
			key[i] = pair[1]
		}
		wrong, _ := base32.StdEncoding.DecodeString(string(key))
		if bytes.Equal(wrong, secret) {
			return "", nil
		}
		return right().code(wrong, now), nil
	}, authn.SetupError{Cause: authn.CauseKey}}
}

func removedEntry(name string, steps int) mistake {
	p := right()
	p.slow = time.Duration(steps) * 30 * time.Second
	return mistake{fmt.Sprintf("code of the removed entry %q, %d steps late", name, steps), func(d *dice, _ []byte, now time.Time) (string, []authn.Credential) {
		old := d.secret()
		return p.code(old, now), []authn.Credential{{Name: "Another", Secret: d.secret()}, {Name: "Short", Secret: old[:8]}, {Name: name, Secret: old}}
	}, authn.SetupError{Cause: authn.CauseRemoved, Detail: name}}
}

// TestDoctor: journeys J6. Every mistake, with many secrets at many times, is called by its name.
func TestDoctor(t *testing.T) {
	if n := len(mistakes()); n < 40 {
		t.Fatalf("%d mistakes, want at least 40", n)
	}
	for _, m := range mistakes() {
		t.Run(m.name, func(t *testing.T) {
			d := &dice{seed: m.name}
			for range 12 {
				secret, now, typed := d.secret(), d.time(), ""
				var removed []authn.Credential
				for typed == "" {
					secret, now = d.secret(), d.time()
					typed, removed = m.make(d, secret, now)
				}
				got, want := *diagnose(secret, removed, now, typed), m.want
				// A code is shown for 30 seconds: nobody can know better than to half of that.
				if off := got.Behind - want.Behind; off.Abs() <= 15*time.Second {
					want.Behind = got.Behind
				}
				if got != want {
					t.Errorf("%x at %d, %s typed: %+v, want %+v", secret, now.Unix(), typed, got, want)
				}
			}
		})
	}
}

// candidates counts, by its own reckoning, the codes of six digits that the doctor has an explanation for.
func candidates(secret []byte) int {
	partners := map[rune]int{}
	for _, r := range "S5Z2G6T7ILIJOQODUVB3" {
		partners[r]++
	}
	single, double := 0, 0
	for _, r := range base32.StdEncoding.EncodeToString(secret) {
		double += single * partners[r]
		single += partners[r]
	}
	const clock, algorithms, periods = 2 * (maxShift - 1), 2 * (2*maxShift + 1), 3 * 3
	return clock + algorithms + periods + 3*(single+double)
}

// TestDoctorRandom: a code that comes of nothing is unknown. The exceptions are chance hits, as many as there are
// candidates.
func TestDoctorRandom(t *testing.T) {
	const codes, parts, perSecret = 20_000, 4, 40
	for part := range parts {
		t.Run(fmt.Sprint(part), func(t *testing.T) {
			t.Parallel()
			d := &dice{seed: fmt.Sprint("random", part)}
			known, expected := 0, 0.0
			for range codes / parts / perSecret {
				secret, now := d.secret(), d.time()
				expected += perSecret * float64(candidates(secret)) / 1_000_000
				for range perSecret {
					if diagnose(secret, nil, now, fmt.Sprintf("%06d", d.below(1_000_000))).Cause != authn.CauseUnknown {
						known++
					}
				}
			}
			if limit := expected + 4*math.Sqrt(expected); float64(known) > limit || known > codes/parts/200 {
				t.Errorf("%d of %d random codes have a cause, want at most %.1f", known, codes/parts, limit)
			}
		})
	}
	d := &dice{seed: "random"}
	for range 200 {
		if got := diagnose(d.secret(), nil, d.time(), fmt.Sprintf("%08d", d.below(100_000_000))); got.Cause != authn.CauseUnknown {
			t.Errorf("eight random digits: %+v", got)
		}
	}
}

// TestDoctorBound: the work of a call has the bound that the comment states, for the worst of keys.
func TestDoctorBound(t *testing.T) {
	worst := 0
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" {
		worst = max(worst, len(lookAlikes(byte(c))))
	}
	single := 32 * worst
	double := 32 * 31 / 2 * worst * worst
	if got := 3*(2*maxShift+1) + 3*3 + 3*maxRemoved + 3*(single+double); got != 6306 {
		t.Errorf("at most %d HMACs, the comment says 6306", got)
	}
	many := make([]authn.Credential, maxRemoved+1)
	old := (&dice{seed: "old"}).secret()
	many[maxRemoved] = authn.Credential{Secret: old}
	now := time.Unix(1_800_000_000, 0)
	if got := diagnose([]byte(rfcSecret), many, now, right().code(old, now)); got.Cause != authn.CauseUnknown {
		t.Errorf("removed authenticator number %d is looked at: %+v", len(many), got)
	}
}

// TestDoctorLikeliest: one mistake goes before two, and two explanations of one kind are none.
func TestDoctorLikeliest(t *testing.T) {
	d := &diagnosis{modulus: 1_000_000}
	clock, key := authn.SetupError{Cause: authn.CauseClock, Behind: time.Minute}, authn.SetupError{Cause: authn.CauseKey}
	for _, tt := range []struct {
		found []finding
		want  authn.SetupError
	}{
		{nil, authn.SetupError{Cause: authn.CauseUnknown}},
		{[]finding{{2, key}, {1, clock}}, clock},
		{[]finding{{1, clock}, {2, key}}, clock},
		{[]finding{{2, key}, {2, key}}, key},
		{[]finding{{1, clock}, {1, key}}, authn.SetupError{Cause: authn.CauseUnknown}},
		{[]finding{{2, clock}, {2, key}, {1, key}}, key},
		{[]finding{{1, clock}, {1, key}, {1, clock}}, authn.SetupError{Cause: authn.CauseUnknown}},
	} {
		if d.found = tt.found; *d.verdict() != tt.want {
			t.Errorf("verdict of %v = %+v, want %+v", tt.found, d.verdict(), tt.want)
		}
	}
	for _, typed := range []string{"", "12345", "1234567", "123456789", "12345a", strings.Repeat(" ", 80)} {
		if got := diagnose([]byte(rfcSecret), nil, time.Unix(0, 0), typed); got.Cause != authn.CauseUnknown {
			t.Errorf("%q: %+v", typed, got)
		}
	}
}

// kept is the real store with what it does not keep yet: the authenticators that were removed.
type kept struct {
	authn.CredentialStore
	removed []authn.Credential
	err     error
}

func (k kept) Removed(context.Context, authn.Attempt) ([]authn.Credential, error) {
	return k.removed, k.err
}

// TestConfirmSays: the finding comes out of Confirm, is a rejection, and takes one of the ten tries of the set-up.
func TestConfirmSays(t *testing.T) {
	w := newWorld(t, nil)
	a := w.signIn()
	secret := w.begin(a)
	old := (&dice{seed: "old"}).secret()
	f := New(Config{Store: kept{CredentialStore: w.store.Credentials(), removed: []authn.Credential{{Name: "Old phone", Secret: old}}}})
	slow, eight := right(), right()
	slow.slow, eight.digits = 94*time.Second, 8
	now := w.clock.Now()
	long := eight.code(secret, now)
	var causes []authn.SetupCause
	for _, typed := range []string{slow.code(secret, now), long[:4] + " " + long[4:], right().code(old, now), "12345", "wrong"} {
		_, err := f.Confirm(t.Context(), a, url.Values{"code": {typed}})
		e, ok := errors.AsType[*authn.SetupError](err)
		if !ok || !errors.Is(err, authn.ErrRejected) {
			t.Fatalf("Confirm(%s) = %v, want a SetupError", typed, err)
		}
		causes = append(causes, e.Cause)
	}
	if want := []authn.SetupCause{"clock", "digits", "removed", "unknown", "unknown"}; !slices.Equal(causes, want) {
		t.Errorf("causes = %v, want %v", causes, want)
	}
	for range 7 {
		if _, err := f.Confirm(t.Context(), a, url.Values{"code": {long}}); !errors.Is(err, authn.ErrRejected) {
			t.Fatalf("Confirm = %v, want ErrRejected", err)
		}
	}
	if _, err := f.Confirm(t.Context(), a, url.Values{"code": {long}}); !errors.Is(err, authn.ErrGone) {
		t.Errorf("the eleventh code: %v, want ErrGone", err)
	}
	b := w.signIn()
	w.begin(b)
	away := New(Config{Store: kept{CredentialStore: w.store.Credentials(), err: authn.ErrUnavailable}})
	if _, err := away.Confirm(t.Context(), b, url.Values{"code": {long}}); !errors.Is(err, authn.ErrUnavailable) {
		t.Errorf("Confirm without the removed ones = %v, want ErrUnavailable", err)
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package totp

import (
	"hash"
	"math"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// The doctor says why the confirming code of a set-up did not fit (journeys J6). It may try what it likes, since the
// secret is not live: whoever sees the answer has the page with the key before them. It never gets a live secret: a
// finding about one would be a guess that nobody paid for.
//
// One call makes at most 3*41 + 3*3 + 3*maxRemoved + 3*2048 = 6306 HMACs, about 700 for a key as they come: shifts
// of the clock and algorithms, periods, removed authenticators, keys with one or two look-alikes (at worst 64 and
// 1984, a key of 32 letters with two look-alikes each). The store ends a set-up after ten calls.

const (
	// maxShift is ten minutes of clock, in steps.
	maxShift = 20
	// maxRemoved bounds the removed authenticators that are looked at, the first ones given.
	maxRemoved = 10
	// longDigits and longPeriod are what an app uses that does not read the settings of a QR code.
	longDigits = 8
	longPeriod = 60
)

// finding is an explanation that the typed code fits. Those with one cause are likelier than those with two.
type finding struct {
	causes int
	what   authn.SetupError
}

// diagnosis collects findings.
type diagnosis struct {
	now time.Time
	// code is what was typed, as a number below modulus, which is ten to the number of digits.
	code, modulus uint32
	found         []finding
}

// diagnose returns the likeliest explanation of a code that does not confirm the set-up of pending: the one with the
// fewest mistakes in it. None, or two that are as likely, is authn.CauseUnknown.
func diagnose(pending []byte, removed []authn.Credential, now time.Time, typed string) *authn.SetupError {
	code, modulus, ok := number(typed)
	if !ok {
		return unknown()
	}
	d := &diagnosis{now: now, code: code, modulus: modulus}
	d.settings(pending)
	d.periods(pending)
	if !d.long() {
		d.removed(removed)
		d.misread(pending)
	}
	return d.verdict()
}

func unknown() *authn.SetupError { return &authn.SetupError{Cause: authn.CauseUnknown} }

// number reads six or eight digits.
func number(typed string) (code, modulus uint32, ok bool) {
	plain, ok := onlyDigits(typed)
	if !ok || len(plain) != digits && len(plain) != longDigits {
		return 0, 0, false
	}
	modulus = 1
	for i := range len(plain) {
		code, modulus = code*10+uint32(plain[i]-'0'), modulus*10
	}
	return code, modulus, true
}

// long says that eight digits were typed.
func (d *diagnosis) long() bool { return d.modulus > 1_000_000 }

// fits compares with the code of one step.
func (d *diagnosis) fits(keyed hash.Hash, step int64) bool {
	return step >= 0 && truncated(keyed, uint64(step))%d.modulus == d.code
}

// add keeps a finding. a and the number of digits are causes beside the others.
func (d *diagnosis) add(a algorithm, others int, what authn.SetupError) {
	if a != algorithmSHA1 {
		others++
	}
	if d.long() {
		others++
	}
	d.found = append(d.found, finding{others, what})
}

// settings tries shifts of the clock, other algorithms and eight digits, and several of these at once.
func (d *diagnosis) settings(secret []byte) {
	for _, a := range algorithms() {
		keyed := a.keyed(secret)
		for shift := int64(-maxShift); shift <= maxShift; shift++ {
			if step := stepAt(d.now) + shift; d.fits(keyed, step) {
				d.setting(a, shift, step)
			}
		}
	}
}

// setting names what is wrong. Of several things the one that is set in the app comes first: a clock that is off as
// well is found at the next code.
func (d *diagnosis) setting(a algorithm, shift, step int64) {
	late := 0
	if shift < -1 || shift > 1 {
		late = 1
	}
	switch {
	case a != algorithmSHA1:
		d.add(a, late, authn.SetupError{Cause: authn.CauseAlgorithm, Detail: string(a)})
	case d.long():
		d.add(a, late, authn.SetupError{Cause: authn.CauseDigits, Detail: "8"})
	case late > 0:
		d.add(a, late, authn.SetupError{Cause: authn.CauseClock, Behind: d.behind(step)})
	}
}

// behind is how far the clock of a phone is behind that shows the code of step. A code tells no more than the 30
// seconds in which it was shown, so this is the middle of them.
func (d *diagnosis) behind(step int64) time.Duration {
	shown := time.Unix(step*period, 0).Add(period * time.Second / 2)
	return d.now.Sub(shown).Round(time.Second)
}

// periods tries steps of 60 seconds.
func (d *diagnosis) periods(secret []byte) {
	for _, a := range algorithms() {
		keyed := a.keyed(secret)
		for _, offset := range steps() {
			if d.fits(keyed, d.now.Unix()/longPeriod+offset) {
				d.add(a, 1, authn.SetupError{Cause: authn.CausePeriod, Detail: "60"})
			}
		}
	}
}

// removed tries authenticators that are not in force any more: people read the code off the old entry of the app.
func (d *diagnosis) removed(removed []authn.Credential) {
	for _, cred := range removed[:min(len(removed), maxRemoved)] {
		if len(cred.Secret) < secretSize {
			continue
		}
		if d.fitsNow(cred.Secret) {
			d.add(algorithmSHA1, 1, authn.SetupError{Cause: authn.CauseRemoved, Detail: cred.Name})
		}
	}
}

// misread tries the keys that come of typing one or two letters of the right one as their look-alikes.
func (d *diagnosis) misread(secret []byte) {
	key := []byte(encode(secret))
	for i := range key {
		right := key[i]
		for _, wrong := range []byte(lookAlikes(right)) {
			key[i] = wrong
			d.tryKey(1, key)
			for j := i + 1; j < len(key); j++ {
				d.misreadAt(key, j)
			}
		}
		key[i] = right
	}
}

// misreadAt tries a second look-alike.
func (d *diagnosis) misreadAt(key []byte, j int) {
	right := key[j]
	for _, wrong := range []byte(lookAlikes(right)) {
		key[j] = wrong
		d.tryKey(2, key)
	}
	key[j] = right
}

func (d *diagnosis) tryKey(causes int, key []byte) {
	secret, err := decode(string(key))
	if err == nil && d.fitsNow(secret) {
		d.add(algorithmSHA1, causes, authn.SetupError{Cause: authn.CauseKey})
	}
}

// fitsNow compares with the steps that a right secret is taken at.
func (d *diagnosis) fitsNow(secret []byte) bool {
	found, keyed := false, algorithmSHA1.keyed(secret)
	for _, offset := range steps() {
		if d.fits(keyed, stepAt(d.now)+offset) {
			found = true
		}
	}
	return found
}

// verdict picks the explanation with the fewest causes; two different ones of these are no answer.
func (d *diagnosis) verdict() *authn.SetupError {
	least := finding{causes: math.MaxInt, what: *unknown()}
	for _, f := range d.found {
		switch {
		case f.causes < least.causes:
			least = f
		case f.causes == least.causes && f.what != least.what:
			least.what = *unknown()
		}
	}
	return &least.what
}

// lookAlikes are the letters that c of a key is typed as by mistake. 0, 1 and 8 are in no key: apps that take them
// read O, I or L, and B, so a D typed as 0 comes out as O, an I typed as 1 as L, and a 3 typed as 8 as B.
func lookAlikes(c byte) string {
	switch c {
	case 'I':
		return "LJ"
	case 'O':
		return "QD"
	case 'L', 'J':
		return "I"
	case 'Q', 'D':
		return "O"
	}
	const pairs = "S5Z2G6T7UVB3"
	at := strings.IndexByte(pairs, c)
	if at < 0 {
		return ""
	}
	return pairs[at^1 : at^1+1]
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package throttle

import (
	"math"
	"time"
)

// MostChance is what the chance of a blind guess at a second factor within a year stays below, for any account.
const MostChance = 1e-4

// year is what a refill is counted over, as in the store.
const year = 365 * 24 * time.Hour

// Bucket is the yearly budget of one lane, in units: one unit is one step of one authenticator compared with one code.
// It holds Room, and Refill comes back in a year.
type Bucket struct{ Room, Refill int }

// Budget is everything that bounds guesses at the second factor of one account (decisions.md, Guesses).
type Budget struct {
	// Known is the lane of browsers with a remembered device in force, Unknown that of all others.
	Known, Unknown Bucket
	// Steps are compared for each guess and authenticator, Period is the length of one, Digits that of a code.
	Steps  int
	Period time.Duration
	Digits int
	// Authenticators an account may have. Each one that is tried costs Steps units.
	Authenticators int
	// RecoveryCodes an account may have, each of RecoveryBits random bits.
	RecoveryCodes, RecoveryBits int
	// Free guesses of a lane without a wait, then FirstWait doubling to LongestWait; more than Cap in a row lock.
	Free                   int
	FirstWait, LongestWait time.Duration
	Cap                    int
	// SetUp wrong codes end a set-up. They add nothing to the chance: they are compared with a secret that is not live,
	// and which the page has just shown to whoever guesses.
	SetUp int
}

// Default returns the budget of decisions.md.
func Default() Budget {
	return Budget{
		Known: Bucket{Room: 24, Refill: 12}, Unknown: Bucket{Room: 36, Refill: 24},
		Steps: 3, Period: 30 * time.Second, Digits: 6, Authenticators: 10, RecoveryCodes: 10, RecoveryBits: 75,
		Free: 5, FirstWait: 30 * time.Second, LongestWait: time.Hour, Cap: 50, SetUp: 10,
	}
}

// YearlyChance returns an upper bound of the chance that somebody with the password and nothing else passes the second
// factor of an account within any 365 days, by every way there is. It is a union bound, so it holds whatever the order
// and the parallelism of the guesses, and for guessers that share what they learn:
//
//   - a lane never has more than Room units spent, and forgets Refill a year. What is charged in a year is what is
//     spent at its end, less what was at its start, and what was forgotten: at most Room + Refill;
//   - what a success gives back was paid by its own flow, and a flow belongs to one browser: no guesser gets anything
//     back before a guess has hit;
//   - one unit hits with the chance of the likeliest code;
//   - a recovery code is tried against each that is left, as often as waits and cap allow.
func (b Budget) YearlyChance() float64 {
	units := float64(b.Units())
	recovery := b.recoveryGuesses() * float64(b.RecoveryCodes) * math.Exp2(-float64(b.RecoveryBits))
	return units*b.likeliest() + recovery
}

// Units returns the most units that are charged within a year, both lanes together.
func (b Budget) Units() int {
	return b.Known.Room + b.Known.Refill + b.Unknown.Room + b.Unknown.Refill
}

// Reach returns how many wrong codes in a row one lane takes of somebody with the password within a year, counted
// against one authenticator, which is the cheapest. A cap that is not over it lets a guesser lock the owner out.
func (b Budget) Reach() int {
	return max(b.Known.Room+b.Known.Refill, b.Unknown.Room+b.Unknown.Refill) / max(1, b.Steps)
}

// likeliest is the chance of the code that comes up most. A code is the last digits of a number of 31 bits, and since
// 2^31 is no multiple of 10^6 the codes up to 483647 come up 2148 times in 2^31, the others 2147 times.
func (b Budget) likeliest() float64 {
	const numbers = 1 << 31
	return math.Ceil(numbers/math.Pow10(b.Digits)) / numbers
}

// recoveryGuesses bounds the recovery codes that are tried in a year in both lanes. Only a pass of the owner ends
// waits and sets the row of failures to nothing. A step passes once for each authenticator, a recovery code once, and
// new ones are made after a pass. Between two passes waits stop a lane after Free guesses, and the cap after Cap; a
// lane that waits guesses no more than once every shortest wait.
func (b Budget) recoveryGuesses() float64 {
	steps := float64(year) / float64(b.Period)
	passes := (steps*float64(b.Authenticators) + 1) * float64(1+b.RecoveryCodes)
	waited := float64(year)/float64(min(b.FirstWait, b.LongestWait)) + 1
	byWaits := float64(b.Free)*(passes+1) + waited
	byCap := float64(b.Cap) * (passes + 1)
	return 2 * min(byWaits, byCap)
}

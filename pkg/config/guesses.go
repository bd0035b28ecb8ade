// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"

	"github.com/lychgate/lychgate/pkg/throttle"
)

// guessSetting is one setting of guesses and the number of the budget that it sets.
type guessSetting struct {
	name string
	set  func(*throttle.Budget, Guesses)
}

func guessSettings() []guessSetting {
	return []guessSetting{
		{"guesses.free", func(b *throttle.Budget, g Guesses) { b.Free = g.Free }},
		{"guesses.first_wait", func(b *throttle.Budget, g Guesses) { b.FirstWait = g.FirstWait }},
		{"guesses.longest_wait", func(b *throttle.Budget, g Guesses) { b.LongestWait = g.LongWait }},
		{"guesses.cap", func(b *throttle.Budget, g Guesses) { b.Cap = g.Cap }},
	}
}

// validateGuesses refuses settings under which blind guesses hit an account too often, and a cap that a guesser with
// the password reaches, who would lock the owner out by it.
func (c *Config) validateGuesses() Problems {
	if p := tooLikely(throttle.Default(), c.Guesses); len(p) > 0 {
		return p
	}
	b := throttle.Default()
	if c.Guesses.Cap <= b.Reach() {
		return Problems{fmt.Sprintf("guesses.cap: %d wrong codes can be typed within a year by somebody with the password, "+
			"so that the owner would be locked out; write %d or more", c.Guesses.Cap, b.Reach()+1)}
	}
	return nil
}

// tooLikely names the settings that bring the chance of a year to the limit: each one that does so alone, on top of
// base; if none does, all of them.
func tooLikely(base throttle.Budget, g Guesses) Problems {
	all := base
	for _, s := range guessSettings() {
		s.set(&all, g)
	}
	if all.YearlyChance() < throttle.MostChance {
		return nil
	}
	var p Problems
	for _, s := range guessSettings() {
		one := base
		s.set(&one, g)
		if chance := one.YearlyChance(); chance >= throttle.MostChance {
			p = append(p, s.name+": "+odds(chance))
		}
	}
	if len(p) == 0 {
		p = Problems{"guesses.free, guesses.first_wait, guesses.longest_wait, guesses.cap: together, " + odds(all.YearlyChance())}
	}
	return p
}

func odds(chance float64) string {
	return fmt.Sprintf("blind guesses would pass with a chance of %.2g within a year; it has to be under %g", chance, throttle.MostChance)
}

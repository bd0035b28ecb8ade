// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"time"
)

// Figure is what is counted of the events of a day.
type Figure string

// The figures: sign-ins, refusals by their reason, and factors that were locked.
const (
	FigureSignIns  Figure = "in"
	FigurePassword Figure = "password"
	FigureCode     Figure = "code"
	FigureUsed     Figure = "used"
	FigureTries    Figure = "tries"
	FigureLocked   Figure = "locked"
)

// FiguresOf are the figures that a record counts for: what locks a factor is a refusal too.
func FiguresOf(r Record) []Figure {
	switch r.Event {
	case SessionStarted:
		return []Figure{FigureSignIns}
	case LoginRejected:
		return []Figure{FigurePassword}
	case LoginThrottled:
		return []Figure{FigureTries}
	case FactorLocked:
		if r.Result == ReasonStill {
			return []Figure{FigureTries}
		}
		return []Figure{FigureTries, FigureLocked}
	case FactorRejected:
		return refusalOf(r.Result)
	default:
		return nil
	}
}

func refusalOf(result string) []Figure {
	switch result {
	case "rejected", "slip":
		return []Figure{FigureCode}
	case ReasonUsed:
		return []Figure{FigureUsed}
	case "wait", "budget":
		return []Figure{FigureTries}
	default:
		return nil
	}
}

// Day is what was counted of a day in UTC.
type Day struct {
	Day    time.Time
	Counts map[Figure]int
}

// Figures are counts by day of what the journal was given. It may answer authn.ErrUnavailable.
type Figures interface {
	// Figures returns so many days that end with the day of last, the oldest first, in one round trip. company is whose
	// people signed in; empty: everybody, also names that nobody has. A day is kept for five weeks.
	Figures(ctx context.Context, company string, last time.Time, days int) ([]Day, error)
}

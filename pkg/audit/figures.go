// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"time"
)

// Figure is what is counted of the events of a day.
type Figure string

// The figures: sign-ins, and refusals by their reason.
const (
	FigureSignIns  Figure = "in"
	FigurePassword Figure = "password"
	FigureCode     Figure = "code"
	FigureTries    Figure = "tries"
)

// FigureOf is the figure that a record counts for; empty: none.
func FigureOf(r Record) Figure {
	switch {
	case r.Event == SessionStarted:
		return FigureSignIns
	case r.Event == LoginRejected:
		return FigurePassword
	case r.Event == LoginThrottled, r.Event == FactorLocked, r.Event == FactorRejected && (r.Result == "wait" || r.Result == "budget"):
		return FigureTries
	case r.Event == FactorRejected && (r.Result == "rejected" || r.Result == "slip"):
		return FigureCode
	default:
		return ""
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

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"
)

// maxValue bounds a value of a record, in bytes; what was before and after a change fits.
const maxValue = 4096

// Reasons that tell refusals of a factor apart where the person reads the same words.
const (
	// ReasonUsed is a code that was used before (FactorRejected).
	ReasonUsed = "used"
	// ReasonStill is a try at a factor that was locked before (FactorLocked); of the one that locked it the reason is "locked".
	ReasonStill = "still locked"
)

// Record is one security event: who, what, result, from where.
type Record struct {
	At    time.Time `json:"time"`
	Event string    `json:"event"`
	// Account is whom it is about, Actor who did it if that is somebody else.
	Account string `json:"account,omitempty"`
	Actor   string `json:"actor,omitempty"`
	Client  string `json:"client,omitempty"`
	Company string `json:"company,omitempty"`
	// Result says how it went, where the event's name does not.
	Result    string `json:"result,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Source    string `json:"source,omitempty"`
	Browser   string `json:"browser,omitempty"`
	// Detail is what else the event says, e.g. method, act.
	Detail map[string]string `json:"detail,omitempty"`
}

// record sorts attributes into the schema. Values are bounded and hold no control characters and no line ends of
// Unicode, so that no line of a listing or a terminal can be forged with them (security.md PL-05).
func record(at time.Time, event string, attrs []slog.Attr) Record {
	r := Record{At: at.UTC().Truncate(time.Millisecond), Event: event}
	known := map[string]*string{
		"account": &r.Account, "actor": &r.Actor, "client": &r.Client, "company": &r.Company, "result": &r.Result,
		"reason": &r.Result, "request_id": &r.RequestID, "source": &r.Source, "browser": &r.Browser,
	}
	for _, a := range attrs {
		v := clean(a.Value.String())
		if field, ok := known[a.Key]; ok {
			*field = v
			continue
		}
		if r.Detail == nil {
			r.Detail = map[string]string{}
		}
		r.Detail[a.Key] = v
	}
	return r
}

func clean(v string) string {
	if len(v) > maxValue {
		v = v[:maxValue]
	}
	return strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || unicode.In(c, unicode.Cf, unicode.Zl, unicode.Zp) || c == unicode.ReplacementChar {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(v, "?"))
}

// Personal says whether the person of the account is shown an event: what only repeats another one is left out.
func Personal(event string) bool {
	return !slices.Contains([]string{LoginAccepted, SessionStarted, GrantLead, ConsentDenied, LoginThrottled}, event)
}

// Activity reads the latest events of an account that its person is shown, the newest first, at most 50. It may answer
// authn.ErrUnavailable.
type Activity interface {
	Recent(ctx context.Context, accountID string) ([]Record, error)
}

// Query says which part of the journal to read.
type Query struct {
	// From and Until bound the time of the events, From included, Until not; zero: no bound.
	From, Until time.Time
	// Before is Next of the page before; empty: the newest.
	Before string
	// Limit is the most records of a page, 1 to 500; 0: 100.
	Limit int
	// Keep says which records count; nil: all.
	Keep func(Record) bool
}

// Page is a part of the journal.
type Page struct {
	Records []Record
	// Next is the place where the next page begins; empty: there is none.
	Next string
}

// Store keeps records for good, chained so that a change or a gap shows. It may answer authn.ErrUnavailable.
type Store interface {
	Activity
	Figures
	// Append keeps records in their order; what fails may be repeated.
	Append(ctx context.Context, list []Record) error
	// Page reads backwards, the newest first, for who looks through it: in a bounded number of round trips, so a page may
	// be short, or empty, though more follows. It does not check the chain: Read does.
	Page(ctx context.Context, q Query) (Page, error)
	// Read calls yield for every record, the oldest first, until it answers false; broken says what is wrong with the
	// chain at this record, empty: nothing.
	Read(ctx context.Context, yield func(r Record, broken string) bool) error
}

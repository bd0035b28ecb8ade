// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package authn

import (
	"context"
	"log/slog"
)

// Anybody stands for the accounts of all companies where a company is asked for.
const Anybody = "*"

// PeopleShow says which accounts are listed.
type PeopleShow string

// What is listed. ShowWithout is active accounts that have no second factor in force: never set up, removed, or reset.
const (
	ShowAll     PeopleShow = ""
	ShowWithout PeopleShow = "without"
	ShowWith    PeopleShow = "with"
)

// PeopleQuery asks for a page of accounts, the newest of a company first.
type PeopleQuery struct {
	// Company is the id of a company, or Anybody.
	Company string
	Show    PeopleShow
	// Text begins the sign-in name, or a word of the person's name, in any case; empty: everybody. Fewer than three
	// characters stand for a whole word.
	Text string
	// Group is the id of a group of the company; empty: all.
	Group string
	// After is PeoplePage.Next of the page before.
	After string
	// Limit is the length of a page: 1 to 200, 50 if 0.
	Limit int
}

// LogValue keeps what was searched for out of the logs.
func (q PeopleQuery) LogValue() slog.Value {
	return slog.StringValue("[redacted] people of " + q.Company)
}

// PeoplePage is a page of accounts.
type PeoplePage struct {
	// People have no password record. A page may be shorter than was asked for, though more follow.
	People []Record
	// Next is for the next page; empty: there is none. It names an account: seal it before it goes out.
	Next string
}

// Headcount is how many accounts there are, with disabled ones. Without can be too high for a moment: an account that
// has just set a factor up counts until it is looked at.
type Headcount struct{ All, Without int }

// People finds accounts without going through all of them, and changes what is said of a person. Every method may
// answer ErrUnavailable.
type People interface {
	// Page returns a page in at most nine round trips, whatever the number of accounts. ErrGone for an
	// After that is not of this company's list.
	Page(ctx context.Context, q PeopleQuery) (PeoplePage, error)
	// Headcount counts the accounts of a company, or of Anybody, in one round trip.
	Headcount(ctx context.Context, company string) (Headcount, error)
	// Headcounts counts the accounts of companies, in their order, in one round trip.
	Headcounts(ctx context.Context, companies []string) ([]Headcount, error)
	// Some returns accounts by their ids, without their passwords, in one round trip; those that are not there are left
	// out. At most 400.
	Some(ctx context.Context, ids []string) ([]Record, error)
	// EditProfile changes the profile of an account by change, which gets it as it is and answers what it is to be; it
	// may be called again if another change came between. company as for AccountStore.Apply. The sign-in name cannot be
	// changed. ErrNotFound, ErrLost, or what change answers.
	EditProfile(ctx context.Context, id, company string, change func(Record) (Profile, error)) (Record, error)
	// Delete removes an account with all that is kept of its person, at once on every node; running it again finishes
	// what an outage left. Its id is never used again. What stands in no index (flows under way, access tokens without
	// a refresh token) is refused from then on and ends by itself within an hour. ErrNotFound.
	Delete(ctx context.Context, id, company string) error
	// Reindex puts an account of before there was an index, or one whose entries were lost, into the index.
	Reindex(ctx context.Context, id string) error
}

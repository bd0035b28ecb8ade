// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package authn says who an account is and how it proves it: the account, the evidence of a sign-in, and the
// two extension points Directory (passwords) and Factor (second factors). It knows no HTTP, no Redis, no OAuth.
package authn

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Sentinels that cross package borders. Compare with errors.Is.
var (
	// ErrRejected is a wrong name, password or code; which of them is never told apart outside.
	ErrRejected = errors.New("rejected")
	// ErrNotFound is an account, client or company that does not exist.
	ErrNotFound = errors.New("not found")
	// ErrExists is a name or id that is taken.
	ErrExists = errors.New("exists already")
	// ErrUnavailable wraps every failure of the store: answer 503 with Retry-After, accept nothing.
	ErrUnavailable = errors.New("store unavailable")
	// ErrBusy is a full queue of password hashes: answer 503 with Retry-After.
	ErrBusy = errors.New("too many sign-ins at once")
	// ErrLost is a record that is missing or broken where it must not be: refuse and report, never enrol.
	ErrLost = errors.New("record lost or broken")
	// ErrMoved is an account that is not active any more, or whose generation moved since it was read.
	ErrMoved = errors.New("account changed")
	// ErrGone is a flow, session, device or set-up that is unknown, ended, expired or of another browser.
	ErrGone = errors.New("gone")
	// ErrLocked is a second factor that was disabled by too many failures (NIST SP 800-63B §3.2.2).
	ErrLocked = errors.New("factor locked")
	// ErrLockedNow is the failure that locked it: an ErrLocked too.
	ErrLockedNow = fmt.Errorf("%w by this failure", ErrLocked)
	// ErrUsed is a code that fits and was used before: an ErrRejected too, and what its person reads is the same.
	ErrUsed = fmt.Errorf("%w: used before", ErrRejected)
	// ErrBudget is a lane whose yearly budget of guesses is spent (decisions.md, Guesses).
	ErrBudget = errors.New("guess budget spent")
	// ErrNotEnrolled is an account without a second factor: never set up, or reset.
	ErrNotEnrolled = errors.New("no second factor")
	// ErrSlip is a recovery code that cannot be one: its check character does not fit. It costs nothing.
	ErrSlip = errors.New("slip of the hand")
	// ErrTooMany is a set-up over the most authenticators that an account may have.
	ErrTooMany = errors.New("too many authenticators")
	// ErrConflict is an act that does not fit the state of the record.
	ErrConflict = errors.New("state does not fit")
)

// WaitError refuses a guess that came before its wait was over.
type WaitError struct{ For time.Duration }

// Error implements error.
func (e *WaitError) Error() string { return fmt.Sprintf("wait %s", e.For) }

// SetupCause is why a confirming code of a set-up did not fit, as far as it can be known (journeys J6).
type SetupCause string

// The causes. CauseUnknown is a code that fits nothing that was tried.
const (
	// CauseClock: the phone's clock is off; SetupError.Behind says by how much.
	CauseClock SetupCause = "clock"
	// CauseAlgorithm, CauseDigits, CausePeriod: the app ignores SHA-1, 6 digits or 30 seconds; SetupError.Detail is
	// what it does: "SHA-256" "SHA-512", "8", "60".
	CauseAlgorithm SetupCause = "algorithm"
	CauseDigits    SetupCause = "digits"
	CausePeriod    SetupCause = "period"
	// CauseKey: the key was typed with a look-alike in it.
	CauseKey SetupCause = "key"
	// CauseRemoved: the code is of an authenticator that was removed; Detail is its name. CauseOther: it is of
	// another one that is in force, and was spent by this; or the key is one that the account has already.
	CauseRemoved SetupCause = "removed"
	CauseOther   SetupCause = "other"
	CauseUnknown SetupCause = "unknown"
)

// SetupError is a confirming code that did not fit, with what is known of the reason. It is ErrRejected.
type SetupError struct {
	Cause SetupCause
	// Behind is how far the phone's clock is behind the right time; below 0: ahead. In whole seconds.
	Behind time.Duration
	Detail string
}

// Error implements error.
func (e *SetupError) Error() string { return "set-up code rejected: " + string(e.Cause) }

// Is makes a SetupError an ErrRejected.
func (e *SetupError) Is(target error) bool { return target == ErrRejected }

// RejectedError is a wrong password for an account that is there; for the account's own history alone, since an answer
// must not tell it from a wrong name. It is ErrRejected.
type RejectedError struct{ AccountID, Company string }

// Error implements error.
func (e *RejectedError) Error() string { return ErrRejected.Error() }

// Is makes a RejectedError an ErrRejected.
func (e *RejectedError) Is(target error) bool { return target == ErrRejected }

// State of an account.
type State string

// The states of an account.
const (
	Active   State = "active"
	Disabled State = "disabled"
)

// FactorState says what is known of an account's second factor. Unknown is never "not enrolled".
type FactorState string

// The states of the second factor. Only FactorNever, FactorOff, or a ticket after FactorReset, opens a set-up.
// FactorOff is an account whose person removed the last authenticator where no policy wants one.
const (
	FactorNever FactorState = "never"
	FactorOn    FactorState = "on"
	FactorOff   FactorState = "off"
	FactorReset FactorState = "reset"
)

// Account is a person Lychgate can sign in, as the store knew it at the time of reading.
type Account struct {
	// ID is the account's id and public subject: at most 255 ASCII characters, never used again.
	ID string
	// Tag names the account's slot in the store and its device cookie: 13 characters of [a-z2-7], not secret.
	Tag string
	// Name is the canonical sign-in name. Empty where the store had no need to read the profile.
	Name string
	// Company is the id of the company the account belongs to.
	Company string
	State   State
	// Epoch moves when everything that was issued must end (sign out everywhere, disable, password, reset).
	Epoch int64
	// PasswordGen moves with the password, FactorGen with any change of the authenticators.
	PasswordGen, FactorGen int64
	Factor                 FactorState
	// Authenticators are the ids of those in force; read together with a flow, else empty.
	Authenticators []string
	// Skips is how often the person has put a set-up off.
	Skips int
	Roles []string
	// Groups are those of the company that the account is in, by their ids; Admin is what it may administrate. Both are
	// empty where the store had no need to read the profile.
	Groups []string
	Admin  AdminRole
	// Created is the time the account was made; zero where the store had no need to read the profile.
	Created time.Time
	// Contact is how its person is told what happens to it, Claims are those of its profile; both empty as Created.
	Contact Contact
	Claims  map[string]any
	// Attributes are what else the profile says, by names of the operator's own; empty as Created.
	Attributes map[string]any
}

// Contact is how a person is told what happens to the account.
type Contact struct {
	// Emails are all addresses that are known: the claim email, and the sign-in name if it is another address
	// (NIST SP 800-63B §4.6 wants all of them told).
	Emails []string
	// Person is the person's name, Locale the language tag of the claim; either may be empty.
	Person, Locale string
}

// LogValue keeps addresses out of the logs.
func (Contact) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// OfKind returns the ids of the account's authenticators of one kind.
func (a Account) OfKind(kind string) []string {
	var ids []string
	for _, id := range a.Authenticators {
		if KindOf(id) == kind {
			ids = append(ids, id)
		}
	}
	return ids
}

// KindOf is the kind of the authenticator of an id: what stands before the dot. Ids without one are of a time when
// there was one kind.
func KindOf(id string) string {
	kind, _, ok := strings.Cut(id, ".")
	if !ok {
		return "totp"
	}
	return kind
}

// Authenticator is one enrolled factor of an account, as its person sees it.
type Authenticator struct {
	ID, Kind string
	// Name is the one its person gave it; empty: none.
	Name string
	// Added and Used are zero where nothing is known.
	Added, Used time.Time
}

// Factors is what an account has beyond its password.
type Factors struct {
	// List is in the order in which they were added.
	List []Authenticator
	// RecoveryLeft is the number of unused recovery codes; RecoveryGen rises with each new set of them.
	RecoveryLeft int
	RecoveryGen  int64
	// Locked: disabled by too many failures.
	Locked bool
}

// Profile is what an account says of its person.
type Profile struct {
	// Name is the sign-in name as it was given (shown to the person).
	Name string `json:"name"`
	// Claims are OIDC Core §5.1 standard claims by their names.
	Claims map[string]any `json:"claims,omitempty"`
	// Attributes are the operator's own, to be mapped into claims: texts, numbers, booleans and lists of texts.
	Attributes map[string]any `json:"attributes,omitempty"`
	Roles      []string       `json:"roles,omitempty"`
	// Groups are ids of the company's groups. Admin is what the account may administrate.
	Groups []string  `json:"groups,omitempty"`
	Admin  AdminRole `json:"admin,omitempty"`
	// Created is the time the account was made, in Unix seconds.
	Created int64 `json:"created"`
}

// Evidence is one thing a person proved in a sign-in.
type Evidence struct {
	// Method is a name of RFC 8176 or of lg_evidence: pwd otp recovery hwk swk.
	Method string
	// At is when the thing itself was shown; for a remembered device, the pass at which it was ticked.
	At time.Time
	// Device is true if a remembered device stood for it: it satisfies a policy, never acr mfa.
	Device bool
	// Left is how many recovery codes are left after one was shown; known in that moment alone.
	Left int `json:"-"`
}

// FreshProof is how old password and factor may be when a change of factors or password begins (ASVS 7.5.1).
const FreshProof = 5 * time.Minute

// Authentication context classes (decisions.md).
const (
	ACRPassword = "urn:lychgate:acr:pwd" //nolint:gosec // a name
	ACRFactor   = "urn:lychgate:acr:mfa"
)

// ACR returns the truthful context class of a sign-in by password and the given factor evidence.
// A remembered device never reaches ACRFactor (NIST SP 800-63B §5.1).
func ACR(factors []Evidence) string {
	for _, e := range factors {
		if !e.Device {
			return ACRFactor
		}
	}
	return ACRPassword
}

// AMR returns the RFC 8176 methods of a sign-in by password and the given factor evidence.
func AMR(factors []Evidence) []string {
	amr := []string{"pwd"}
	for _, e := range factors {
		if e.Device {
			continue
		}
		if e.Method != "recovery" {
			amr = append(amr, e.Method)
		}
	}
	if ACR(factors) == ACRFactor {
		amr = append(amr, "mfa")
	}
	return amr
}

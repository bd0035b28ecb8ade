// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package grant is what was issued to a client for an account: code, access tokens, refresh tokens.
package grant

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Errors of redeeming and refreshing; each becomes invalid_grant, the reason goes to the log.
var (
	ErrUnknown     = errors.New("unknown, expired or half lost")
	ErrOtherClient = errors.New("of another client")
	ErrReplay      = errors.New("used before: the grant is dead now")
	ErrRedirect    = errors.New("redirect_uri differs")
	ErrVerifier    = errors.New("code_verifier does not fit")
	ErrKey         = errors.New("other key")
)

// Grant is what a client was given, written once when it was issued.
type Grant struct {
	ClientID string
	// AccountID and Subject are empty for client credentials. Subject is the sub the client sees.
	AccountID, Subject string
	// SID is the session id (claim sid).
	SID                   string
	Scopes, Audience      []string
	AuthTime, RequestedAt time.Time
	ACR                   string
	AMR                   []string
	Evidence              []authn.Evidence
	Nonce, RedirectURI    string
	// IDClaims are claims for the ID token, as JSON object text, as they were at the answer; UserClaims are the names of
	// those that userinfo gives beside the ones of the scopes (OIDC Core §5.5). Empty: none.
	IDClaims   string
	UserClaims []string
	// Ends is the absolute end; zero: none (a grant without a refresh token ends with its access token).
	Ends time.Time
}

// LogValue keeps the nonce and the person out of the logs.
func (g Grant) LogValue() slog.Value { return slog.StringValue("[redacted] client " + g.ClientID) }

// NewCode is a grant to issue as an authorization code.
type NewCode struct {
	Grant Grant
	// Account is as read when the gate decided: if one of its generations has moved, nothing is issued.
	Account authn.Account
	// Challenge is the S256 code challenge, or empty.
	Challenge string
	// Offline: a refresh token comes with it. Rotate: each use makes a new one.
	Offline, Rotate bool
	// Flow is the id of the stored flow that ends here; empty if none was stored. One answer per flow.
	Flow string
	// Session is the handle of the session that the answer is given under, for a client that is told of its end: it is
	// recorded in the same step, and without a living session nothing is issued (authn.ErrMoved). Empty: not recorded.
	Session string
	// NoCode: the answer has no code (response types without it); only the flow ends and the generations are compared.
	NoCode bool
}

// Front is what an authorization response carries (OAuth 2.0 Multiple Response Types §5).
type Front struct {
	// Code is empty without one. Access is the handle of the access token (the token, or the jti of an at+jwt), empty
	// without one; it ends after AccessLife, whatever becomes of the code.
	Code, Access string
	AccessLife   time.Duration
}

// Access says what access token to make.
type Access struct {
	// Life is its lifetime; shortened to the grant's end.
	Life time.Duration
	// Stored is true for opaque tokens; false for JWTs, which leave no record of their own.
	Stored bool
	// Scopes narrows the grant's; nil: all of them.
	Scopes []string
	// RefreshIdle is the idle life of the refresh token.
	RefreshIdle time.Duration
}

// Issued is an answer of the token endpoint, without the ID token.
type Issued struct {
	Grant Grant
	// Access is the handle (prefix lga_): the opaque token, or the jti of an at+jwt. Refresh is empty if none.
	Access, Refresh string
	AccessLife      time.Duration
	// Lead > 0: the refresh token was ahead of the record: writes were lost; write a security event.
	Lead int64
}

// Kind of a token that was looked up.
type Kind string

// Kinds of tokens.
const (
	KindAccess  Kind = "access_token"
	KindRefresh Kind = "refresh_token"
)

// Live is a token that is in force.
type Live struct {
	Grant Grant
	Kind  Kind
	// Scopes is what this token may do: the grant's, or fewer.
	Scopes  []string
	Expires time.Time
	Issued  time.Time
	// Profile is read only for accounts; Account is its present state.
	Profile authn.Profile
	Account authn.Account
}

// Store keeps grants. Every method is one round trip and may answer authn.ErrUnavailable. A handle that is
// forged, cut short, re-encoded or of another kind is refused before the store is asked.
type Store interface {
	// Issue records what an answer carries (OAuth 2.0 Multiple Response Types §5) and ends the flow, all of it or none, in
	// one step: one grant and its code (life 60 s), or with n.NoCode no code; with access an access token under a grant of
	// its own. authn.ErrMoved when the account changed after the gate decided, authn.ErrGone when the flow was answered
	// before.
	Issue(ctx context.Context, n NewCode, access *Access) (Front, error)
	// Redeem turns a code into tokens, once; a second use ends the grant (RFC 6749 §4.1.2). redirectURI is as sent
	// at the token endpoint, challenge is the S256 of the verifier or empty. ErrUnknown ErrOtherClient ErrReplay
	// ErrRedirect ErrVerifier, authn.ErrMoved.
	Redeem(ctx context.Context, code, clientID, redirectURI, challenge string, a Access) (Issued, error)
	// Refresh makes the next generation. The one before is good for 10 s more and gives the same successor; older
	// ones end the grant. ErrUnknown ErrOtherClient ErrReplay, authn.ErrMoved. a.Scopes wider than the grant's is
	// the caller's to refuse: check is called with the grant before anything is handed out, its error undoes only
	// the new access token.
	Refresh(ctx context.Context, token, clientID string, a Access, check func(Grant) error) (Issued, error)
	// IssueClient makes an access token for client credentials. With a.Stored false it makes a jti and asks nothing
	// of the store.
	IssueClient(ctx context.Context, g Grant, a Access) (Issued, error)
	// Lookup returns a live access or refresh token, or of a jti: ErrUnknown for anything else.
	Lookup(ctx context.Context, token string) (Live, error)
	// Revoke ends the grant (refresh token, or jti of a JWT) or the one access token. Unknown tokens are nil;
	// ErrOtherClient changes nothing.
	Revoke(ctx context.Context, token, clientID string, jwt bool) error
	// Drop ends the grant of an issued answer that could not be sent after Redeem; or, after Refresh, only the
	// new access token, so that a retry repairs it.
	Drop(ctx context.Context, i Issued, wholeGrant bool) error
}

// Consents remembers which scopes an account allowed a client.
type Consents interface {
	// Allow adds scopes to what the account allowed the client.
	Allow(ctx context.Context, a authn.Account, clientID string, scopes []string) error
}

// Standing is an app that may act for an account, or has been allowed to.
type Standing struct {
	ClientID string
	// Scopes are what its living grants hold and what the person has allowed it; in no order.
	Scopes []string
	// Since is when the oldest living grant was issued; zero where only a consent stands.
	Since time.Time
	// Offline says that it can go on without the person (a refresh token).
	Offline bool
}

// Standings shows and ends the access of apps, for the account page. Every method may answer authn.ErrUnavailable.
type Standings interface {
	// List returns one entry for each client, in the order of their ids.
	List(ctx context.Context, a authn.Account) ([]Standing, error)
	// Withdraw ends every grant of the client for the account and forgets what was allowed; in force on every node when
	// it has answered, but for JWTs that are out. It is harmless to repeat.
	Withdraw(ctx context.Context, a authn.Account, clientID string) error
}

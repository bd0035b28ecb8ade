// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/templates"
)

// linkPath is where mailed links lead. The token is the rest of the path: it is in no query, so no log of ours has it,
// and no page behind it sends it on (Referrer-Policy: no-referrer, no redirects).
const linkPath = "/link/"

// Passwords checks and hashes passwords that people choose.
type Passwords interface {
	// Check says why a password may not be chosen, by an error that is one of authn.ErrPassword…. context are words that
	// it must not be made of.
	Check(password string, context ...string) error
	// Hash returns the record of a password: authn.ErrBusy if too many are hashed at once.
	Hash(ctx context.Context, password string) (string, error)
}

// People is what the pages behind mailed links do to accounts. Every method may answer authn.ErrUnavailable or
// authn.ErrLost.
type People interface {
	// ByID finds an account by id: authn.ErrNotFound.
	ByID(ctx context.Context, id string) (authn.Account, error)
	// SetPassword sets the password by its record, and ends sessions and devices; authn.ErrMoved if it was changed since a
	// was read. The second factor stays.
	SetPassword(ctx context.Context, a authn.Account, record string) (authn.Account, error)
	// ResetFactor takes all authenticators away and ends sessions, devices and grants; a set-up wants a ticket then.
	ResetFactor(ctx context.Context, id string) (authn.Account, error)
	// NewTicket returns a one-time set-up ticket for an account without a factor.
	NewTicket(ctx context.Context, id string) (string, error)
}

// opened is a link with the account as it is now.
type opened struct {
	token   string
	link    authn.Link
	account authn.Account
	// invitation is set for a link that makes an account; account is then what is known of it.
	invitation invitation.Invitation
}

// deadLink is the one answer to any link that does nothing, whatever the reason (issue: the same words).
func deadLink(err error) error {
	return &Error{Status: http.StatusBadRequest, Kind: "link", Err: err}
}

var errLinkOver = errors.New("the account has moved on from the link")

// open reads the link of the address without using it up: mail scanners open links.
func (s *Site) open(r *http.Request) (opened, error) {
	o := opened{token: r.PathValue("token")}
	var err error
	if o.link, err = s.cfg.Links.Link(r.Context(), o.token); errors.Is(err, authn.ErrGone) {
		return o, deadLink(err)
	} else if err != nil {
		return o, fmt.Errorf("read link: %w", err)
	}
	if o.link.Kind == authn.LinkInvite {
		return s.openInvite(r, o)
	}
	if o.account, err = s.cfg.People.ByID(r.Context(), o.link.AccountID); errors.Is(err, authn.ErrNotFound) {
		return o, deadLink(err)
	} else if err != nil {
		return o, fmt.Errorf("account of a link: %w", err)
	}
	if !good(o.link, o.account) {
		return o, deadLink(errLinkOver)
	}
	return o, nil
}

// good says whether the account is still as the link wants it. A link to a new password is dead once another one was
// chosen; a ticket once the password or the factor has moved. What takes a set-up back works whatever a thief has
// changed since, as long as there is something to take back.
func good(l authn.Link, a authn.Account) bool {
	switch l.Kind {
	case authn.LinkPassword:
		return a.State == authn.Active && a.PasswordGen == l.PasswordGen
	case authn.LinkSetup:
		return a.State == authn.Active && a.PasswordGen == l.PasswordGen && a.FactorGen == l.FactorGen && a.Factor != authn.FactorOn
	case authn.LinkNotMe:
		return a.Factor == authn.FactorOn || a.Factor == authn.FactorOff
	default:
		return false
	}
}

// use uses the link up: of two that race, one gets the page of a dead link.
func (s *Site) use(r *http.Request, o opened) error {
	if _, err := s.cfg.Links.UseLink(r.Context(), o.token); errors.Is(err, authn.ErrGone) {
		return deadLink(err)
	} else if err != nil {
		return fmt.Errorf("use link: %w", err)
	}
	return nil
}

// serveLink shows what the link is for. Whatever a GET does it can do fifty times.
func (s *Site) serveLink(w http.ResponseWriter, r *http.Request) error {
	o, err := s.open(r)
	if err != nil {
		return err
	}
	switch o.link.Kind {
	case authn.LinkInvite:
		return s.serveInvite(w, r, o)
	case authn.LinkSetup:
		s.page(w, r, http.StatusOK, templates.SetupLink{Frame: s.linkFrame(w, r, o), Action: r.URL.Path, Account: o.account.Name})
	case authn.LinkNotMe:
		s.page(w, r, http.StatusOK, templates.NotMe{Frame: s.linkFrame(w, r, o), Action: r.URL.Path, Account: o.account.Name})
	default:
		s.page(w, r, http.StatusOK, s.passwordPage(w, r, o))
	}
	return nil
}

// submitLink does what the link is for.
func (s *Site) submitLink(w http.ResponseWriter, r *http.Request) error {
	in, err := form(w, r)
	if err != nil {
		return err
	}
	o, err := s.open(r)
	if err != nil {
		return err
	}
	switch o.link.Kind {
	case authn.LinkInvite:
		return s.acceptInvite(w, r, o, in)
	case authn.LinkSetup:
		return s.carryTicket(w, r, o)
	case authn.LinkNotMe:
		return s.disown(w, r, o)
	default:
		return s.choosePassword(w, r, o, in)
	}
}

// linkFrame is the frame of a page behind a link, of the app that its person came from.
func (s *Site) linkFrame(w http.ResponseWriter, r *http.Request, o opened) templates.Frame {
	return s.frame(w, r, o.request(), &flow.Flow{Account: &o.account})
}

func (o opened) request() *flow.Request {
	if o.link.ClientID == "" {
		return nil
	}
	return &flow.Request{ClientID: o.link.ClientID}
}

// backTo is where the app of the link is, as registered; empty if none is known. Nothing of the request is asked.
func (s *Site) backTo(r *http.Request, o opened) string {
	if c, err := s.clientOf(r.Context(), o.request(), ""); err == nil {
		return c.URI
	}
	return ""
}

// asker says whether this browser is the one that asked for the link.
func (s *Site) asker(r *http.Request, l authn.Link) bool {
	same := 0
	for _, secret := range s.jar.bind(r) {
		same |= subtle.ConstantTimeCompare([]byte(browserOf(secret)), []byte(l.Browser))
	}
	return same == 1
}

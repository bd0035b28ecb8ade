// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/templates"
)

// confirm asks before an act that cannot be taken back. What may not be done is told on the page of the person.
func (v *visit) confirm(kind string) error {
	r, co, err := v.whose()
	switch {
	case err != nil:
		return err
	case r.ID == v.Account.ID:
		return v.acted("own", "", nil)
	case !v.touches(r):
		return v.acted("", "", admin.ErrForbidden)
	}
	pending, err := v.clerk.PendingReset(v.r.Context(), r)
	if err != nil {
		return err
	}
	return v.page(templates.ConsolePersonAct{
		Console: v.frame("people"), Kind: kind, Action: personPage(r.ID) + "/" + kind, Back: personPage(r.ID), Person: r.Name,
		Name: r.Contact.Person, Emails: r.Contact.Emails, Tag: admin.PersonTag(r), Has: r.Factor == authn.FactorOn, Admins: co.ResetAdmins,
		Hours: co.ResetWait, Pending: waiting(pending, v.cfg.Now()),
	})
}

// serveReset says what a reset does, before it is done.
func serveReset(v *visit) error { return v.confirm("reset") }

// submitReset takes somebody's second factor away, C3: the link to a new set-up goes to the person alone.
func submitReset(v *visit) error {
	id := v.r.PathValue("person")
	before, _, err := v.whose()
	if err != nil {
		return err
	}
	if id == v.Account.ID {
		return v.acted("own", "", nil)
	}
	done, err := v.clerk.ResetPerson(v.r.Context(), id)
	switch {
	case errors.Is(err, authn.ErrConflict):
		// There is no mailer, or the person has no address: no link would arrive.
		return v.acted("mute", "", nil)
	case err != nil:
		return v.acted("", "", err)
	case !done.Done:
		return v.acted("asked", "", nil)
	case before.Factor != authn.FactorOn:
		return v.acted("link", "", nil)
	}
	return v.acted("reset", "", nil)
}

// serveDelete names the person and says what is erased.
func serveDelete(v *visit) error { return v.confirm("delete") }

// submitDelete erases a person, as it was looked at.
func submitDelete(v *visit) error {
	r, _, err := v.whose()
	if err != nil {
		return err
	}
	if r.ID == v.Account.ID {
		return v.acted("own", "", nil)
	}
	if v.form.Get("tag") != admin.PersonTag(r) {
		return v.acted("", "", admin.ErrStale)
	}
	if err := v.clerk.DeletePerson(v.r.Context(), r.ID); err != nil {
		return v.acted("", "", err)
	}
	return v.see(people + "?done=deleted")
}

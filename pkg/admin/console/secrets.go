// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/templates"
)

// secrets are those in force, the newest first, and the one that is to go but was used since the newest was made.
func secrets(c *client.Client, u client.Uses, now time.Time) ([]templates.ConsoleSecret, *templates.ConsoleSecret) {
	if !c.KeepsSecret() {
		return nil, nil
	}
	var out []templates.ConsoleSecret
	for _, s := range c.Secrets {
		if s.Ended(now) {
			continue
		}
		use := u.Secrets[s.ID()]
		t := templates.ConsoleSecret{ID: s.ID(), Hint: s.Hint, Made: unix(s.Made), Used: utc(use.At), From: use.From, Ends: unix(s.Ends)}
		if !t.Ends.IsZero() && t.Ends.Sub(now) <= soon {
			t.Soon, t.Days = true, daysUntil(t.Ends, now)
		}
		out = append(out, t)
	}
	if len(out) == 1 {
		out[0].Only = out[0].Ends.IsZero()
	}
	if len(out) < 2 || out[1].Used.IsZero() || out[1].Used.Before(out[0].Made) {
		return out, nil
	}
	return out, &out[1]
}

// ends are the days that the secret before can be given; 0: until the next one is made.
func ends() []string { return []string{"0", "1", "7", "30", "90"} }

// submitSecret makes a new secret, which is shown in this answer and never again, C6.
func submitSecret(v *visit) error {
	days := v.form.Get("ends")
	if !slices.Contains(ends(), days) {
		days = "30"
	}
	var until time.Time
	if n, err := strconv.Atoi(days); err == nil && n > 0 {
		until = v.cfg.Now().AddDate(0, 0, n)
	}
	id := v.r.PathValue("id")
	c, err := v.clerk.Client(v.r.Context(), id)
	if err != nil {
		return err
	}
	if v.form.Get("newest") != newest(c) {
		// The same form sent again, by a reload or by going back, must not end the secret that was just copied.
		return v.settle(id, admin.ErrStale)
	}
	made, err := v.clerk.NewSecret(v.r.Context(), id, until)
	if _, ok := errors.AsType[*client.FieldError](err); ok {
		// The client has no secret any more.
		return v.see(clientPage(id) + "?done=stale")
	}
	if err != nil {
		return v.settle(id, err)
	}
	return v.client(made.Client, made.Secret, "")
}

// newest is the id of the secret that was made last; empty: there is none.
func newest(c *client.Client) string {
	if len(c.Secrets) == 0 {
		return ""
	}
	return c.Secrets[0].ID()
}

// submitEndSecret ends a secret now.
func submitEndSecret(v *visit) error {
	id := v.r.PathValue("id")
	return v.ofSecret(id, "ended", v.clerk.EndSecret(v.r.Context(), id, v.form.Get("secret")))
}

// submitKeepSecret takes the end of a secret away.
func submitKeepSecret(v *visit) error {
	id := v.r.PathValue("id")
	return v.ofSecret(id, "kept", v.clerk.KeepSecret(v.r.Context(), id, v.form.Get("secret"), time.Time{}))
}

// ofSecret leads back to the client after an act on one of its secrets. A secret that has gone meanwhile is news, a client
// that may not be seen is not there.
func (v *visit) ofSecret(id, done string, err error) error {
	if errors.Is(err, authn.ErrNotFound) {
		if _, unseen := v.clerk.Client(v.r.Context(), id); unseen != nil {
			return unseen
		}
		done, err = "stale", nil
	}
	if _, ok := errors.AsType[*client.FieldError](err); ok {
		done, err = "stale", nil
	}
	if err != nil {
		return v.settle(id, err)
	}
	return v.see(clientPage(id) + "?done=" + done + "#secrets")
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/registry"
)

// app is a client with the line that tells of it.
type app struct {
	foreign.App
	line foreign.Line
}

// checkClients goes through the clients without writing.
func (v *mover) checkClients(ctx context.Context, x foreign.Export) error {
	list, err := x.Apps()
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return errors.New("clients: there are none in this file")
	}
	st, err := v.c.o.Registry.State(ctx)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, one := range list {
		a := app{App: one, line: foreign.Line{Kind: foreign.KindClient, Where: one.Where}}
		v.judgeClient(st, &a, ids)
		v.apps = append(v.apps, a)
		if err := v.checked(a.line); err != nil {
			return err
		}
	}
	return nil
}

// judgeClient says what is to become of a client; ids holds where each id stands.
func (v *mover) judgeClient(st registry.State, a *app, ids map[string]string) {
	if a.settled(ids) {
		return
	}
	c := a.Registration.Client
	ids[c.ID] = a.Where
	v.consent(a)
	a.line.Status, a.line.Notes = foreign.Taken, a.Notes
	a.line.NewSecret = a.Registration.Secret == "" && c.KeepsSecret()
	if _, here := st.Clients[c.ID]; here {
		exists(&a.line, "client_id", foreign.Show(c.ID))
	} else if _, err := v.c.prepare(st, a.Registration); err != nil {
		a.refuse(err)
	}
}

// settled says whether the file itself decides.
func (a *app) settled(ids map[string]string) bool {
	c := a.Registration.Client
	if c != nil {
		a.line.Name = foreign.Show(c.ID)
	}
	switch {
	case a.LeftOut != "":
		a.line.Status, a.line.Reason = foreign.LeftOut, a.LeftOut
	case a.Problem != nil:
		a.refuse(a.Problem)
	case ids[c.ID] != "":
		a.refuse(fmt.Errorf("client_id: stands at %s already", ids[c.ID]))
	default:
		return false
	}
	return true
}

func (a *app) refuse(err error) {
	a.line.Status, a.line.Reason = foreign.Refused, strings.ReplaceAll(err.Error(), "\n", "; ")
	a.line.NewSecret = false
}

// consent makes a client that asked for none the own app of the company.
func (v *mover) consent(a *app) {
	switch {
	case !a.Own:
	case v.m.Company != "":
		a.Registration.Client.Company = v.m.Company
	default:
		a.Notes = append(a.Notes, foreign.Note{Field: "consent", Reason: "people are asked for it here; --company makes the client an own app of that company"})
	}
}

// writeClients registers all the clients that are to be taken, or none of them.
func (v *mover) writeClients(ctx context.Context) error {
	var list []client.Registration
	for _, a := range v.apps {
		if a.line.Status == foreign.Taken {
			list = append(list, a.Registration)
		}
	}
	added, err := v.c.CreateClients(ctx, list)
	if err != nil {
		return fmt.Errorf("the people were imported, the clients were not: %w; run it again with --skip-existing", err)
	}
	for _, a := range v.apps {
		if a.line.Status == foreign.Taken {
			if a.line.NewSecret {
				a.line.Secret = added[0].Secret
			}
			added = added[1:]
		}
		v.count(a.line)
		if err := v.report(a.line); err != nil {
			return err
		}
	}
	return nil
}

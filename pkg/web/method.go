// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/templates"
)

// methodField is the field, in a form and in an address, that says which of several factors is meant.
const methodField = "method"

// enrollers are the factors that can be set up, the recommended one first.
func (s *Site) enrollers() []authn.Enroller {
	var list []authn.Enroller
	for _, f := range s.cfg.Factors {
		if e, ok := f.(authn.Enroller); ok {
			list = append(list, e)
		}
	}
	return list
}

// standIn is the factor for those who have lost theirs: the one that cannot be set up by itself.
func (s *Site) standIn() authn.Factor {
	for _, f := range s.cfg.Factors {
		if _, ok := f.(authn.Enroller); !ok {
			return f
		}
	}
	return nil
}

// mine are the factors that the account has set up. Somebody whose record names none that is offered here is asked for
// the recommended one, which then refuses: never nothing.
func (s *Site) mine(a *authn.Account) []authn.Enroller {
	var list []authn.Enroller
	for _, e := range s.enrollers() {
		if len(a.OfKind(e.Kind())) > 0 {
			list = append(list, e)
		}
	}
	if len(list) == 0 {
		return s.enrollers()[:1]
	}
	return list
}

// pick returns the factor of a list that the address names. With one there is nothing to ask; nil: the person has to
// choose.
func pick(r *http.Request, list []authn.Enroller) authn.Enroller {
	if len(list) == 1 {
		return list[0]
	}
	kind := r.URL.Query().Get(methodField)
	for _, e := range list {
		if e.Kind() == kind {
			return e
		}
	}
	return nil
}

// action is where the form of a factor of several is sent.
func action(path string, list []authn.Enroller, e authn.Enroller) string {
	if len(list) == 1 {
		return path
	}
	return path + "?" + methodField + "=" + e.Kind()
}

// choicePage asks which of several factors to use, or to set up.
func (s *Site) choicePage(w http.ResponseWriter, r *http.Request, f *flow.Flow, list []authn.Enroller) templates.Choice {
	p := templates.Choice{
		Frame: s.frame(w, r, &f.Request, f), Action: r.URL.Path, NotYou: "/flow/" + f.ID + "/restart", Account: f.AccountName,
		Setup: strings.HasSuffix(r.URL.Path, "/enrol"),
	}
	if p.Setup {
		p.SkipsLeft, p.SkipUntil = putOff(f)
	}
	for _, e := range list {
		p.Kinds = append(p.Kinds, e.Kind())
	}
	return p
}

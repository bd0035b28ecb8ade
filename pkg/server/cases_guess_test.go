// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
)

func toldGuesses() []told {
	return []told{
		{
			name: "wrong codes, once an hour", subject: "Somebody knows your password but not your code", mails: 2,
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				for range 2 {
					for i := range nodes {
						wrong(t, p, nodes[i], i)
					}
					p.Advance(time.Hour)
				}
				return nil
			},
		},
		{
			name: "locked", subject: "Your second step is locked", cap: 10,
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				page := guess(t, p, nodes, 12)
				if page.Status != http.StatusBadRequest && page.H1() == "Enter your code" {
					t.Errorf("after twelve wrong codes with a cap of ten: %d %q", page.Status, page.H1())
				}
				return nil
			},
		},
		{
			name: "budget spent", subject: "Codes are closed for browsers we do not know",
			act: func(t *testing.T, p *idptest.IDP, nodes []*idptest.Node) []string {
				t.Helper()
				guess(t, p, nodes, 13)
				return nil
			},
		},
	}
}

// wrong gives the right password and a wrong code at a node.
func wrong(t *testing.T, p *idptest.IDP, n *idptest.Node, i int) *idptest.Page {
	t.Helper()
	page := p.BrowserAt(t, n).Get(t, p.RP.AuthURL()).Login(t, anna, idptest.Password)
	if page.H1() != "Enter your code" {
		return page
	}
	return page.Code(t, fmt.Sprintf("%06d", i))
}

// guess gives n wrong codes, so slowly that no wait holds them up, and returns the last answer.
func guess(t *testing.T, p *idptest.IDP, nodes []*idptest.Node, n int) *idptest.Page {
	t.Helper()
	var page *idptest.Page
	for i := range n {
		p.Advance(2 * time.Hour)
		page = wrong(t, p, nodes[i%3], i)
	}
	return page
}

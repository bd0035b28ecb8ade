// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"sort"
	"time"

	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/templates"
)

const keysPage = home + "/keys"

func (p *Pages) keyRoutes() []route {
	back := func(page string) func(*http.Request) string {
		return func(*http.Request) string { return page }
	}
	return []route{
		get(keysPage, NeedIT, serveKeys),
		post(keysPage+"/rotate", NeedIT, back(keysPage), submitRotate).slowly(),
		get(keysPage+"/now", NeedIT, serveRotateNow),
		post(keysPage+"/now", NeedIT, back(keysPage+"/now"), submitRotateNow).slowly(),
	}
}

// serveKeys lists the signing keys.
func serveKeys(v *visit) error {
	list, err := v.clerk.SigningKeys(v.r.Context())
	if err != nil {
		return err
	}
	page := templates.ConsoleKeys{
		Console: v.frame("keys"), Active: signing(list), Done: v.done("rotated", "now", "young", "stale"),
	}
	for _, k := range list {
		page.Rows = append(page.Rows, keyRow(k))
		if from := k.Made.Add(keys.Publish).UTC(); k.State == keys.Next && from.After(v.cfg.Now()) && from.After(page.From) {
			page.From = from
		}
	}
	order := []string{string(keys.Active), string(keys.Next), string(keys.Retired)}
	sort.SliceStable(page.Rows, func(i, j int) bool {
		a, b := page.Rows[i], page.Rows[j]
		return cmp.Or(
			cmp.Compare(slices.Index(keys.Algs(), a.Alg), slices.Index(keys.Algs(), b.Alg)),
			cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)),
		) < 0
	})
	return v.page(page)
}

func keyRow(k keys.Listing) templates.ConsoleKey {
	row := templates.ConsoleKey{ID: k.ID, Alg: k.Alg, State: string(k.State), Since: utc(k.Activated)}
	switch k.State {
	case keys.Next:
		row.Since = utc(k.Made)
	case keys.Active:
		row.Until = k.Activated.Add(keys.ActiveLife).UTC()
	case keys.Retired:
		row.Until = utc(k.Leaves)
	}
	return row
}

// signing names the key that signs by default: a form that was sent twice rotates once.
func signing(list []keys.Listing) string {
	for _, k := range list {
		if k.State == keys.Active && k.Alg == keys.Algs()[0] {
			return k.ID
		}
	}
	return ""
}

// serveRotateNow says what a rotation at once does to apps.
func serveRotateNow(v *visit) error {
	list, err := v.clerk.SigningKeys(v.r.Context())
	if err != nil {
		return err
	}
	return v.page(templates.ConsoleRotate{Console: v.frame("keys"), Active: signing(list), Hours: int(keys.Publish / time.Hour)})
}

func submitRotate(v *visit) error { return v.rotate(keys.Planned, "rotated") }

func submitRotateNow(v *visit) error { return v.rotate(keys.Now, "now") }

func (v *visit) rotate(u keys.Urgency, done string) error {
	list, err := v.clerk.SigningKeys(v.r.Context())
	if err != nil {
		return err
	}
	if v.form.Get("active") != signing(list) {
		return v.see(keysPage + "?done=stale")
	}
	err = v.clerk.RotateKeys(v.r.Context(), "", u)
	if errors.Is(err, keys.ErrTooYoung) {
		done, err = "young", nil
	}
	if err != nil {
		return err
	}
	return v.see(keysPage + "?done=" + done)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/keys"
)

// signs is the key that signs by default.
func signs(t *testing.T, p *idptest.IDP) string {
	t.Helper()
	for _, k := range p.Node.SigningKeys() {
		if k.State == keys.Active && k.Alg == "RS256" {
			return k.ID
		}
	}
	t.Fatal("no key signs")
	return ""
}

// TestKeysAreRotated: not while the next ones are young, but at once in an emergency; a form that is sent twice does so once.
func TestKeysAreRotated(t *testing.T) {
	p := start(t)
	first := signs(t, p)
	page := want(t, as(t, p, ivy, "/admin/keys"), "Keys")
	if n := page.Find("tbody tr").Length(); n != len(p.Node.SigningKeys()) {
		t.Errorf("%d keys on the page, %d in the ring", n, len(p.Node.SigningKeys()))
	}
	young := want(t, page.Press(t, "main", "Rotate", nil), "Keys")
	if !strings.Contains(young.Note(), "Nothing was changed") || signs(t, p) != first {
		t.Errorf("note %q", young.Note())
	}
	confirm := want(t, page.Follow(t, "/admin/keys/now"), "Rotate the keys now?")
	done := want(t, confirm.Press(t, "main", "Rotate now", nil), "Keys")
	second := signs(t, p)
	if !strings.Contains(done.Note(), "The next keys sign from now on.") || second == first {
		t.Errorf("note %q", done.Note())
	}
	again := want(t, confirm.Press(t, "main", "Rotate now", nil), "Keys")
	if !strings.Contains(again.Note(), "rotated meanwhile") || signs(t, p) != second {
		t.Errorf("sent twice: %q", again.Note())
	}
	p.Advance(25 * time.Hour)
	page = want(t, as(t, p, ivy, "/admin/keys"), "Keys")
	if page = page.Press(t, "main", "Rotate", nil); !strings.Contains(page.Note(), "The next keys sign") || signs(t, p) == second {
		t.Errorf("a day later: %q", page.Note())
	}
	got := happened(t, p, audit.KeyRotated)
	if len(got) != 2 || got[0].Actor == "" || got[0].Detail["urgency"] != "planned" || got[1].Detail["urgency"] != "now" {
		t.Errorf("the journal says %+v", got)
	}
}

// TestKeysAreForTheITTeam: a company's admin finds no such page, and no link to it.
func TestKeysAreForTheITTeam(t *testing.T) {
	p := start(t)
	first := signs(t, p)
	b := p.Browser(t)
	page := want(t, b.Get(t, "/admin/audit").Prove(t, carla), "Audit log")
	if page.Find("a[href='/admin/keys']").Length() != 0 {
		t.Error("a company's admin is led to the keys")
	}
	nothing(t, b.Get(t, "/admin/keys"))
	nothing(t, b.Get(t, "/admin/keys/now"))
	nothing(t, b.Post(t, "/admin/keys/now", url.Values{"active": {first}}))
	nothing(t, b.Post(t, "/admin/keys/rotate", url.Values{"active": {first}}))
	if signs(t, p) != first {
		t.Error("the keys are rotated")
	}
}

// TestKeysWantAFreshProof: what was shown ten minutes ago rotates nothing.
func TestKeysWantAFreshProof(t *testing.T) {
	p := start(t)
	first := signs(t, p)
	page := want(t, as(t, p, ivy, "/admin/keys/now"), "Rotate the keys now?")
	p.Advance(6 * time.Minute)
	page = want(t, page.Press(t, "main", "Rotate now", nil), "Sign in")
	want(t, page.Prove(t, ivy), "Rotate the keys now?")
	if signs(t, p) != first {
		t.Error("the keys are rotated")
	}
}

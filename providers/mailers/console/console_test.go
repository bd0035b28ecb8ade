// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/providers/mailers/console"
)

// TestKeepsTheLast: the newest first, and never more than 200.
func TestKeepsTheLast(t *testing.T) {
	m := console.New()
	for i := range 250 {
		if err := m.Send(t.Context(), notify.Mail{To: "a@example.com", Subject: fmt.Sprint("mail ", i), MessageID: "x@example.com"}); err != nil {
			t.Fatal(err)
		}
	}
	got := m.Mails()
	if len(got) != 200 || got[0].Subject != "mail 249" || got[199].Subject != "mail 50" {
		t.Errorf("Mails() = %d, %q to %q", len(got), got[0].Subject, got[len(got)-1].Subject)
	}
	if err := m.Send(t.Context(), notify.Mail{To: "a@example.com\r\nBcc: b@example.com", Subject: "x", MessageID: "x@y"}); !errors.Is(err, notify.ErrRefused) {
		t.Errorf("Send() to two lines = %v, want a refusal", err)
	}
}

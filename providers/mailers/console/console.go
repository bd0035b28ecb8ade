// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package console is the mailer of the demo: it sends nothing and keeps the last mails in memory, to be looked at.
// It writes nothing to the log: a mail may hold a link.
package console

import (
	"context"
	"slices"
	"sync"

	"github.com/lychgate/lychgate/pkg/notify"
)

// most is how many mails are kept.
const most = 200

// Mailer implements notify.Mailer.
type Mailer struct {
	mu    sync.Mutex
	mails []notify.Mail
}

// New returns an empty Mailer.
func New() *Mailer { return &Mailer{} }

// Send implements notify.Mailer.
func (m *Mailer) Send(_ context.Context, mail notify.Mail) error {
	if err := mail.Check(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.mails) == most {
		m.mails = slices.Delete(m.mails, 0, 1)
	}
	m.mails = append(m.mails, mail)
	return nil
}

// Mails returns what is kept, the newest first.
func (m *Mailer) Mails() []notify.Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := slices.Clone(m.mails)
	slices.Reverse(out)
	return out
}

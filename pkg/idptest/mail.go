// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/notify"
)

// WithMail makes every node keep its mails, to be read by Mails.
func WithMail(c *config.Config) { c.Mail.Mailer = config.MailerConsole }

// Mails are all that the nodes have sent to an address, once everything due was sent: node by node, the newest of each
// first.
func (p *IDP) Mails(tb testing.TB, to string) []notify.Mail {
	tb.Helper()
	// The node's own sender may hold what is due at this moment: wait until nothing is left.
	for left := 1; left > 0; {
		if err := p.Node.FlushMail(tb.Context()); err != nil {
			tb.Fatal(err)
		}
		due, _ := p.Store.Redis().ZMembers("lg:{out}:due") // no such key: nothing is due
		left = len(due)
	}
	var out []notify.Mail
	for _, n := range *p.nodes {
		for _, m := range n.Mails() {
			if m.To == to {
				out = append(out, m)
			}
		}
	}
	return out
}

// MailLink is the one link in a mail, of this provider.
func (p *IDP) MailLink(tb testing.TB, m notify.Mail) string {
	tb.Helper()
	var links []string
	for line := range strings.Lines(m.Text) {
		if line = strings.TrimSpace(line); strings.Contains(line, "://") {
			links = append(links, line)
		}
	}
	if len(links) != 1 || !strings.HasPrefix(links[0], p.Issuer+"/link/") {
		tb.Fatalf("links %q in %q, want one of %s", links, m.Subject, p.Issuer)
	}
	return links[0]
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"strings"

	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/templates"
)

// DemoMailPath is where the console mailer's mails are shown.
const DemoMailPath = "/demo/mail"

// Mails are what the console mailer kept, the newest first; nil with another mailer.
func (s *Server) Mails() []notify.Mail {
	if s.courier.console == nil {
		return nil
	}
	return s.courier.console.Mails()
}

// demoRoutes are there with the console mailer alone, which the configuration allows on localhost alone.
func (s *Server) demoRoutes() []route {
	if s.courier.console == nil {
		return nil
	}
	return []route{get(DemoMailPath).with(open).to(s.site, s.showMail).unlimited()}
}

func (s *Server) showMail(w http.ResponseWriter, r *http.Request) error {
	p := templates.DemoMail{Frame: templates.Frame{Lang: "en", Client: "Example Cases"}}
	for _, m := range s.Mails() {
		shown := templates.DemoMessage{To: m.To, Subject: m.Subject}
		for line := range strings.SplitSeq(strings.TrimSpace(m.Text), "\n") {
			l := templates.DemoLine{Text: line}
			if strings.HasPrefix(line, s.cfg.Issuer+"/") {
				l.Link = line
			}
			shown.Lines = append(shown.Lines, l)
		}
		p.Mails = append(p.Mails, shown)
	}
	s.site.Show(w, r, p)
	return nil
}

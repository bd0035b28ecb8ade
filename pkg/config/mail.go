// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"unicode"
)

// Sender is the name and the address that messages come from. from_name wins over a name that stands in from.
func (m Mail) Sender() (name, address string) {
	a, err := mail.ParseAddress(m.From)
	if err != nil {
		return m.FromName, "" // refused by validate
	}
	if m.FromName != "" {
		return m.FromName, a.Address
	}
	return a.Name, a.Address
}

func (c *Config) validateMail() Problems {
	switch c.Mail.Mailer {
	case MailerOff:
		return nil
	case MailerConsole:
		// It shows links that choose a new password.
		if u, err := url.Parse(c.Issuer); err == nil && !IsLoopback(u.Hostname()) {
			return Problems{"mail.mailer: console shows every message to anybody; it is for an issuer on localhost alone"}
		}
		return nil
	case MailerSMTP:
		return c.Mail.validate()
	default:
		return Problems{"mail.mailer: " + quote(c.Mail.Mailer) + " is not smtp, console or off"}
	}
}

func (m Mail) validate() Problems {
	var p Problems
	switch {
	case m.Host == "":
		p = append(p, "mail.host: not set; write the name of your mail server")
	case !IsLoopback(m.Host) && strings.ContainsAny(m.Host, ":/@ \t\r\n"):
		p = append(p, "mail.host: "+quote(m.Host)+" is no name of a host; its port is mail.port")
	}
	if m.Port < 1 || m.Port > 65535 {
		p = append(p, fmt.Sprintf("mail.port: %d is not between 1 and 65535", m.Port))
	}
	switch {
	case m.TLS != "starttls" && m.TLS != "tls" && m.TLS != "none":
		p = append(p, "mail.tls: "+quote(m.TLS)+" is not starttls, tls or none")
	case m.TLS == "none" && !IsLoopback(m.Host):
		p = append(p, "mail.tls: none is for a mail server on this machine alone; use starttls or tls")
	}
	if _, address := m.Sender(); address == "" || strings.ContainsAny(address, "\" \r\n") {
		p = append(p, "mail.from: "+quote(m.From)+" is no address; write e.g. lychgate@example.com")
	}
	if strings.ContainsFunc(m.FromName, unicode.IsControl) {
		p = append(p, "mail.from_name: has to be one line")
	}
	if (m.Username == "") != (m.Password == "") {
		p = append(p, "mail.username and mail.password: set both, or neither")
	}
	return p
}

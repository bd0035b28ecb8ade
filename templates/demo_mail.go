// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

// DemoMail shows the mails that the demo would have sent, the newest first.
type DemoMail struct {
	Frame
	// Person and SignOut are for the bar of the sample app; here nobody is signed in.
	Person, SignOut string
	Mails           []DemoMessage
}

// DemoMessage is one mail.
type DemoMessage struct {
	To, Subject string
	Lines       []DemoLine
}

// DemoLine is a line of a mail; Link is its address if it is one of ours.
type DemoLine struct{ Text, Link string }

// Template implements Page.
func (DemoMail) Template() string { return "demo-mail" }

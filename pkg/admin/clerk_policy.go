// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

// Mails says whether people can be written to: a mailer is set.
func (c *Clerk) Mails() bool { return !c.o.mute() }

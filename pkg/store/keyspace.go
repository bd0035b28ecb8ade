// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import "strings"

// keyspace builds every key name. Tags hold only [a-z2-7]: no user input ever becomes part of a key.
type keyspace struct{ prefix string }

func (k keyspace) tagged(tag, rest string) string { return k.prefix + "{" + tag + "}:" + rest }

// One account: all in one slot.
func (k keyspace) acct(tag string) string         { return k.tagged(tag, "acct") }
func (k keyspace) prof(tag string) string         { return k.tagged(tag, "prof") }
func (k keyspace) mfa(tag string) string          { return k.tagged(tag, "mfa") }
func (k keyspace) dev(tag string) string          { return k.tagged(tag, "dev") }
func (k keyspace) con(tag string) string          { return k.tagged(tag, "con") }
func (k keyspace) session(tag, h string) string   { return k.tagged(tag, "s:"+h) }
func (k keyspace) sessions(tag string) string     { return k.tagged(tag, "sx") }
func (k keyspace) served(tag string) string       { return k.tagged(tag, "lo") }
func (k keyspace) activity(tag string) string     { return k.tagged(tag, "log") }
func (k keyspace) reset(tag string) string        { return k.tagged(tag, "rq") }
func (k keyspace) erased(tag string) string       { return k.tagged(tag, "erased") }
func (k keyspace) grants(tag string) string       { return k.tagged(tag, "gx") }
func (k keyspace) flow(tag, h string) string      { return k.tagged(tag, "f:"+h) }
func (k keyspace) pend(tag, h string) string      { return k.tagged(tag, "pend:"+h) }
func (k keyspace) ticket(tag, h string) string    { return k.tagged(tag, "tk:"+h) }
func (k keyspace) control(tag, gid string) string { return k.tagged(tag, "c:"+gid) }
func (k keyspace) grant(tag, gid string) string   { return k.tagged(tag, "g:"+gid) }
func (k keyspace) access(tag, gid, aid string) string {
	return k.tagged(tag, "a:"+gid+":"+aid)
}

// anyAcct matches the accounts of all slots.
func (k keyspace) anyAcct() string { return k.tagged("*", "acct") }

// Before an account is known.
func (k keyspace) name(h string) string               { return k.prefix + "n:" + h }
func (k keyspace) anonymous(tag string) string        { return k.tagged(tag, "flow") }
func (k keyspace) link(tag string) string             { return k.tagged(tag, "link") }
func (k keyspace) pushed(tag string) string           { return k.tagged(tag, "par") }
func (k keyspace) proof(tag string) string            { return k.tagged(tag, "jti") }
func (k keyspace) answer(tag string) string           { return k.tagged(tag, "ans") }
func (k keyspace) counter(tag, kind, h string) string { return k.tagged(tag, "t:"+kind+":"+h) }

// people is one set of the index of people.
func (k keyspace) people(tag string) string { return k.tagged(tag, "px") }

// Invitations of a company: one slot, the sealed ones and their times.
func (k keyspace) invited(tag string) string   { return k.tagged(tag, "inv") }
func (k keyspace) invitedAt(tag string) string { return k.tagged(tag, "ivx") }

// figures are the counts of a day, of a company or of all.
func (k keyspace) figures(tag, day string) string { return k.tagged(tag, "n:"+day) }

// The registry: one slot, so that a change and its version are one step.
func (k keyspace) version() string         { return k.tagged("reg", "v") }
func (k keyspace) clients() string         { return k.tagged("reg", "cl") }
func (k keyspace) initial(h string) string { return k.tagged("reg", "it:"+h) }
func (k keyspace) started() string         { return k.tagged("reg", "start") }
func (k keyspace) used() string            { return k.tagged("reg", "used") }
func (k keyspace) uses() string            { return k.tagged("reg", "su") }
func (k keyspace) companies() string       { return k.tagged("reg", "co") }
func (k keyspace) scopes() string          { return k.tagged("reg", "sc") }
func (k keyspace) roles() string           { return k.tagged("reg", "ro") }
func (k keyspace) registry() []string {
	return []string{k.version(), k.clients(), k.companies(), k.scopes(), k.roles()}
}

// The outbox: one slot, so that an entry moves in one step. due and age are by time, mail holds the sealed entries and
// their tries, sent the ids of what is done.
func (k keyspace) outDue() string  { return k.tagged("out", "due") }
func (k keyspace) outMail() string { return k.tagged("out", "mail") }
func (k keyspace) outAge() string  { return k.tagged("out", "age") }
func (k keyspace) outSent() string { return k.tagged("out", "sent") }
func (k keyspace) outbox() []string {
	return []string{k.outDue(), k.outMail(), k.outAge(), k.outSent()}
}

// Apps that are to be told of ended sessions: one slot, so that an entry moves in one step. busy names the clients that
// are being told.
func (k keyspace) endDue() string  { return k.tagged("end", "due") }
func (k keyspace) endList() string { return k.tagged("end", "list") }
func (k keyspace) endBusy() string { return k.tagged("end", "busy") }
func (k keyspace) ends() []string  { return []string{k.endDue(), k.endList(), k.endBusy()} }

// The store itself.
func (k keyspace) signing() string  { return k.prefix + "keys" }
func (k keyspace) audit() string    { return k.prefix + "audit" }
func (k keyspace) identity() string { return k.prefix + "store" }

// tagIn is the tag in a key name.
func (k keyspace) tagIn(name string) string {
	_, rest, _ := strings.Cut(name, "{")
	tag, _, _ := strings.Cut(rest, "}")
	return tag
}

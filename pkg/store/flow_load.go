// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/flow"
)

// flowRecord is what is sealed of a flow when it is stored; what comes later stands in fields of its own.
type flowRecord struct {
	Request     flow.Request     `json:"request"`
	Created     int64            `json:"created"`
	AccountID   string           `json:"account,omitempty"`
	AccountName string           `json:"account_name,omitempty"`
	PasswordAt  int64            `json:"password_at,omitempty"`
	Factors     []authn.Evidence `json:"factors,omitempty"`
	Session     string           `json:"session,omitempty"`
	Skipped     bool             `json:"skipped,omitempty"`
}

func recordOf(f *flow.Flow) flowRecord {
	r := flowRecord{Request: f.Request, Created: f.Created.UnixMilli(), AccountName: f.AccountName, Session: f.Session, Skipped: f.Skipped}
	if f.Account != nil {
		r.AccountID, r.PasswordAt, r.Factors = f.Account.ID, f.PasswordAt.UnixMilli(), f.Factors
	}
	return r
}

func (r flowRecord) flow(id string) *flow.Flow {
	return &flow.Flow{
		ID: id, Request: r.Request, Created: millis(r.Created), AccountName: r.AccountName, Session: r.Session, Skipped: r.Skipped,
	}
}

func millis(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// Load implements flow.Store.
func (s flows) Load(ctx context.Context, id string, bind []string) (*flow.Flow, error) {
	ref, err := s.openFlow(id)
	if err != nil {
		return nil, err
	}
	if s.bindHashes(bind) == "" {
		return nil, fmt.Errorf("load flow: %w", authn.ErrGone)
	}
	var f *flow.Flow
	if ref.tag == "" {
		f, err = s.loadAnonymous(ctx, id, ref, bind)
	} else {
		f, err = s.loadForAccount(ctx, id, ref, bind)
	}
	if err != nil {
		return nil, fmt.Errorf("load flow: %w", err)
	}
	return f, nil
}

func (s flows) loadAnonymous(ctx context.Context, id string, ref flowRef, bind []string) (*flow.Flow, error) {
	out, err := s.do(ctx, hmget(ref.key, "bind", "r"))
	if err != nil {
		return nil, err
	}
	r := list(out[0])
	if !s.bound(r.text(0), bind) {
		return nil, authn.ErrGone
	}
	var rec flowRecord
	if err := s.openJSON("flow", field(ref.key, "r"), r.text(1), &rec); err != nil {
		return nil, err
	}
	return rec.flow(id), nil
}

// The fields of a flow after the password, as flowFields names them.
const (
	fBind = iota
	fEpoch
	fPasswordGen
	fFactorGen
	fRecord
	fShown
	fDevice
	fSession
	fAllowed
	fTicket
	fEnrolled
	fSkipped
)

func flowFields() []string {
	return []string{"bind", "ep", "pwgen", "mg", "r", "ev", "dv", "ses", "ok", "tk", "enr", "sk"}
}

func (s flows) loadForAccount(ctx context.Context, id string, ref flowRef, bind []string) (*flow.Flow, error) {
	out, err := s.do(ctx, hmget(ref.key, flowFields()...), hmget(s.key.acct(ref.tag), append(acctFields(), "skips")...),
		cmd{"get", s.key.prof(ref.tag)}, cmd{"hgetall", s.key.con(ref.tag)}, cmd{"hget", s.key.mfa(ref.tag), "ids"})
	if err != nil {
		return nil, err
	}
	r := list(out[0])
	if !s.bound(r.text(fBind), bind) {
		return nil, authn.ErrGone
	}
	a, err := s.readAccount(list(out[1]), 0)
	if err != nil {
		return nil, err
	}
	var rec flowRecord
	if err := s.openJSON("flow", field(ref.key, "r"), r.text(fRecord), &rec); err != nil {
		return nil, err
	}
	if rec.AccountID != a.ID {
		return nil, fmt.Errorf("flow of another account: %w", authn.ErrLost)
	}
	f := rec.flow(id)
	if f.Epoch, err = number(r.text(fEpoch)); err != nil {
		return nil, err
	}
	if f.PasswordGen, err = number(r.text(fPasswordGen)); err != nil {
		return nil, err
	}
	if a.State != authn.Active || a.Epoch != f.Epoch || a.PasswordGen != f.PasswordGen {
		return nil, authn.ErrMoved
	}
	if _, err := s.addProfile(&a, value(out[2])); err != nil {
		return nil, err
	}
	if skips := list(out[1]).text(len(acctFields())); skips != "" {
		n, err := number(skips)
		if err != nil {
			return nil, err
		}
		a.Skips = int(n)
	}
	if ids := value(out[4]); ids != "" && a.Factor == authn.FactorOn {
		a.Authenticators = strings.Split(ids, ",")
	}
	f.Account, f.PasswordAt = &a, millis(rec.PasswordAt)
	f.Consented = consented(pairs(out[3])[f.Request.ClientID])
	return f, s.marks(f, ref, r, rec.Factors)
}

// shownIn reads what was shown in the flow, 'method|ms|mfagen,' for each: it counts under the generation it was shown
// under, so that a change of the authenticators ends what is parked behind a code (security.md SF-27).
func shownIn(ev string, gen int64) ([]authn.Evidence, error) {
	var out []authn.Evidence
	for part := range strings.SplitSeq(ev, ",") {
		if part == "" {
			continue
		}
		p := strings.Split(part, "|")
		if len(p) != 3 {
			return nil, fmt.Errorf("evidence: %w", authn.ErrLost)
		}
		at, err := number(p[1])
		if err != nil {
			return nil, err
		}
		if p[2] == strconv.FormatInt(gen, 10) {
			out = append(out, authn.Evidence{Method: p[0], At: millis(at)})
		}
	}
	return out, nil
}

// marks adds what came to the flow after it was stored. began is the evidence of the session it began with: that
// counts, like a device, only while the factor generation is the one the flow began under.
func (s flows) marks(f *flow.Flow, ref flowRef, r reply, began []authn.Evidence) error {
	mg, err := number(r.text(fFactorGen))
	if err != nil {
		return err
	}
	same := mg == f.Account.FactorGen
	if same {
		f.Factors = append(f.Factors, began...)
	}
	shown, err := shownIn(r.text(fShown), f.Account.FactorGen)
	if err != nil {
		return err
	}
	f.Factors = append(f.Factors, shown...)
	if text := r.text(fDevice); text != "" && same {
		method, ms, _ := strings.Cut(text, "|")
		at, err := number(ms)
		if err != nil {
			return err
		}
		f.Factors = append(f.Factors, authn.Evidence{Method: method, At: millis(at), Device: true})
	}
	for _, m := range []struct {
		field int
		name  string
		to    *string
	}{{fSession, "ses", &f.Session}, {fTicket, "tk", &f.Ticket}} {
		if r.text(m.field) == "" {
			continue
		}
		b, err := s.open("flow", field(ref.key, m.name), r.text(m.field))
		if err != nil {
			return err
		}
		*m.to = string(b)
	}
	f.Allowed, f.Enrolled = r.text(fAllowed) == "1", r.text(fEnrolled) == "1"
	f.Skipped = f.Skipped || r.text(fSkipped) == "1"
	return nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
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
}

func recordOf(f *flow.Flow) flowRecord {
	r := flowRecord{Request: f.Request, Created: f.Created.UnixMilli(), AccountName: f.AccountName, Session: f.Session}
	if f.Account != nil {
		r.AccountID, r.PasswordAt, r.Factors = f.Account.ID, f.PasswordAt.UnixMilli(), f.Factors
	}
	return r
}

func (r flowRecord) flow(id string) *flow.Flow {
	return &flow.Flow{
		ID: id, Request: r.Request, Created: millis(r.Created), AccountName: r.AccountName, Session: r.Session,
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
	fOTP
	fRecovery
	fDevice
	fSession
	fAllowed
	fTicket
	fEnrolled
)

func flowFields() []string {
	return []string{"bind", "ep", "pwgen", "mg", "r", "otp", "rec", "dv", "ses", "ok", "tk", "enr"}
}

func (s flows) loadForAccount(ctx context.Context, id string, ref flowRef, bind []string) (*flow.Flow, error) {
	out, err := s.do(ctx, hmget(ref.key, flowFields()...), hmget(s.key.acct(ref.tag), acctFields()...),
		cmd{"get", s.key.prof(ref.tag)}, cmd{"hgetall", s.key.con(ref.tag)})
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
	f.Account, f.PasswordAt = &a, millis(rec.PasswordAt)
	f.Consented = consented(pairs(out[3])[f.Request.ClientID])
	return f, s.marks(f, ref, r, rec.Factors)
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
	for _, m := range []struct {
		field  int
		method string
		counts bool
	}{{fOTP, "otp", true}, {fRecovery, "recovery", true}, {fDevice, "otp", same}} {
		text := r.text(m.field)
		if text == "" || !m.counts {
			continue
		}
		at, err := number(text)
		if err != nil {
			return err
		}
		f.Factors = append(f.Factors, authn.Evidence{Method: m.method, At: millis(at), Device: m.field == fDevice})
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
	return nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/seal"
)

// devices implements device.Store.
type devices struct{ *Store }

const (
	deviceID     = 16
	deviceSecret = 32
	maxDevices   = 20
	maxLabel     = 200
)

// deviceRecord is the sealed part of a device.
type deviceRecord struct {
	Label    string `json:"label"`
	First    int64  `json:"first"`
	PassedAt int64  `json:"passed_at"`
	// Method is of the pass; otp if empty.
	Method string `json:"method,omitempty"`
}

// deviceDigest is how the secret of a device is kept.
func (s *Store) deviceDigest(tag, id string, secret []byte) string {
	return seal.Digest(s.cfg.Pepper, "device\x00"+tag+"\x00"+id+"\x00"+string(secret))
}

func (s devices) keys(tag string) []string {
	return []string{s.key.acct(tag), s.key.mfa(tag), s.key.dev(tag)}
}

// Use implements device.Store.
func (s devices) Use(ctx context.Context, a authn.Account, cookie string) (device.Trust, error) {
	if err := s.gate(); err != nil {
		return device.Trust{}, fmt.Errorf("use device: %w", err)
	}
	b, err := seal.Decode(cookie, deviceID+deviceSecret)
	if err != nil || a.Factor != authn.FactorOn {
		return device.Trust{}, fmt.Errorf("use device: %w", authn.ErrGone)
	}
	t, err := s.use(ctx, a, seal.Encode(b[:deviceID]), b)
	if err != nil {
		return t, fmt.Errorf("use device: %w", err)
	}
	return t, nil
}

func (s devices) use(ctx context.Context, a authn.Account, id string, cookie []byte) (device.Trust, error) {
	tag := s.index.Tag(a.ID)
	next, err := s.random(deviceSecret)
	if err != nil {
		return device.Trust{}, err
	}
	out, err := s.do(ctx, cmd{"hget", s.key.dev(tag), "i:" + id})
	if err != nil {
		return device.Trust{}, err
	}
	if value(out[0]) == "" {
		return device.Trust{}, authn.ErrGone
	}
	rec, err := s.openDevice(tag, id, value(out[0]))
	if err != nil {
		return device.Trust{}, err
	}
	r, err := s.run(ctx, "device_use", s.keys(tag), a.Epoch, a.PasswordGen, id, s.deviceDigest(tag, id, cookie[deviceID:]),
		s.deviceDigest(tag, id, next), s.cfg.Lifetimes.DeviceGrace.Milliseconds())
	if err != nil {
		return device.Trust{}, err
	}
	pass := authn.Evidence{Method: cmp.Or(rec.Method, "otp"), At: millis(rec.PassedAt), Device: true}
	t := device.Trust{Pass: pass, End: millis(r.num(1))}
	switch r.code() {
	case 1:
		t.Cookie = seal.Encode(append(cookie[:deviceID:deviceID], next...))
		return t, nil
	case 2:
		return t, nil
	case 3:
		return device.Trust{Copied: true}, authn.ErrGone
	case lost:
		return device.Trust{}, authn.ErrLost
	default:
		return device.Trust{}, authn.ErrGone
	}
}

func (s devices) openDevice(tag, id, sealed string) (deviceRecord, error) {
	var rec deviceRecord
	err := s.openJSON("device", field(s.key.dev(tag), "i:"+id), sealed, &rec)
	return rec, err
}

// Remember implements device.Store.
func (s devices) Remember(ctx context.Context, a authn.Account, label string, pass authn.Evidence, life time.Duration) (string, time.Time, error) {
	cookie, end, err := s.remember(ctx, a, label, pass, pass.At.Add(life))
	if err != nil {
		return "", time.Time{}, fmt.Errorf("remember device: %w", err)
	}
	return cookie, end, nil
}

func (s devices) remember(ctx context.Context, a authn.Account, label string, pass authn.Evidence, end time.Time) (string, time.Time, error) {
	b, err := s.random(deviceID + deviceSecret)
	if err != nil {
		return "", time.Time{}, err
	}
	tag, id := s.index.Tag(a.ID), seal.Encode(b[:deviceID])
	if len(label) > maxLabel {
		label = strings.ToValidUTF8(label[:maxLabel], "")
	}
	sealed, err := s.sealJSON("device", field(s.key.dev(tag), "i:"+id),
		deviceRecord{Label: label, First: s.now().UnixMilli(), PassedAt: pass.At.UnixMilli(), Method: pass.Method})
	if err != nil {
		return "", time.Time{}, err
	}
	r, err := s.run(ctx, "device_add", s.keys(tag), a.Epoch, a.PasswordGen, a.FactorGen, id,
		s.deviceDigest(tag, id, b[deviceID:]), sealed, end.UnixMilli(), maxDevices)
	if err == nil && r.code() != done {
		err = refused(r.code())
	}
	if err != nil {
		return "", time.Time{}, err
	}
	return seal.Encode(b), millis(end.UnixMilli()), nil
}

// List implements device.Store.
func (s devices) List(ctx context.Context, accountID string) ([]device.Device, error) {
	tag := s.index.Tag(accountID)
	out, err := s.do(ctx, hmget(s.key.acct(tag), acctFields()...), hmget(s.key.mfa(tag), "state", "gen", "devgen"),
		cmd{"hgetall", s.key.dev(tag)})
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	a, err := s.readAccount(list(out[0]), 0)
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	m := list(out[1])
	gens := m.text(2) + "|" + fmt.Sprint(a.PasswordGen)
	if a.ID != accountID || a.State != authn.Active || m.text(0) != "on" {
		return nil, nil
	}
	var all []device.Device
	fields := pairs(out[2])
	for name, v := range fields {
		id, ok := strings.CutPrefix(name, "d:")
		if !ok {
			continue
		}
		d, ok := s.inForce(v, gens)
		if !ok {
			continue
		}
		rec, err := s.openDevice(tag, id, fields["i:"+id])
		if err != nil {
			return nil, fmt.Errorf("list devices: %w", err)
		}
		d.ID, d.Label, d.First = id, rec.Label, millis(rec.First)
		if d.Last.IsZero() {
			d.Last = d.First
		}
		all = append(all, d)
	}
	return all, nil
}

// inForce reads a field of lg:{T}:dev as device_use.lua writes it.
func (s devices) inForce(v, gens string) (device.Device, bool) {
	p := strings.SplitN(v, "|", 5)
	if len(p) != 5 || p[4] != gens {
		return device.Device{}, false
	}
	rotated, err := number(p[2])
	if err != nil {
		return device.Device{}, false
	}
	end, err := number(p[3])
	if err != nil || !s.now().Before(millis(end)) {
		return device.Device{}, false
	}
	d := device.Device{End: millis(end)}
	if rotated > 0 {
		d.Last = millis(rotated)
	}
	return d, true
}

// Remove implements device.Store.
func (s devices) Remove(ctx context.Context, accountID, id string) error {
	if _, err := seal.Decode(id, deviceID); err != nil {
		return fmt.Errorf("remove device: %w", authn.ErrGone)
	}
	tag := s.index.Tag(accountID)
	if _, err := s.do(ctx, cmd{"hdel", s.key.dev(tag), "d:" + id, "i:" + id}); err != nil {
		return fmt.Errorf("remove device: %w", err)
	}
	return nil
}

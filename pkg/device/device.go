// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package device is a browser that a person asked to be remembered.
package device

import (
	"context"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Device is a remembered browser.
type Device struct {
	ID string
	// Label is browser and system in words; First, Last and End are absolute times.
	Label            string
	First, Last, End time.Time
}

// Trust is the answer to a device cookie.
type Trust struct {
	// Pass is the second-factor pass at which the device was remembered, as evidence of a device.
	Pass authn.Evidence
	End  time.Time
	// Cookie is the next value of the cookie; empty: keep the one there is (a second tab).
	Cookie string
	// Copied says that an older secret came back: the device is forgotten now, tell the person.
	Copied bool
}

// Store keeps remembered devices. Every method may answer authn.ErrUnavailable.
type Store interface {
	// Use asks whether the cookie stands for the second factor of a; to be called only after the right password.
	// authn.ErrGone: unknown, ended or a generation moved. It hands out a new secret at each use; an older one that
	// comes back ends the device (Trust.Copied with authn.ErrGone). Nothing moves the absolute end.
	Use(ctx context.Context, a authn.Account, cookie string) (Trust, error)
	// Known says whose device the cookie of the given tag is, without using it: the canonical sign-in name.
	// authn.ErrGone for anything else. It decides under which count a password guess falls, and nothing more.
	Known(ctx context.Context, tag, cookie string) (name string, err error)
	// Remember stores a new device for life from the pass on and returns the cookie's value; at most 20 per account, the
	// one that ends first goes.
	Remember(ctx context.Context, a authn.Account, label string, pass authn.Evidence, life time.Duration) (cookie string, end time.Time, err error)
	// List returns the devices in force.
	List(ctx context.Context, accountID string) ([]Device, error)
	// Remove forgets one device.
	Remove(ctx context.Context, accountID, id string) error
}

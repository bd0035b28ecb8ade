// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package idptest

import (
	"context"
	"net"
	"slices"
	"sync"
)

// Zone is what name servers say: that there is no record of a name that was not set, or nothing at all. No test asks a
// real one. It may be changed while nodes ask.
type Zone struct {
	mu      sync.Mutex
	records map[string][]string
	silent  bool
	asked   int
}

// Set gives a name TXT records in place of those it has.
func (z *Zone) Set(name string, values ...string) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.records == nil {
		z.records = map[string][]string{}
	}
	z.records[name] = values
}

// Silence makes the name servers answer nothing, or answer again.
func (z *Zone) Silence(silent bool) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.silent = silent
}

// Asked is how many questions there were.
func (z *Zone) Asked() int {
	z.mu.Lock()
	defer z.mu.Unlock()
	return z.asked
}

// LookupTXT answers as net.Resolver does.
func (z *Zone) LookupTXT(_ context.Context, name string) ([]string, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.asked++
	if z.silent {
		return nil, &net.DNSError{Err: "timeout", Name: name, IsTimeout: true}
	}
	if len(z.records[name]) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return slices.Clone(z.records[name]), nil
}

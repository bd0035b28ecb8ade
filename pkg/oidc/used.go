// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"sync"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

// usage remembers which clients that registered themselves were used; it holds no more names than there are of these.
type usage struct {
	mu   sync.Mutex
	days map[string]int64
}

const secondsADay = 24 * 60 * 60

// use notes that somebody works with the client. Clients that an IT team registered stay without being used.
func (p *Provider) use(c *client.Client) {
	if c.Dynamic == nil {
		return
	}
	p.used.mu.Lock()
	defer p.used.mu.Unlock()
	if p.used.days == nil {
		p.used.days = map[string]int64{}
	}
	p.used.days[c.ID] = p.now().Unix() / secondsADay
}

// Used returns the days (since 1970, UTC) on which clients that registered themselves were used since it was last asked.
func (p *Provider) Used() map[string]int64 {
	p.used.mu.Lock()
	defer p.used.mu.Unlock()
	out := p.used.days
	p.used.days = nil
	return out
}

// Day is the day of a time in Unix seconds.
func Day(seconds int64) int64 { return seconds / secondsADay }

// UnusedSince is the day before which a client has to have been used last, for it to be removed at now.
func UnusedSince(now time.Time) int64 { return now.Add(-client.UnusedLife).Unix() / secondsADay }

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"net/http"
	"sync"

	"github.com/lychgate/lychgate/pkg/client"
)

// lastUses are the last uses of clients and secrets at this node since they were taken. It holds no more entries than
// there are clients and secrets, and a use that is known already allocates nothing.
type lastUses struct {
	mu   sync.Mutex
	seen map[client.UseKey]client.Use
}

func (l *lastUses) note(k client.UseKey, u client.Use) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.seen == nil {
		l.seen = map[client.UseKey]client.Use{}
	}
	if known, ok := l.seen[k]; ok && u.From == "" {
		u.From = known.From
	}
	l.seen[k] = u
}

func (l *lastUses) knows(k client.UseKey) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.seen[k]
	return ok
}

// useSecret notes that a request was proved by a secret. The address is that of the first request in a while: to work it
// out for each of them would cost more than it says.
func (p *Provider) useSecret(r *http.Request, c *client.Client, s client.Secret) {
	k := client.UseKey{Client: c.ID, Secret: s.ID()}
	u := client.Use{At: p.now().UTC()}
	if p.cfg.Source != nil && !p.uses.knows(k) {
		u.From = p.cfg.Source(r)
	}
	p.uses.note(k, u)
}

// useClient notes that somebody has signed in to the client.
func (p *Provider) useClient(c *client.Client) {
	p.uses.note(client.UseKey{Client: c.ID}, client.Use{At: p.now().UTC()})
}

// TakeUses returns the uses that this node has seen since it was last asked.
func (p *Provider) TakeUses() map[client.UseKey]client.Use {
	p.uses.mu.Lock()
	defer p.uses.mu.Unlock()
	out := p.uses.seen
	p.uses.seen = nil
	return out
}

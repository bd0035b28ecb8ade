// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"context"
	"fmt"
	"net/url"
	"time"
)

// How old what was fetched may be, and how often a source is asked.
const (
	// fresh is how long a document is used without asking again, usable how long while its source is away.
	fresh  = 5 * time.Minute
	usable = 24 * time.Hour
	// forced is the time between two refetches of one address that somebody insists on.
	forced = time.Minute
	// pause is how long a source that failed is left alone.
	pause = 10 * time.Second
)

// The most requests under way, to one host and in all, and the most that wait for one of them.
const (
	maxPerHost = 8
	maxFlights = 256
	maxWaiting = 64
)

// flight is one request under way. Its fields are set before done is closed.
type flight struct {
	done    chan struct{}
	body    []byte
	err     error
	waiting int
}

// Get returns the document at rawURL, at most 5 minutes old. While its source is away or slow, the last one is used for
// up to 24 h. The bytes are shared: never change them.
func (c *Client) Get(ctx context.Context, rawURL string) ([]byte, error) {
	return c.cached(ctx, rawURL, fresh)
}

// Refetch is Get for a document that seems to be out of date: it is fetched anew, but at most once a minute, whoever
// asks. In between it answers as Get does.
func (c *Client) Refetch(ctx context.Context, rawURL string) ([]byte, error) {
	return c.cached(ctx, rawURL, 0)
}

func (c *Client) cached(ctx context.Context, rawURL string, life time.Duration) ([]byte, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	key := u.String()
	now := c.now()
	c.mu.Lock()
	d := c.cache.get(key)
	if life == 0 && (d.forced.IsZero() || now.Sub(d.forced) >= forced) {
		d.forced = now
		c.cache.put(key, d)
	} else {
		life = fresh
	}
	c.mu.Unlock()
	have := !d.at.IsZero() && now.Sub(d.at) < usable
	switch {
	case have && now.Sub(d.at) < life:
		return d.body, nil
	case !d.failed.IsZero() && now.Sub(d.failed) < pause:
		err = d.err
	default:
		var body []byte
		if body, err = c.join(ctx, "keep "+key, u, c.land(key)); err == nil {
			return body, nil
		}
	}
	if have {
		return d.body, nil
	}
	return nil, err
}

// Fetch returns the document as it is now: nothing is kept, nothing older is used. Those who ask while it is on its way
// get the same.
func (c *Client) Fetch(ctx context.Context, rawURL string) ([]byte, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	return c.join(ctx, "once "+u.String(), u, func([]byte, error) {})
}

// land keeps what a flight brought. It is called under the lock.
func (c *Client) land(key string) func([]byte, error) {
	return func(body []byte, err error) {
		d := c.cache.get(key)
		if err != nil {
			d.failed, d.err = c.now(), err
		} else {
			d.body, d.at, d.failed, d.err = body, c.now(), time.Time{}, nil
		}
		c.cache.put(key, d)
	}
}

// join waits for the flight of key, or starts it. A flight goes on when nobody waits any more: who asks again finds what
// it brought.
func (c *Client) join(ctx context.Context, key string, u *url.URL, land func([]byte, error)) ([]byte, error) {
	c.mu.Lock()
	f := c.flights[key]
	switch {
	case f == nil:
		if err := c.enterLocked(u.Host); err != nil {
			c.mu.Unlock()
			return nil, err
		}
		f = &flight{done: make(chan struct{})}
		c.flights[key] = f
		go c.fly(context.WithoutCancel(ctx), key, u, land)
	case f.waiting >= maxWaiting:
		c.mu.Unlock()
		return nil, fmt.Errorf("%w to %s", ErrBusy, u.Host)
	}
	f.waiting++
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.body, f.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: %w", ErrAway, ctx.Err())
	}
}

func (c *Client) fly(ctx context.Context, key string, u *url.URL, land func([]byte, error)) {
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	body, err := c.read(ctx, u)
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.flights[key]
	f.body, f.err = body, err
	delete(c.flights, key)
	c.leaveLocked(u.Host)
	land(body, err)
	close(f.done)
}

// enter counts a request to host, or refuses it. Nobody waits for a turn: a source that is slow keeps its own
// requests busy and nobody else's.
func (c *Client) enter(host string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.enterLocked(host)
}

func (c *Client) enterLocked(host string) error {
	if c.perHost[host] >= maxPerHost || c.total >= maxFlights {
		return fmt.Errorf("%w to %s", ErrBusy, host)
	}
	c.perHost[host]++
	c.total++
	return nil
}

func (c *Client) leave(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.leaveLocked(host)
}

func (c *Client) leaveLocked(host string) {
	c.total--
	if c.perHost[host]--; c.perHost[host] == 0 {
		delete(c.perHost, host)
	}
}

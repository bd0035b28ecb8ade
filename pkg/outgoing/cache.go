// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"container/list"
	"time"
)

// The most that is kept.
const (
	maxEntries = 1000
	maxBytes   = 16 << 20
	// overhead stands for what an entry takes beside its body.
	overhead = 512
)

// document is what is known of one address.
type document struct {
	body []byte
	// at is when body was fetched; zero: never.
	at time.Time
	// failed is when the source failed last, with err, if it has not answered since.
	failed time.Time
	err    error
	// forced is when somebody last insisted on a new one.
	forced time.Time
}

// cache keeps the documents that were used last, within bounds. It has no lock of its own.
type cache struct {
	entries map[string]*list.Element
	order   *list.List
	bytes   int
}

type cached struct {
	key string
	document
}

func newCache() cache { return cache{entries: map[string]*list.Element{}, order: list.New()} }

func (c *cache) get(key string) document {
	e := c.entries[key]
	if e == nil {
		return document{}
	}
	c.order.MoveToFront(e)
	return entryOf(e).document
}

func (c *cache) put(key string, d document) {
	if e := c.entries[key]; e != nil {
		c.drop(e)
	}
	c.entries[key] = c.order.PushFront(cached{key, d})
	c.bytes += size(key, d)
	for c.order.Len() > maxEntries || c.bytes > maxBytes {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	x := entryOf(e)
	c.order.Remove(e)
	delete(c.entries, x.key)
	c.bytes -= size(x.key, x.document)
}

func entryOf(e *list.Element) cached {
	x, _ := e.Value.(cached) // nothing else is put in
	return x
}

func size(key string, d document) int { return len(key) + len(d.body) + overhead }

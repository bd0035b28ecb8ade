// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// TestTooManySignIns: password hashing is bounded whatever the load; what is over the queue gets 503 with
// Retry-After, and nothing else breaks (security.md LD-03 in small).
func TestTooManySignIns(t *testing.T) {
	p := idptest.New(t, idptest.Setup{RealClock: true, Change: func(c *config.Config) {
		c.Password = config.Password{MemoryKiB: 7168, Passes: 5, LimitMiB: 7, Queue: 4, QueueWait: 50 * time.Millisecond}
	}})
	const people = 48
	pages := make([]*idptest.Page, people)
	for i := range pages {
		pages[i] = p.Browser(t).Get(t, p.RP.AuthURL())
	}
	var mu sync.Mutex
	seen := map[int]int{}
	together(people, func(i int) {
		page := pages[i].Login(t, fmt.Sprintf("nobody%d@acme.example", i), idptest.Password)
		mu.Lock()
		defer mu.Unlock()
		seen[page.Status]++
		if page.Status == http.StatusServiceUnavailable && page.Header.Get("Retry-After") == "" {
			t.Error("503 without Retry-After")
		}
	})
	if seen[http.StatusOK] == 0 || seen[http.StatusServiceUnavailable] == 0 || seen[http.StatusOK]+seen[http.StatusServiceUnavailable] != people {
		t.Errorf("answers = %v, want 200 and 503 alone, and some of both", seen)
	}
}

// TestGracefulStop: a request that is under way when the node is told to stop is answered.
func TestGracefulStop(t *testing.T) {
	var hashes atomic.Int64
	p := idptest.New(t, idptest.Setup{RealClock: true, Hashes: &hashes, Change: func(c *config.Config) { c.Password.RefusalFloor = 300 * time.Millisecond }})
	public, health := listener(t), listener(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.Node.Run(ctx, public, health) }()
	b := p.BrowserAt(t, &idptest.Node{Addr: public.Addr().String()})
	page := b.Get(t, p.RP.AuthURL())
	answered := make(chan int, 1)
	go func() {
		form := url.Values{"username": {"nobody@acme.example"}, "password": {idptest.Password}}
		req, err := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodPost, page.URL.String(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Error(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Sec-Fetch-Site", "same-origin")
		res, err := b.Client.Do(req)
		if err != nil {
			t.Errorf("the request under way was cut off: %v", err)
			answered <- 0
			return
		}
		defer res.Body.Close()
		answered <- res.StatusCode
	}()
	within(t, 5*time.Second, "the password is being checked", func() bool { return hashes.Load() > 0 })
	cancel()
	if status := <-answered; status != http.StatusOK {
		t.Errorf("the request under way got %d", status)
	}
	if err := <-ended; err != nil {
		t.Errorf("Run() = %v", err)
	}
}

func listener(t *testing.T) net.Listener {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

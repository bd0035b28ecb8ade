// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// proxy stands between store and Redis. What Redis answers can be lost after the act, or never come.
type proxy struct {
	addr string
	// lose drops that many answers, with their connections; hang keeps every answer back.
	lose atomic.Int64
	hang atomic.Bool
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	p := &proxy{addr: l.Addr().String()}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c, to)
		}
	}()
	return p
}

func (p *proxy) serve(c net.Conn, to string) {
	defer c.Close()
	s, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer s.Close()
	// Only answers about a factor are lost, not those to the background checks.
	var script atomic.Bool
	go func() { _, _ = io.Copy(io.MultiWriter(watch{&script}, s), c) }()
	b := make([]byte, 64<<10)
	for {
		n, err := s.Read(b)
		if err != nil {
			return
		}
		if p.hang.Load() {
			continue
		}
		if script.Load() && p.lose.Add(-1) >= 0 {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// watch notes whether what passes is a script on a factor.
type watch struct{ script *atomic.Bool }

// Write implements io.Writer.
func (w watch) Write(b []byte) (int, error) {
	w.script.Store(bytes.Contains(b, []byte(":mfa")))
	return len(b), nil
}

// TestRF13LostAnswers: an answer that is lost after the act neither charges twice nor accepts twice (RF-13).
func TestRF13LostAnswers(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := newProxy(t, addr)
	s := opened(t, config(t, p.addr))
	st := stores(s, time.Now)
	ctx := t.Context()
	_, at := signedIn(t, st)
	lost := func(act func() error) {
		t.Helper()
		p.lose.Store(1)
		if err := act(); !errors.Is(err, authn.ErrUnavailable) {
			t.Fatalf("with the answer lost: %v, want ErrUnavailable", err)
		}
		p.lose.Store(0)
		eventually(t, 5*time.Second, "ready again", func() bool { return len(s.Ready(ctx)) == 0 })
	}
	for range 4 {
		lost(func() error { _, err := st.Credentials.Charge(ctx, at, "wrong"); return err })
	}
	c, err := st.Credentials.Charge(ctx, at, "right")
	if err != nil {
		t.Fatalf("second guess: %v", err)
	}
	m := []authn.Match{{Credential: c.Credentials[0].ID, Step: 77}}
	lost(func() error { _, err := st.Credentials.Consume(ctx, at, c, m); return err })
	// The person sends the form again: it passes, once.
	again, err := st.Credentials.Charge(ctx, at, "right")
	if err != nil || !again.Accepted {
		t.Fatalf("Charge of the post sent again: %+v, %v, want accepted", again, err)
	}
	at2 := inFlow(t, st, at.Account)
	c, err = st.Credentials.Charge(ctx, at2, "right")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = st.Credentials.Consume(ctx, at2, c, m); !errors.Is(err, authn.ErrRejected) {
		t.Fatalf("Consume in another flow: %v, want ErrRejected", err)
	}
	// Three wrong guesses more are still free: the lost one counted once, and the pass set the count back.
	for i := range 3 {
		if _, err := st.Credentials.Charge(ctx, at2, string(rune('a'+i))); err != nil {
			t.Fatalf("guess %d: %v", i, err)
		}
	}
}

// TestRF17HangingServer: no call takes longer than two seconds, and the pool recovers (RF-17).
func TestRF17HangingServer(t *testing.T) {
	addr, _ := storetest.StartRedis(t)
	p := newProxy(t, addr)
	s := opened(t, config(t, p.addr))
	p.hang.Store(true)
	began := time.Now()
	for range 20 {
		if _, err := s.Accounts().ByName(t.Context(), "ann"); !errors.Is(err, authn.ErrUnavailable) {
			t.Fatalf("ByName of a server that hangs: %v, want ErrUnavailable", err)
		}
	}
	if d := time.Since(began); d > 2*time.Second {
		t.Errorf("20 calls took %s, want under 2 s: those after the first are refused at once", d)
	}
	p.hang.Store(false)
	eventually(t, 5*time.Second, "ready again", func() bool {
		_, err := s.Accounts().ByName(t.Context(), "ann")
		return errors.Is(err, authn.ErrNotFound)
	})
}

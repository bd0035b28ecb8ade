// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// cutter stands before Redis and breaks the connection at the next call of one script: before Redis sees it, or
// after Redis did it, so that the answer is lost.
type cutter struct {
	addr, redis string
	sha         atomic.Pointer[string]
	lose        atomic.Bool
}

func startCutter(t *testing.T, redis string) *cutter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	c := &cutter{addr: l.Addr().String(), redis: redis}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go c.serve(in)
		}
	}()
	return c
}

func (c *cutter) serve(in net.Conn) {
	defer in.Close()
	out, err := net.Dial("tcp", c.redis)
	if err != nil {
		return
	}
	defer out.Close()
	go func() { _, _ = io.Copy(in, out) }()
	buf := make([]byte, 64<<10)
	for {
		n, err := in.Read(buf)
		if err != nil {
			return
		}
		if sha := c.sha.Load(); sha != nil && bytes.Contains(buf[:n], []byte(*sha)) {
			c.sha.Store(nil)
			if c.lose.Load() {
				_ = in.Close()
				_, _ = out.Write(buf[:n])
				// Redis has to carry it out before the connection ends; nothing tells when it has.
				time.Sleep(50 * time.Millisecond)
			}
			return
		}
		if _, err := out.Write(buf[:n]); err != nil {
			return
		}
	}
}

// at arms the cutter for a script.
func (c *cutter) at(t *testing.T, script string, lose bool) {
	t.Helper()
	b, err := os.ReadFile("../store/scripts/" + script + ".lua")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(b) // the name by which Redis knows a script
	sha := hex.EncodeToString(sum[:])
	c.lose.Store(lose)
	c.sha.Store(&sha)
}

// TestCutBetweenTwoCalls: the store goes away at each call of a sign-in in turn, before it or after it. The answer is
// 503 and no session; afterwards the flow leads to a code only if the step was spent, and the step is spent once.
func TestCutBetweenTwoCalls(t *testing.T) { //nolint:gocognit // one walk, in its order
	redis, _ := storetest.StartRedis(t)
	c := startCutter(t, redis)
	p := idptest.New(t, idptest.Setup{Redis: []string{c.addr}})
	for _, tt := range []struct {
		script string
		lose   bool
		// spent says that the step was spent when the store went away.
		spent bool
	}{
		{"factor_charge", false, false},
		{"factor_charge", true, false},
		{"factor_consume", false, false},
		{"factor_consume", true, true},
		{"device_add", false, true},
		{"session_create", false, true},
		{"session_create", true, true},
		{"flow_mark", false, true},
		{"flow_mark", true, true},
		{"issue", false, true},
	} {
		name := tt.script
		if tt.lose {
			name += ", answer lost"
		}
		t.Run(name, func(t *testing.T) {
			user := strings.ReplaceAll(strings.ReplaceAll(name, ", ", "-"), " ", "-") + "@acme.example"
			p.AddEnrolled(t, user, "acme")
			b, other := p.Browser(t), p.Browser(t)
			page := b.Get(t, p.RP.AuthURL()).Login(t, user, idptest.Password)
			elsewhere := other.Get(t, p.RP.AuthURL()).Login(t, user, idptest.Password)
			flow := strings.TrimSuffix(page.URL.String(), "/factor")
			code := p.Code(t, 0)
			c.at(t, tt.script, tt.lose)
			got := page.Remember(t, code)
			if got.Status != http.StatusServiceUnavailable || got.Header.Get("Retry-After") == "" {
				t.Fatalf("%d %q at %s", got.Status, got.H1(), got.URL)
			}
			if tt.script != "issue" && b.Cookie("lg_s") != "" {
				t.Error("a session was handed out")
			}
			within(t, 5*time.Second, "the store is back", func() bool {
				got = b.Get(t, flow)
				return got.Status != http.StatusServiceUnavailable
			})
			if passed := strings.HasPrefix(got.URL.String(), p.RP.URL); passed != tt.spent {
				t.Fatalf("the flow leads to %d %s, want a code: %v", got.Status, got.URL, tt.spent)
			}
			if tt.spent {
				p.RP.Exchange(t, got)
				if again := elsewhere.Code(t, code); again.Alert() == "" {
					t.Errorf("the code was accepted twice: %s", again.URL)
				}
			} else if again := got.Code(t, code); !strings.HasPrefix(again.URL.String(), p.RP.URL) {
				t.Errorf("the code of a cut post is not taken: %d %q %q", again.Status, again.H1(), again.Alert())
			}
		})
	}
}

// TestCutAtTheMove: between the end of the flow before the password and the one after it only the flow is lost.
func TestCutAtTheMove(t *testing.T) {
	redis, _ := storetest.StartRedis(t)
	c := startCutter(t, redis)
	p := idptest.New(t, idptest.Setup{Redis: []string{c.addr}})
	p.AddEnrolled(t, anna, "acme")
	for _, script := range []string{"flow_take", "flow_put"} {
		for _, lose := range []bool{false, true} {
			b := p.Browser(t)
			page := b.Get(t, p.RP.AuthURL())
			c.at(t, script, lose)
			if got := page.Login(t, anna, idptest.Password); got.Status != http.StatusServiceUnavailable || b.Cookie("lg_s") != "" {
				t.Fatalf("%s: %d", script, got.Status)
			}
			within(t, 5*time.Second, "the store is back", func() bool {
				return b.Get(t, page.URL.String()).Status != http.StatusServiceUnavailable
			})
			got := b.Post(t, page.URL.String(), url.Values{"username": {anna}, "password": {idptest.Password}})
			again := script == "flow_take" && !lose
			if again != (got.H1() == "Enter your code") || !again && got.Status != http.StatusBadRequest {
				t.Errorf("%s, lost %v: %d %q", script, lose, got.Status, got.H1())
			}
		}
	}
}

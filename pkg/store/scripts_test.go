// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store/embedded"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// bench is a store for scripts that no interface calls yet, or whose every answer is to be seen.
type bench struct {
	*Store
	t testing.TB
}

func newBench(tb testing.TB, addr string, change func(*Config)) bench {
	tb.Helper()
	k, err := seal.NewKey(nil)
	if err != nil {
		tb.Fatal(err)
	}
	ring, err := seal.NewRing(k)
	if err != nil {
		tb.Fatal(err)
	}
	c := Config{Addrs: []string{addr}, Ring: ring, IndexKey: make([]byte, 32), PairwiseKey: make([]byte, 32), Pepper: make([]byte, 32)}
	change(&c)
	s, err := Open(context.WithoutCancel(tb.Context()), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = s.Close() })
	return bench{s, tb}
}

func onBoth(t *testing.T, f func(b bench)) {
	t.Helper()
	t.Run("miniredis", func(t *testing.T) {
		e, err := embedded.StartManual(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(e.Close)
		f(newBench(t, e.Addr(), func(c *Config) { c.Embedded, c.Now = true, e.Now }))
	})
	t.Run("redis", func(t *testing.T) {
		addr, _ := storetest.StartRedis(t)
		f(newBench(t, addr, func(*Config) {}))
	})
}

func (b bench) script(name string, keys []string, args ...any) reply {
	b.t.Helper()
	r, err := b.run(b.t.Context(), name, keys, args...)
	if err != nil {
		b.t.Errorf("%s: %v", name, err)
		return reply{int64(-1)}
	}
	return r
}

func (b bench) want(what string, r reply, code int64) reply {
	b.t.Helper()
	if r.code() != code {
		b.t.Fatalf("%s = %v, want status %d", what, r, code)
	}
	return r
}

const tag = "abcdefghijklm"

// account writes an account that was never enrolled, without its neighbours.
func (b bench) account() {
	b.t.Helper()
	k := b.key
	if _, err := b.do(b.t.Context(), cmd{"del", k.acct(tag), k.mfa(tag), k.dev(tag)}); err != nil {
		b.t.Fatal(err)
	}
	b.set(k.acct(tag), "id", "acc1", "company", "co1", "state", "active", "ep", "1", "pwgen", "1", "mfagen", "0", "mfastate", "never")
}

func (b bench) set(key string, pairs ...any) {
	b.t.Helper()
	if _, err := b.do(b.t.Context(), append(cmd{"hset", key}, pairs...)); err != nil {
		b.t.Error(err)
	}
}

func (b bench) confirm(id, mode, gen string, codes ...any) reply {
	b.t.Helper()
	pend, flow := b.key.pend(tag, "f1"), b.key.flow(tag, "setup")
	b.set(pend, "s:totp", "x")
	b.set(flow, "bind", "B")
	args := append([]any{"1", "1", gen, mode, id, "SEALED-" + id, 100, 3, "B", "otp", ""}, codes...)
	return b.script("factor_confirm", []string{b.key.acct(tag), b.key.mfa(tag), pend, flow}, args...)
}

func (b bench) charge(flow, attempt, which string) reply {
	b.t.Helper()
	key := b.key.flow(tag, flow)
	b.set(key, "bind", "B", "ep", "1", "pwgen", "1")
	return b.script("factor_charge", []string{b.key.acct(tag), b.key.mfa(tag), key}, "B", "u", attempt, which, 1000, 1, 1, 1000, 1000000, 24)
}

func (b bench) recover(flow, attempt, gen, code string) reply {
	b.t.Helper()
	return b.script("factor_recover", []string{b.key.acct(tag), b.key.mfa(tag), b.key.flow(tag, flow)}, "B", gen, "u", attempt, code)
}

// TestRecoveryCodes: each is accepted once, after a charge only, and ends every remembered device.
func TestRecoveryCodes(t *testing.T) {
	onBoth(t, func(b bench) {
		b.account()
		b.want("first", b.confirm("a1", "first", "0", "h1", "h2", "h3"), done)
		b.want("recover without a charge", b.recover("none", "r0", "1", "h1"), gone)
		b.want("charge", b.charge("f0", "r0", "r"), done)
		b.want("unknown code", b.recover("f0", "r0", "1", "zz"), spent)
		b.want("uncharged", b.recover("f0", "r9", "1", "h1"), uncharged)
		b.want("old generation", b.recover("f0", "r0", "0", "h1"), moved)
		if r := b.want("code", b.recover("f0", "r0", "1", "h2"), done); r.num(1) != 2 {
			b.t.Errorf("%d codes left, want 2", r.num(1))
		}
		b.want("the same post again", b.recover("f0", "r0", "1", "h2"), done)
		b.want("charge", b.charge("f1", "r1", "r"), done)
		b.want("the same code in another flow", b.recover("f1", "r1", "1", "h2"), spent)
		out, err := b.do(b.t.Context(), hmget(b.key.mfa(tag), "devgen"), hmget(b.key.flow(tag, "f0"), "ev"))
		if err != nil || list(out[0]).text(0) != "2" || list(out[1]).text(0) == "" {
			b.t.Errorf("devgen and evidence = %v, %v, want 2 and a time", out, err)
		}
		var ok atomic.Int64
		var wg sync.WaitGroup
		for i := range 30 {
			wg.Go(func() {
				f := fmt.Sprint("race", i)
				if b.charge(f, f, "r").code() == done && b.recover(f, f, "1", "h1").code() == done {
					ok.Add(1)
				}
			})
		}
		wg.Wait()
		if ok.Load() != 1 {
			b.t.Errorf("30 flows with one recovery code: %d successes, want 1", ok.Load())
		}
	})
}

// TestAuthenticatorsAreAdded: one by one, up to the most, under the generation that was read.
func TestAuthenticatorsAreAdded(t *testing.T) {
	onBoth(t, func(b bench) {
		b.account()
		b.want("add before the first", b.confirm("a0", "add", "0"), wrongState)
		b.want("first", b.confirm("a1", "first", "0"), done)
		b.want("first again", b.confirm("a9", "first", "1"), wrongState)
		b.want("add under an old generation", b.confirm("a2", "add", "0"), moved)
		b.want("add", b.confirm("a2", "add", "1"), done)
		b.want("add", b.confirm("a3", "add", "2"), done)
		b.want("one too many", b.confirm("a4", "add", "3"), tooMany)
		b.want("ticket when enrolled", b.confirm("a4", "ticket", "3"), wrongState)
		b.want("unknown mode", b.confirm("a4", "steal", "3"), wrongState)
		r := b.want("charge of all", b.charge("f", "x", "totp"), done)
		if len(r) != 12 || r.text(3) != "a1" || r.text(6) != "a2" || r.text(9) != "a3" {
			b.t.Errorf("charge = %v, want three authenticators", r)
		}
		for _, f := range []string{"gen", "state", "ids", "bu", "l:a1", "s:a2", "devgen", "tu"} {
			b.account()
			b.want("first", b.confirm("a1", "first", "0"), done)
			b.want("add", b.confirm("a2", "add", "1"), done)
			if _, err := b.do(b.t.Context(), cmd{"hdel", b.key.mfa(tag), f}); err != nil {
				b.t.Fatal(err)
			}
			b.want("charge of a record without "+f, b.charge("f", "y", "totp"), lost)
		}
	})
}

// TestScriptsDeclareTheirKeys: no script builds a key name, so each can run on a Cluster; none uses a command that
// Redis 7.0 does not have, nor a library that miniredis lacks.
func TestScriptsDeclareTheirKeys(t *testing.T) {
	all, err := loadScripts()
	if err != nil || len(all) < 25 {
		t.Fatalf("loadScripts() = %d scripts, %v", len(all), err)
	}
	for name, s := range all {
		for _, bad := range []string{"HEXPIRE", "HPEXPIRE", "HTTL", "HGETDEL", "SSUBSCRIBE", "bit.", "struct.", "cmsgpack", "#!lua", "KEYS[1] ..", "os."} {
			if strings.Contains(s.text, bad) {
				t.Errorf("%s.lua uses %s", name, bad)
			}
		}
		undeclared(t, name, s.text)
		for _, head := range []string{"-- " + name + ":", "-- KEYS", "-- Returns"} {
			if !strings.Contains(s.text, head) {
				t.Errorf("%s.lua: its head lacks %q", name, head)
			}
		}
	}
}

// undeclared reports every command that is called on something else than a declared key.
func undeclared(t *testing.T, name, text string) {
	t.Helper()
	for i, rest := range strings.Split(text, "redis.call('") {
		if i == 0 {
			continue
		}
		command, after, _ := strings.Cut(rest, "'")
		if command != "TIME" && !strings.HasPrefix(after, ", KEYS[") {
			t.Errorf("%s.lua: %s is not called on a declared key: %.40s", name, command, after)
		}
	}
}

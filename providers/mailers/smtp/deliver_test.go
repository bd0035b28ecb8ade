// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package smtp_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	gosmtp "github.com/emersion/go-smtp"

	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/seal"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/embedded"
)

// office is an outbox on a store with a moved clock, and senders to a mail server.
type office struct {
	clock *embedded.Embedded
	cfg   store.Config
	post  *post
	log   bytes.Buffer

	mu     sync.Mutex
	failed []notify.Failure
}

func newOffice(t *testing.T) *office {
	t.Helper()
	e, err := embedded.StartManual(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	k, err := seal.NewKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ring, err := seal.NewRing(k)
	if err != nil {
		t.Fatal(err)
	}
	key := make([]byte, 32)
	return &office{clock: e, post: startPost(t), cfg: store.Config{
		Addrs: []string{e.Addr()}, Embedded: true, Now: e.Now, Ring: ring, IndexKey: key, PairwiseKey: key, Pepper: key,
	}}
}

// node opens the store anew, with a sender.
func (o *office) node(t *testing.T) (*store.Store, *notify.Sender) {
	t.Helper()
	s, err := store.Open(context.WithoutCancel(t.Context()), o.cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, notify.New(notify.Config{
		Outbox: s.Outbox(), Mailer: o.post.mailer(t, nil), Domain: "id.example", Now: o.clock.Now,
		Render: func(m notify.Message) (notify.Mail, error) {
			return notify.Mail{Subject: "About " + string(m.Kind), Text: m.Account}, nil
		},
		Failed: func(_ context.Context, f notify.Failure) {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.failed = append(o.failed, f)
		},
		Log: slog.New(slog.NewTextHandler(&o.log, nil)),
	})
}

func put(t *testing.T, s *store.Store, event string, to ...string) {
	t.Helper()
	if err := s.Outbox().Put(t.Context(), notify.Message{Kind: notify.FactorAdded, Event: event, To: to, Account: "ann"}); err != nil {
		t.Fatal(err)
	}
}

func flush(t *testing.T, s *notify.Sender) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestOnce: an act that is retried tells of it once, to each address; a void message reaches nobody.
func TestOnce(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	for range 3 {
		put(t, s, "e1", "ann@acme.example", "ann@home.example")
		flush(t, sender)
		o.clock.Advance(time.Hour)
	}
	void := notify.Message{Kind: notify.ResetAsked, Event: "e2", To: []string{"nobody@acme.example"}, Void: true}
	if err := s.Outbox().Put(t.Context(), void); err != nil {
		t.Fatal(err)
	}
	flush(t, sender)
	got := o.post.letters()
	if len(got) != 2 || got[0].to == got[1].to || got[0].header.Get("Message-Id") == got[1].header.Get("Message-Id") {
		t.Errorf("received %+v, want one for each address", got)
	}
}

// TestAnswerLost: the server took the mail, the connection ended before its answer. It is sent again, and can be told
// by its Message-ID.
func TestAnswerLost(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	o.post.set(func() { o.post.cut = true })
	put(t, s, "e1", "ann@acme.example")
	flush(t, sender)
	o.post.set(func() { o.post.cut = false })
	flush(t, sender)
	if n := len(o.post.letters()); n != 1 {
		t.Fatalf("%d letters before the wait is over, want 1", n)
	}
	o.clock.Advance(time.Minute)
	flush(t, sender)
	got := o.post.letters()
	if len(got) != 2 {
		t.Fatalf("%d letters, want 2", len(got))
	}
	id := got[0].header.Get("Message-Id")
	if id != got[1].header.Get("Message-Id") || !strings.HasSuffix(id, "@id.example>") {
		t.Errorf("Message-ID %q, then %q", id, got[1].header.Get("Message-Id"))
	}
	o.clock.Advance(2 * time.Hour)
	flush(t, sender)
	if n := len(o.post.letters()); n != 2 {
		t.Errorf("%d letters in the end, want 2", n)
	}
}

// TestBackOff: a minute, doubling to an hour, and after three days it is given up and told.
func TestBackOff(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	o.post.set(func() { o.post.rcpt = &gosmtp.SMTPError{Code: 451, Message: "later, ann@acme.example"} })
	put(t, s, "e1", "ann@acme.example")
	flush(t, sender)
	for i, wait := range []int{1, 2, 4, 8, 16, 32, 60, 60} {
		before := o.post.asked
		o.clock.Advance(time.Duration(wait)*time.Minute - time.Second)
		flush(t, sender)
		if o.post.asked != before {
			t.Errorf("try %d came before %d minutes", i+2, wait)
		}
		o.clock.Advance(time.Second)
		flush(t, sender)
		if o.post.asked != before+1 {
			t.Errorf("try %d did not come after %d minutes", i+2, wait)
		}
	}
	for range 80 {
		o.clock.Advance(time.Hour)
		flush(t, sender)
	}
	if len(o.failed) != 1 || o.failed[0].Kind != notify.FactorAdded || o.failed[0].Tries < 70 || o.failed[0].Tries > 80 {
		t.Errorf("given up: %+v, want once, after 3 days", o.failed)
	}
	if text := o.log.String() + fmt.Sprint(o.failed); strings.Contains(text, "ann@") {
		t.Errorf("told too much: %s", text)
	}
	if n := strings.Count(o.log.String(), "messages wait"); n != 1 {
		t.Errorf("said %d times that messages wait, want once", n)
	}
}

// TestRefusedForGood: a 5xx for recipient or content ends it at once, as does an address that is none.
func TestRefusedForGood(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	o.post.set(func() { o.post.rcpt = &gosmtp.SMTPError{Code: 550, Message: "nobody"} })
	put(t, s, "e1", "ann@acme.example")
	put(t, s, "e2", "ann@acme.example\r\nRCPT TO:<eve@evil.example>", "Ann Example", "ann@acme.example,eve@evil.example")
	flush(t, sender)
	o.post.set(func() { o.post.rcpt = nil })
	o.clock.Advance(24 * time.Hour)
	flush(t, sender)
	if len(o.failed) != 4 || len(o.post.letters()) != 0 || o.post.asked != 1 {
		t.Errorf("given up %+v, %d letters after %d tries", o.failed, len(o.post.letters()), o.post.asked)
	}
}

// TestServerAway: messages wait, over a restart of the provider, and go out when it is back.
func TestServerAway(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	if err := o.post.server.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		put(t, s, fmt.Sprint("e", i), "ann@acme.example")
	}
	for range 3 {
		flush(t, sender)
		o.clock.Advance(10 * time.Minute)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	cert, pool := certificate(t)
	o.post.config.RootCAs = pool
	o.post.serve(t, o.post.listen(t, o.post.addr), cert)
	_, again := o.node(t)
	flush(t, again)
	if n := len(o.post.letters()); n != 30 || len(o.failed) != 0 {
		t.Errorf("%d letters, want 30; given up %v", n, o.failed)
	}
}

// TestTwoNodes: 200 messages and two senders on one outbox: each arrives once.
func TestTwoNodes(t *testing.T) {
	o := newOffice(t)
	a, one := o.node(t)
	b, two := o.node(t)
	var wg sync.WaitGroup
	for i := range 200 {
		put(t, []*store.Store{a, b}[i%2], fmt.Sprint("e", i), fmt.Sprint(i, "@acme.example"))
	}
	for _, s := range []*notify.Sender{one, two} {
		wg.Go(func() { flush(t, s) })
	}
	wg.Wait()
	o.clock.Advance(time.Hour)
	flush(t, one)
	seen := map[string]int{}
	for _, l := range o.post.letters() {
		seen[l.to]++
	}
	for to, n := range seen {
		if n != 1 {
			t.Errorf("%s got %d letters", to, n)
		}
	}
	if len(seen) != 200 {
		t.Errorf("%d people got a letter, want 200", len(seen))
	}
}

// TestEndOfTheProgram: what was claimed when the program ends is given back unsent, or is in the outbox still.
func TestEndOfTheProgram(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	put(t, s, "e1", "ann@acme.example")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	sender.Run(ctx)
	o.clock.Advance(6 * time.Minute)
	flush(t, sender)
	if n := len(o.post.letters()); n != 1 {
		t.Errorf("%d letters, want 1", n)
	}
}

// TestRunSends: the sender looks at the outbox by itself, and ends with its context.
func TestRunSends(t *testing.T) {
	o := newOffice(t)
	s, sender := o.node(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { sender.Run(ctx); close(ended) }()
	put(t, s, "e1", "ann@acme.example")
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if len(o.post.letters()) == 1 {
			break
		}
		<-tick.C
	}
	cancel()
	<-ended
	if n := len(o.post.letters()); n != 1 {
		t.Errorf("%d letters within 10 s, want 1", n)
	}
}

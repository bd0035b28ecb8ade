// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package storetest is the contract that every store passes: single use under races, expiry, and refusal of
// everything that is unknown, moved or lost. It knows the interfaces only. Beside it stand helpers that start real
// Redis servers for tests.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/device"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/invitation"
	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/logout"
	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/registry"
	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/pkg/throttle"
)

// Stores are the interfaces of one empty store.
type Stores struct {
	Accounts    authn.AccountStore
	People      authn.People
	Invitations invitation.Store
	Renewer     authn.Renewer
	Credentials authn.CredentialStore
	Flows       flow.Store
	Pushed      flow.PushedStore
	Sessions    session.Store
	Grants      grant.Store
	Consents    grant.Consents
	Proofs      grant.Proofs
	Standings   grant.Standings
	Editor      authn.FactorEditor
	Links       authn.LinkStore
	Devices     device.Store
	Throttle    throttle.Counter
	Clients     client.Registry
	Uses        client.UseStore
	Companies   company.Registry
	Registry    registry.Store
	Keys        keys.Store
	Outbox      notify.Outbox
	Ends        logout.Queue
	// Now is the clock of the store.
	Now func() time.Time
	// FastForward moves it; nil where time cannot be moved: expiry rows then wait.
	FastForward func(time.Duration)
}

// Options are the lifetimes that expiry rows shorten; zero ones are the defaults.
type Options struct {
	SessionIdle, FlowLife, CodeLife, RefreshGrace, TicketLife, DeviceGrace, FirstWait time.Duration
	// Free is the number of free guesses, OutboxMost that of messages that may wait; 0: the default.
	Free, OutboxMost int
}

// Open makes an empty store for one test.
type Open func(t *testing.T, o Options) *Stores

// waiting rows run beside each other, after the races: they mostly sleep.
type waiting bool

const waits waiting = true

// life is the lifetime of what expires in a test.
const life = time.Second

// row is one promise of the contract.
type row struct {
	name string
	run  func(*testing.T, Open)
	wait waiting
}

// Run holds a store to the contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	for _, r := range slices.Concat(signInRows(), grantRows(), otherRows()) {
		t.Run(r.name, func(t *testing.T) {
			if r.wait {
				t.Parallel()
			}
			r.run(t, open)
		})
	}
}

// signInRows are accounts, flows, sessions and factors.
func signInRows() []row {
	return []row{
		{"account", testAccounts, false},
		{"account names race", testNameRace, false},
		{"account changes", testChanges, false},
		{"account created disabled", testCreateDisabled, false},
		{"password records are renewed", testRenew, false},
		{"password records are renewed in a race", testRenewRaces, false},
		{"flow before the password", testAnonymousFlow, false},
		{"flow after the password", testFlow, false},
		{"flow marks", testFlowMarks, false},
		{"flow moved", testFlowMoved, false},
		{"flow expires", testFlowExpires, waits},
		{"flow races", testFlowRaces, false},
		{"session", testSession, false},
		{"session ends with the account", testSessionMoved, false},
		{"session expires", testSessionExpires, waits},
		{"factor", testFactor, false},
		{"factor refuses", testFactorRefuses, false},
		{"factor races", testFactorRaces, false},
		{"factor waits and locks", testFactorWaits, waits},
		{"set-up", testSetup, false},
		{"set-up after a reset", testSetupTicket, waits},
		{"set-up races", testSetupRaces, false},
		{"several authenticators", testSeveral, false},
		{"a set-up beside others", testSetupMore, waits},
		{"authenticators change", testEdit, false},
		{"recovery codes", testRecovery, false},
		{"challenges", testChallenges, false},
		{"put off", testSkips, false},
		{"evidence ends with a change", testEvidenceMoved, false},
		{"links", testLinks, waits},
		{"sessions listed", testSessionList, false},
		{"apps with access", testStandings, false},
	}
}

// grantRows are what clients get, and what people agreed to.
func grantRows() []row {
	return []row{
		{"code", testCode, false},
		{"code races", testCodeRaces, false},
		{"answer with an access token", testFront, false},
		{"access token beside a code expires", testFrontExpires, waits},
		{"refresh", testRefresh, waits},
		{"refresh races", testRefreshRaces, false},
		{"grant ends with the account", testGrantMoved, false},
		{"grant expires", testGrantExpires, waits},
		{"lookup and revoke", testLookup, false},
		{"client credentials", testClientGrant, waits},
		{"forged handles", testForged, false},
		{"proofs", testProofs, waits},
		{"pushed requests", testPushed, waits},
		{"consent", testConsent, false},
		{"device", testDevice, waits},
		{"device ends", testDeviceEnds, waits},
	}
}

// otherRows are what stands beside the sign-in.
func otherRows() []row {
	return []row{
		{"throttle", testThrottle, waits},
		{"registry", testRegistry, false},
		{"uses", testUses, false},
		{"people", testPeople, false},
		{"people change", testPeopleChange, false},
		{"invitations", testInvitations, false},
		{"invitations end", testInvitationsEnd, false},
		{"registry apply", testApply, false},
		{"signing keys", testKeys, false},
		{"outbox", testOutbox, false},
		{"outbox times", testOutboxTimes, waits},
		{"outbox bound", testOutboxBound, false},
		{"outbox races", testOutboxRaces, false},
		{"apps of a session", testServed, false},
		{"apps of a session are bounded", testServedBound, false},
		{"apps are told of an end", testEnds, false},
		{"apps are told of every end of an account", testEndsAll, false},
		{"ended sessions wait", testEndsTimes, waits},
		{"ended sessions race", testEndsRaces, false},
	}
}

// pass lets d go by.
func (s *Stores) pass(d time.Duration) {
	if s.FastForward != nil {
		s.FastForward(d)
		return
	}
	time.Sleep(d) // the only wait there is: a real server's clock cannot be moved
}

// is fails unless err is want; a nil want is success.
func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if want == nil && err != nil || want != nil && !errors.Is(err, want) {
		t.Fatalf("%s: error = %v, want %v", what, err, want)
	}
}

// together runs f n times at once.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() { <-start; f(i) })
	}
	close(start)
	wg.Wait()
}

// tally counts outcomes of a race.
type tally struct {
	mu sync.Mutex
	n  map[string]int
}

func (c *tally) add(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n == nil {
		c.n = map[string]int{}
	}
	c.n[what]++
}

func (c *tally) get(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[what]
}

// outcome counts err: "ok", or the first of the sentinels that it is, or its text.
func (c *tally) outcome(err error, sentinels ...error) {
	if err == nil {
		c.add("ok")
		return
	}
	for _, s := range sentinels {
		if errors.Is(err, s) {
			c.add(s.Error())
			return
		}
	}
	c.add(err.Error())
}

// unlike is a character that text does not begin with: what is changed by it is another text, whatever the dice say.
func unlike(text string) string {
	if text != "" && text[0] == 'A' {
		return "B"
	}
	return "A"
}

// totpSecret is an imported secret; what it computes to does not matter here: a store sees steps only.
func totpSecret() []byte { return []byte("12345678901234567890") }

// person makes an account.
func (s *Stores) person(t *testing.T, name string) authn.Account {
	t.Helper()
	a, err := s.Accounts.Create(t.Context(), authn.NewAccount{
		Name: name, Company: "acme", PasswordRecord: "$argon2id$" + name,
		Profile: authn.Profile{Name: name, Roles: []string{"clerk"}, Claims: map[string]any{"email": name}},
	})
	is(t, "create account", err, nil)
	return a
}

// enrolled makes an account with an imported authenticator.
func (s *Stores) enrolled(t *testing.T, name string) authn.Account {
	t.Helper()
	a, err := s.Accounts.Create(t.Context(), authn.NewAccount{
		Name: name, Company: "acme", PasswordRecord: "$argon2id$" + name, TOTPSecret: totpSecret(),
	})
	is(t, "create account", err, nil)
	return a
}

func request() flow.Request {
	age := int64(300)
	return flow.Request{
		Params: url.Values{"client_id": {"app"}, "nonce": {"n"}}, ClientID: "app", RedirectURI: "https://app.example/cb",
		ResponseMode: "query", State: "st", Scopes: []string{"openid", "email"}, MaxAge: &age,
	}
}

// signedIn stores a flow and moves it to the account, as the password step does.
func (s *Stores) signedIn(t *testing.T, a authn.Account) (*flow.Flow, []string) {
	t.Helper()
	f, bind, err := s.signIn(t.Context(), a)
	is(t, "sign in", err, nil)
	return f, bind
}

func (s *Stores) signIn(ctx context.Context, a authn.Account) (*flow.Flow, []string, error) {
	f := &flow.Flow{Request: request(), Created: s.at()}
	if err := s.Flows.Create(ctx, f, "before"); err != nil {
		return nil, nil, fmt.Errorf("create: %w", err)
	}
	f.Account, f.AccountName, f.Epoch, f.PasswordGen, f.PasswordAt = &a, "typed", a.Epoch, a.PasswordGen, s.at()
	if err := s.Flows.Identify(ctx, f, []string{"before"}, "after"); err != nil {
		return nil, nil, fmt.Errorf("identify: %w", err)
	}
	return f, []string{"after", "before"}, nil
}

// at is the store's time as it is kept.
func (s *Stores) at() time.Time { return s.Now().Truncate(time.Millisecond).UTC() }

// attempt is a try in a flow after the password.
func attempt(f *flow.Flow, bind []string) authn.Attempt {
	return authn.Attempt{Account: *f.Account, Flow: f.ID, Bind: bind, Lane: authn.LaneUnknown, Kind: "totp"}
}

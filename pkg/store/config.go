// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"time"

	"github.com/lychgate/lychgate/pkg/notify"
	"github.com/lychgate/lychgate/pkg/seal"
)

// Mode is how Redis is run.
type Mode string

// The modes.
const (
	Standalone Mode = "standalone"
	Sentinel   Mode = "sentinel"
	Cluster    Mode = "cluster"
)

// Lifetimes are how long things last; a zero field takes the default of decisions.md.
type Lifetimes struct {
	// SessionIdle (60 min) ends a session that is not used. SessionEnd (24 h) is for the caller: sessions bring
	// their absolute end with them.
	SessionIdle, SessionEnd time.Duration
	// FlowLife (10 min) is also that of a pending set-up. CodeLife is 60 s.
	FlowLife, CodeLife time.Duration
	// RefreshIdle (14 d) counts where the caller gives none. RefreshGrace (10 s) is how long the refresh token
	// before the last one is still good; RefreshOutageGrace (120 s) counts for Quarantine after a change of server.
	RefreshIdle, RefreshGrace, RefreshOutageGrace time.Duration
	// TicketLife (24 h) is that of a set-up ticket. DeviceGrace (5 min) is how long a device's secret before the
	// last one is taken for a second tab.
	TicketLife, DeviceGrace time.Duration
	// Quarantine (90 s) is how long after a change of server (restart, failover) no code of a time step up to that
	// moment's next one is accepted: it may have been spent in a write that was lost. Negative: none.
	Quarantine time.Duration
}

// Guesses are the limits on guesses at the second factor; a zero field takes the default of decisions.md.
type Guesses struct {
	// Free (5) guesses, then FirstWait (30 s) doubling to LongestWait (1 h); more than Cap (50) failures in a row
	// lock the factor.
	Free                   int
	FirstWait, LongestWait time.Duration
	Cap                    int
	// Budgets in units of one step of one authenticator, and what comes back in a year: unknown browsers 36 and
	// 24, known ones 24 and 12.
	BudgetUnknown, RefillUnknown, BudgetKnown, RefillKnown int
	// SetUp (10) wrong codes end a set-up.
	SetUp int
}

// Config says where Redis is and with which keys to seal.
type Config struct {
	// Mode is standalone if empty. Addrs are host:port; of the sentinels or of some cluster nodes in those modes.
	Mode  Mode
	Addrs []string
	// MasterName is for Sentinel only.
	MasterName         string
	Username, Password string
	SentinelPassword   string
	DB                 int
	TLS                *tls.Config
	// Prefix stands before every key; empty: "lg:".
	Prefix string
	// RequirePersistence makes a Redis without AOF not ready.
	RequirePersistence bool
	// OwnAlone refuses a Redis that holds other data: it has to be empty, or filled by Lychgate.
	OwnAlone bool
	// Embedded skips the checks of the server that miniredis has no commands for.
	Embedded bool

	// Ring seals records and handles.
	Ring *seal.Ring
	// IndexKey hides names; PairwiseKey is only fingerprinted; Pepper keys digests. At least 32 bytes each.
	IndexKey, PairwiseKey, Pepper []byte

	Lifetimes Lifetimes
	Guesses   Guesses
	// OutboxMost is the number of messages that may wait; 0: notify.MaxEntries.
	OutboxMost int

	// Now is the clock (nil: the real one), Rand makes ids and secrets (nil: crypto/rand), Log may be nil.
	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger

	// CheckEvery is the time between two checks of a server in order; 0: 10 s.
	CheckEvery time.Duration
	// PoolSize is the number of connections per server; 0: 64.
	PoolSize int
}

// LogValue keeps passwords and keys out of the logs.
func (c Config) LogValue() slog.Value {
	return slog.StringValue("[redacted] " + string(c.Mode) + " " + fmt.Sprint(c.Addrs))
}

// check fills the defaults in and reports every problem at once.
func (c Config) check() (Config, error) {
	var bad []error
	c.Mode = or(c.Mode, Standalone)
	c.Prefix = or(c.Prefix, "lg:")
	if !regexp.MustCompile(`^[a-z0-9_:.-]{1,32}$`).MatchString(c.Prefix) {
		bad = append(bad, errors.New("prefix: 1 to 32 characters of a-z 0-9 _ : . -"))
	}
	if len(c.Addrs) == 0 {
		bad = append(bad, errors.New("addrs: name at least one host:port"))
	}
	switch c.Mode {
	case Standalone:
		if len(c.Addrs) > 1 {
			bad = append(bad, errors.New("addrs: standalone takes one host:port"))
		}
	case Sentinel:
		if c.MasterName == "" {
			bad = append(bad, errors.New("master name: sentinel needs it"))
		}
	case Cluster:
		if c.DB != 0 {
			bad = append(bad, errors.New("db: a cluster has only 0"))
		}
	default:
		bad = append(bad, fmt.Errorf("mode: %q is not standalone, sentinel or cluster", c.Mode))
	}
	if c.Ring == nil {
		bad = append(bad, errors.New("ring: at least one key is needed; make one with lychgate secret new"))
	}
	for name, k := range map[string][]byte{"index key": c.IndexKey, "pairwise key": c.PairwiseKey, "pepper": c.Pepper} {
		if len(k) < seal.KeySize {
			bad = append(bad, fmt.Errorf("%s: at least %d bytes are needed; make them with lychgate secret new", name, seal.KeySize))
		}
	}
	return c.defaults(), errors.Join(bad...)
}

func (c Config) defaults() Config {
	l := &c.Lifetimes
	l.SessionIdle = or(l.SessionIdle, time.Hour)
	l.SessionEnd = or(l.SessionEnd, 24*time.Hour)
	l.FlowLife = or(l.FlowLife, 10*time.Minute)
	l.CodeLife = or(l.CodeLife, time.Minute)
	l.RefreshIdle = or(l.RefreshIdle, 14*24*time.Hour)
	l.RefreshGrace = or(l.RefreshGrace, 10*time.Second)
	l.RefreshOutageGrace = or(l.RefreshOutageGrace, 2*time.Minute)
	l.TicketLife = or(l.TicketLife, 24*time.Hour)
	l.DeviceGrace = or(l.DeviceGrace, 5*time.Minute)
	l.Quarantine = or(l.Quarantine, 90*time.Second)
	g := &c.Guesses
	g.Free, g.Cap, g.SetUp = or(g.Free, 5), or(g.Cap, 50), or(g.SetUp, 10)
	g.FirstWait, g.LongestWait = or(g.FirstWait, 30*time.Second), or(g.LongestWait, time.Hour)
	g.BudgetUnknown, g.RefillUnknown = or(g.BudgetUnknown, 36), or(g.RefillUnknown, 24)
	g.BudgetKnown, g.RefillKnown = or(g.BudgetKnown, 24), or(g.RefillKnown, 12)
	if c.Now == nil {
		c.Now = time.Now //nolint:forbidigo // the default clock
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.OutboxMost = or(c.OutboxMost, notify.MaxEntries)
	c.CheckEvery = or(c.CheckEvery, 10*time.Second)
	c.PoolSize = or(c.PoolSize, 64)
	return c
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Result is one scenario on one target.
type Result struct {
	Kind        string   `json:"kind"` // "result"
	Target      string   `json:"target"`
	Scenario    string   `json:"scenario"`
	Ops         int      `json:"ops"`
	Errors      int      `json:"errors"`
	Messages    []string `json:"messages,omitempty"`
	Concurrency int      `json:"concurrency"`
	WallS       float64  `json:"wall_s"`
	Parts       int      `json:"parts"`     // the quietest stretches, which the numbers are from
	PartsRun    int      `json:"parts_run"` // of so many
	OpsPerS     float64  `json:"ops_per_s"`
	P50         float64  `json:"p50_ms"`
	P95         float64  `json:"p95_ms"`
	P99         float64  `json:"p99_ms"`
	Max         float64  `json:"max_ms"`
	ServerCPU   float64  `json:"server_cpu_ms_per_op"`
	DatabaseCPU float64  `json:"database_cpu_ms_per_op"`
	ClientCPU   float64  `json:"client_cpu_ms_per_op"`
	OtherCPU    float64  `json:"other_cpu_share"` // of the machine, by processes that belong to none of the three
	RoundTrips  float64  `json:"store_round_trips_per_op"`
	Allocs      float64  `json:"server_allocations_per_op"`
	ServerPSS   float64  `json:"server_pss_mib"`
	DatabasePSS float64  `json:"database_pss_mib"`
	Pages       float64  `json:"pages_per_op,omitempty"`
	Waits       int      `json:"totp_waits,omitempty"`
	Load1       float64  `json:"load1_before"`
	// CPU ms of one Go ES256 signature with every core busy, taken before and
	// after each slice: how fast the machine was just then.
	Yardstick float64 `json:"yardstick_es256_ms"`
	At        string  `json:"at"`
}

type Meta struct {
	Kind   string            `json:"kind"` // "meta"
	Target string            `json:"target"`
	Issuer string            `json:"issuer"`
	Facts  map[string]string `json:"facts,omitempty"`
	IDAlg  string            `json:"id_token_alg,omitempty"`
	CPUs   int               `json:"cpus"`
	CPU    string            `json:"cpu"`
	Kernel string            `json:"kernel"`
	Go     string            `json:"go"`
	At     string            `json:"at"`
}

// bench is one scenario on one target: workers and sums over its slices.
type bench struct {
	p       *peer
	s       *scenario
	workers []*worker
	batch   int

	parts  []part // one for each slice, or batch of a slice
	errs   int    // outside parts
	msgs   []string
	waits0 int
	load   float64

	spss, dpss float64
}

// part is one stretch of measured time.
type part struct {
	lat                    []float64
	errs                   int
	wall, scpu, dcpu, ccpu float64
	busy, total            float64
	yard                   float64
	trips, allocs          float64
}

// other is the share of the machine that processes outside the measurement took.
func (p part) other() float64 {
	if p.total == 0 {
		return 0
	}
	return max(0, p.busy-p.scpu-p.dcpu-p.ccpu) / p.total
}

func newBench(p *peer, s *scenario, concurrency, batch int) (*bench, error) {
	b := &bench{p: p, s: s, batch: batch, load: loadavg()}
	for i := 0; i < concurrency; i++ {
		w := &worker{}
		if s.setup != nil {
			err := s.setup(p, w)
			for try := 0; err != nil && try < 3; try++ {
				err = s.setup(p, w)
			}
			if err != nil {
				return nil, fmt.Errorf("setup: %w", err)
			}
		}
		b.workers = append(b.workers, w)
	}
	return b, nil
}

func (b *bench) reset() {
	*b = bench{p: b.p, s: b.s, workers: b.workers, batch: b.batch, load: loadavg()}
	if u := b.p.t.TOTPUsers; u != nil {
		u.mu.Lock()
		b.waits0 = u.waits
		u.mu.Unlock()
	}
}

func (b *bench) note(err error) {
	m := err.Error()
	if len(b.msgs) >= 5 {
		return
	}
	for _, x := range b.msgs {
		if x == m {
			return
		}
	}
	b.msgs = append(b.msgs, m)
}

// slice runs for about d, at most maxOps operations, and adds to the sums.
func (b *bench) slice(d time.Duration, maxOps int) error {
	server, database, err := b.p.t.pids()
	if err != nil {
		return err
	}
	first, y := len(b.parts), yardstick()
	defer func() {
		y = (y + yardstick()) / 2
		for i := first; i < len(b.parts); i++ {
			b.parts[i].yard = y
		}
	}()
	end := time.Now().Add(d)
	if b.s.prepare == nil {
		return b.timed(server, database, nil, end, maxOps)
	}
	for done := 0; time.Now().Before(end) && done < maxOps; {
		items, err := b.collect(min(b.batch, maxOps-done))
		if err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
		if err := b.timed(server, database, items, end.Add(time.Hour), len(items)); err != nil {
			return err
		}
		done += len(items)
		if b.s.after != nil && len(items) > 0 {
			if err := b.s.after(b.p, items[len(items)/2]); err != nil {
				b.errs++
				b.note(err)
			}
		}
	}
	return nil
}

func (b *bench) collect(n int) ([]item, error) {
	items := make([]item, n)
	var next atomic.Int64
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	for _, w := range b.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				it, err := b.s.prepare(b.p, w)
				for try := 0; err != nil && try < 5; try++ { // a provider that fails now and then is told of, not given up
					mu.Lock()
					b.errs++
					b.note(fmt.Errorf("prepare: %w", err))
					mu.Unlock()
					it, err = b.s.prepare(b.p, w)
				}
				if err != nil {
					mu.Lock()
					if first == nil {
						first = err
					}
					mu.Unlock()
					return
				}
				items[i] = it
			}
		}()
	}
	wg.Wait()
	return items, first
}

func (b *bench) timed(server, database []int, items []item, end time.Time, maxOps int) error {
	for _, w := range b.workers {
		if w.dead && b.s.setup != nil {
			if err := b.s.setup(b.p, w); err != nil {
				return fmt.Errorf("setup again: %w", err)
			}
			w.dead = false
		}
	}
	type local struct {
		lat  []float64
		errs []error
	}
	res := make([]local, len(b.workers))
	var next atomic.Int64
	var wg sync.WaitGroup
	m0 := b.p.t.counters()
	s0, d0, c0 := treeCPU(server), treeCPU(database), selfCPU()
	h0, t0 := hostCPU()
	start := time.Now()
	for i, w := range b.workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for time.Now().Before(end) && !w.dead {
				n := int(next.Add(1)) - 1
				if n >= maxOps {
					return
				}
				var it item
				if items != nil {
					it = items[n]
				}
				t := time.Now()
				err := b.s.op(b.p, w, it)
				if err != nil {
					res[i].errs = append(res[i].errs, err)
					if len(res[i].errs) > 200 {
						return
					}
					continue
				}
				res[i].lat = append(res[i].lat, float64(time.Since(t).Microseconds())/1000)
			}
		}()
	}
	wg.Wait()
	pt := part{wall: time.Since(start).Seconds()}
	s1, d1, c1 := treeCPU(server), treeCPU(database), selfCPU()
	h1, t1 := hostCPU()
	m1 := b.p.t.counters()
	pt.scpu, pt.dcpu, pt.ccpu, pt.busy, pt.total = s1-s0, d1-d0, c1-c0, h1-h0, t1-t0
	pt.trips, pt.allocs = m1.trips-m0.trips, m1.allocs-m0.allocs
	for _, r := range res {
		pt.lat = append(pt.lat, r.lat...)
		pt.errs += len(r.errs)
		for _, e := range r.errs {
			b.note(e)
		}
	}
	b.parts = append(b.parts, pt)
	b.spss, b.dpss = treePSS(server), treePSS(database)
	return nil
}

// quietest keeps the parts with the least foreign work until they make up d.
// Which parts stay depends only on what others did, not on what was measured.
// Errors are kept from all parts.
func (b *bench) quietest(d time.Duration) (used []part, errs int) {
	used = append(used, b.parts...)
	sort.SliceStable(used, func(i, j int) bool { return used[i].other() < used[j].other() })
	sum := 0.0
	for i, p := range used {
		if sum += p.wall; sum >= 0.95*d.Seconds() {
			used = used[:i+1]
			break
		}
	}
	errs = b.errs
	for _, p := range b.parts {
		errs += p.errs
	}
	return used, errs
}

// enough says whether d has been measured in quiet parts.
func (b *bench) enough(d time.Duration, quiet float64, maxOps int) bool {
	sum, ops := 0.0, 0
	for _, p := range b.parts {
		ops += len(p.lat) + p.errs
		if p.other() <= quiet {
			sum += p.wall
		}
	}
	return ops >= maxOps || sum >= 0.95*d.Seconds()
}

func percentile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[max(0, min(i, len(sorted)-1))]
}

func round(v float64) float64 {
	switch {
	case v >= 100:
		return math.Round(v*10) / 10
	case v >= 1:
		return math.Round(v*1000) / 1000
	}
	return math.Round(v*100000) / 100000
}

func (b *bench) result(d time.Duration) Result {
	used, errs := b.quietest(d)
	var t part
	for _, p := range used {
		t.lat = append(t.lat, p.lat...)
		t.wall += p.wall
		t.scpu += p.scpu
		t.dcpu += p.dcpu
		t.ccpu += p.ccpu
		t.busy += p.busy
		t.total += p.total
		t.yard += p.yard / float64(len(used))
		t.trips += p.trips
		t.allocs += p.allocs
	}
	sort.Float64s(t.lat)
	r := Result{Kind: "result", Target: b.p.t.Name, Scenario: b.s.name, Ops: len(t.lat), Errors: errs, Messages: b.msgs,
		Concurrency: len(b.workers), WallS: round(t.wall), Parts: len(used), PartsRun: len(b.parts), Load1: b.load, At: time.Now().UTC().Format(time.RFC3339),
		P50: percentile(t.lat, .5), P95: percentile(t.lat, .95), P99: percentile(t.lat, .99), Max: percentile(t.lat, 1),
		ServerPSS: math.Round(b.spss), DatabasePSS: math.Round(b.dpss), Yardstick: round(t.yard), OtherCPU: math.Round(1000*t.other()) / 1000}
	if n := float64(len(t.lat)); n > 0 && t.wall > 0 {
		r.OpsPerS = round(n / t.wall)
		r.RoundTrips, r.Allocs = math.Round(100*t.trips/n)/100, math.Round(t.allocs/n)
		r.ServerCPU, r.DatabaseCPU, r.ClientCPU = round(1000*t.scpu/n), round(1000*t.dcpu/n), round(1000*t.ccpu/n)
	}
	if b.p.t.TOTPUsers != nil && b.s.name == "signin_totp" {
		r.Waits = b.p.t.TOTPUsers.waits - b.waits0
	}
	return r
}

const tableHead = "target               scenario                 ops err   ops/s     p50     p95     p99  srvCPU   dbCPU  cliCPU other trips allocs srvPSS dbPSS  yard"

func (r Result) row() string {
	return fmt.Sprintf("%-20s %-22s %6d %3d %7.1f %7.2f %7.2f %7.2f %7.3f %7.3f %7.3f %4.0f%% %5.2f %6.0f %6.0f %5.0f %.3f", r.Target, r.Scenario, r.Ops, r.Errors,
		r.OpsPerS, r.P50, r.P95, r.P99, r.ServerCPU, r.DatabaseCPU, r.ClientCPU, 100*r.OtherCPU, r.RoundTrips, r.Allocs, r.ServerPSS, r.DatabasePSS, r.Yardstick)
}

type options struct {
	concurrency, batch, maxOps int
	warm, dur, slice, patience time.Duration
	quietShare                 float64
	maxLoad                    float64
	waitLoad                   time.Duration
	out                        string
	only                       map[string]bool
	jsonOut, rs256             bool
	// accounts and clients only stand there.
	accounts, clients int
}

// quiet waits until the machine's load is below the limit, or its patience ends.
func (o options) quiet() {
	end := time.Now().Add(o.waitLoad)
	for loadavg() > o.maxLoad && time.Now().Before(end) {
		time.Sleep(time.Second)
	}
}

func emit(o options, v any) {
	raw, _ := json.Marshal(v)
	if o.out != "" {
		f, err := os.OpenFile(o.out, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err == nil {
			f.Write(append(raw, '\n'))
			f.Close()
		} else {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	if o.jsonOut {
		fmt.Println(string(raw))
	}
}

func meta(p *peer) Meta {
	m := Meta{Kind: "meta", Target: p.t.Name, Issuer: p.t.Issuer, Facts: p.t.Facts, CPUs: runtime.NumCPU(), CPU: cpuModel(), Kernel: kernel(), Go: runtime.Version(), At: time.Now().UTC().Format(time.RFC3339)}
	if web(p.t) {
		w := &worker{}
		if err := live(p, w); err == nil {
			h, _, _, _, _ := splitJWT(w.tk.ID)
			m.IDAlg = h.Alg
		}
	}
	return m
}

func (o options) wants(t *Target, s *scenario) bool {
	return (o.only == nil || o.only[s.name]) && s.needs(t) && !t.skips(s.name)
}

// runAll measures one target (or two in alternate slices) over all scenarios.
func runAll(w io.Writer, peers []*peer, o options) error {
	for _, p := range peers {
		emit(o, meta(p))
	}
	fmt.Fprintln(w, tableHead)
	for i := range scenarios {
		s := &scenarios[i]
		var bs []*bench
		for _, p := range peers {
			if !o.wants(p.t, s) {
				continue
			}
			o.quiet()
			b, err := newBench(p, s, o.concurrency, o.batch)
			if err == nil {
				err = b.slice(o.warm, o.maxOps)
			}
			if err != nil {
				fmt.Fprintf(w, "%-20s %-22s failed: %v\n", p.t.Name, s.name, err)
				emit(o, Result{Kind: "result", Target: p.t.Name, Scenario: s.name, Errors: 1, Messages: []string{err.Error()}})
				continue
			}
			b.reset()
			bs = append(bs, b)
		}
		// slices in turn A B, B A, A B, ... until every target has its time in
		// quiet slices, or patience ends
		end := time.Now().Add(time.Duration(len(bs)) * max(o.patience, o.dur))
		each := max(1, o.maxOps/max(1, int(o.dur/o.slice)))
		for r := 0; r == 0 || time.Now().Before(end); r++ {
			done := true
			for k := range bs {
				b := bs[k]
				if r%2 == 1 {
					b = bs[len(bs)-1-k]
				}
				if err := b.slice(min(o.slice, o.dur), each); err != nil {
					b.errs++
					b.note(err)
				}
				done = done && b.enough(o.dur, o.quietShare, o.maxOps)
			}
			if done {
				break
			}
		}
		for _, b := range bs {
			r := b.result(o.dur)
			fmt.Fprintln(w, r.row())
			for _, m := range r.Messages {
				fmt.Fprintln(w, "    error:", m)
			}
			emit(o, r)
		}
	}
	return nil
}

func cpuModel() string {
	raw, _ := os.ReadFile("/proc/cpuinfo")
	for _, l := range strings.Split(string(raw), "\n") {
		if k, v, ok := strings.Cut(l, ":"); ok && strings.TrimSpace(k) == "model name" {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

func kernel() string {
	raw, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return strings.TrimSpace(string(raw))
}

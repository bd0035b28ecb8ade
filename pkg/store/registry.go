// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

const (
	// pollEvery is how often a registry in use is looked at; oldest is how old a snapshot may be that answers.
	pollEvery = 500 * time.Millisecond
	oldest    = time.Second
	// idleAfter ends the polling of a registry that nobody asks.
	idleAfter = time.Minute
)

// registry implements client.Registry and company.Registry on an immutable snapshot.
type registry struct {
	s    *Store
	snap atomic.Pointer[snapshot]
	used atomic.Int64
	mu   sync.Mutex // one reload at a time
}

// snapshot is the registry as of one moment. It is replaced, never changed.
type snapshot struct {
	version   string
	read      time.Time
	clients   map[string]*client.Client
	companies map[string]company.Company
	scopes    map[string]client.Scope
	roles     map[string]client.Role
	// sealed are the records of the clients, so that a reload decodes those that have changed alone.
	sealed map[string]string
	// origins are those of the clients that are not disabled.
	origins map[string]bool
	// broken are the records that do not open, by place.
	broken map[string]error
}

// poll keeps the snapshot of a registry in use fresh, so that requests find it so.
func (r *registry) poll(ctx context.Context) {
	ctx = context.WithValue(ctx, uncounted{}, true)
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if r.s.cfg.Now().UnixNano()-r.used.Load() < int64(idleAfter) && r.s.gate() == nil {
			_, _ = r.reload(ctx, r.snap.Load()) // the request that needs it reports what fails
		}
	}
}

// current is a snapshot that is at most a second old. It counts from before the reading, and a clock that was
// turned back makes it old too.
func (r *registry) current(ctx context.Context) (*snapshot, error) {
	if err := r.s.gate(); err != nil {
		return nil, err
	}
	now := r.s.cfg.Now()
	r.used.Store(now.UnixNano())
	snap := r.snap.Load()
	if snap != nil {
		if age := now.Sub(snap.read); age >= 0 && age <= oldest {
			return snap, nil
		}
	}
	return r.reload(ctx, snap)
}

// reload reads the registry unless another did since seen was looked at.
func (r *registry) reload(ctx context.Context, seen *snapshot) (*snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	old := r.snap.Load()
	if old != seen {
		return old, nil
	}
	read, known := r.s.cfg.Now(), ""
	if old != nil {
		known = old.version
	}
	a, err := r.s.run(ctx, "registry_read", r.s.key.registry(), known)
	if err != nil {
		return nil, err
	}
	if a.code() != done {
		return nil, refused(a.code())
	}
	snap := &snapshot{version: a.text(1), read: read}
	if len(a) == 2 && old != nil {
		next := *old
		next.read = read
		snap = &next
	} else {
		r.fill(snap, old, pairs(at(a, 2)), pairs(at(a, 3)))
		snap.scopes = openAll(r.s, entries{"scope", r.s.key.scopes(), pairs(at(a, 4))}, snap.broken, func(s client.Scope) string { return s.Name })
		snap.roles = openAll(r.s, entries{"role", r.s.key.roles(), pairs(at(a, 5))}, snap.broken, func(x client.Role) string { return x.Name })
	}
	r.snap.Store(snap)
	return snap, nil
}

func at(r reply, i int) any {
	if i >= len(r) {
		return nil
	}
	return r[i]
}

// fill makes a snapshot of what was read; old is the one before, or nil.
func (r *registry) fill(snap, old *snapshot, clients, companies map[string]string) {
	snap.clients, snap.sealed = map[string]*client.Client{}, clients
	snap.broken, snap.origins = map[string]error{}, map[string]bool{}
	for id, sealed := range clients {
		c, err := r.openClient(old, id, sealed)
		if err != nil {
			snap.broken[field(r.s.key.clients(), id)] = err
			continue
		}
		snap.clients[id] = c
		if !c.Disabled {
			for _, origin := range c.Origins() {
				snap.origins[origin] = true
			}
		}
	}
	snap.companies = openAll(r.s, entries{"company", r.s.key.companies(), companies}, snap.broken, func(c company.Company) string { return c.ID })
}

// entries are those of one hash of the registry.
type entries struct {
	purpose, key string
	sealed       map[string]string
}

// openAll opens the entries of a hash; those that do not open, or are of another id, are broken.
func openAll[T any](s *Store, of entries, broken map[string]error, id func(T) string) map[string]T {
	out := map[string]T{}
	for name, text := range of.sealed {
		place := field(of.key, name)
		var v T
		err := s.openJSON(of.purpose, place, text, &v)
		if err == nil && id(v) != name {
			err = fmt.Errorf("%s: %w", of.purpose, authn.ErrLost)
		}
		if err != nil {
			broken[place] = err
			continue
		}
		out[name] = v
	}
	return out
}

// openClient decodes a record, unless the snapshot before has it already.
func (r *registry) openClient(old *snapshot, id, sealed string) (*client.Client, error) {
	if old != nil && old.sealed[id] == sealed && old.clients[id] != nil {
		return old.clients[id], nil
	}
	b, err := r.s.open("client", field(r.s.key.clients(), id), sealed)
	if err != nil {
		return nil, err
	}
	return decodeClient(id, b)
}

func decodeClient(id string, b []byte) (*client.Client, error) {
	if len(b) == 0 || b[0] != recordVersion || len(b) > maxRecord {
		return nil, fmt.Errorf("client: %w", authn.ErrLost)
	}
	c, err := client.Unmarshal(b[1:])
	if err != nil || c.ID != id {
		return nil, fmt.Errorf("client: %w", authn.ErrLost)
	}
	return c, nil
}

// Client implements client.Registry.
func (r *registry) Client(ctx context.Context, id string) (*client.Client, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read clients: %w", err)
	}
	if c, ok := snap.clients[id]; ok {
		return c, nil
	}
	if err, ok := snap.broken[field(r.s.key.clients(), id)]; ok {
		return nil, fmt.Errorf("read client: %w", err)
	}
	return nil, fmt.Errorf("client: %w", authn.ErrNotFound)
}

// Origin implements client.Registry.
func (r *registry) Origin(ctx context.Context, origin string) (bool, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return false, fmt.Errorf("read clients: %w", err)
	}
	return snap.origins[origin], nil
}

// Clients implements client.Registry, by id.
func (r *registry) Clients(ctx context.Context) ([]*client.Client, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read clients: %w", err)
	}
	all := make([]*client.Client, 0, len(snap.clients))
	for _, c := range snap.clients {
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *client.Client) int { return cmp.Compare(a.ID, b.ID) })
	return all, nil
}

// Scope implements client.Registry. A declared scope that cannot be read is no scope: it opens nothing.
func (r *registry) Scope(ctx context.Context, name string) (client.Scope, bool, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return client.Scope{}, false, fmt.Errorf("read scopes: %w", err)
	}
	if s, ok := snap.scopes[name]; ok {
		return s, true, nil
	}
	if _, broken := snap.broken[field(r.s.key.scopes(), name)]; broken {
		return client.Scope{}, false, nil
	}
	for _, s := range client.BuiltIn() {
		if s.Name == name {
			return s, true, nil
		}
	}
	return client.Scope{}, false, nil
}

// Scopes implements client.Registry.
func (r *registry) Scopes(ctx context.Context) ([]client.Scope, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read scopes: %w", err)
	}
	all := slices.Collect(maps.Values(snap.scopes))
	for _, s := range client.BuiltIn() {
		if _, declared := snap.scopes[s.Name]; !declared {
			all = append(all, s)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all, nil
}

// Company implements company.Registry.
func (r *registry) Company(ctx context.Context, id string) (company.Company, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return company.Company{}, fmt.Errorf("read companies: %w", err)
	}
	if c, ok := snap.companies[id]; ok {
		return c, nil
	}
	if err, ok := snap.broken[field(r.s.key.companies(), id)]; ok {
		return company.Company{}, fmt.Errorf("read company: %w", err)
	}
	return company.Company{}, fmt.Errorf("company: %w", authn.ErrNotFound)
}

// Companies implements company.Registry, by id.
func (r *registry) Companies(ctx context.Context) ([]company.Company, error) {
	snap, err := r.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("read companies: %w", err)
	}
	all := make([]company.Company, 0, len(snap.companies))
	for _, c := range snap.companies {
		all = append(all, c)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].ID < all[j].ID })
	return all, nil
}

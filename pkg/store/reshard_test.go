// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store_test

import (
	"errors"
	"net"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/store"
	"github.com/lychgate/lychgate/pkg/store/storetest"
)

// TestReshardingUnderLoad: while slots move between primaries, codes are issued and each is redeemed by two at once
// (RF-15). Nothing is accepted twice, and what is not accepted is told as unavailable.
func TestReshardingUnderLoad(t *testing.T) {
	addrs := storetest.StartCluster(t)
	c := config(t, addrs...)
	c.Mode = store.Cluster
	s := opened(t, c)
	st := stores(s, time.Now)
	accounts := crowd(t, s)
	stop := make(chan struct{})
	var redeemed, twice atomic.Int64
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := w; !closed(stop); n += 4 {
				ok, err := raceForCode(t, st, accounts[n%len(accounts)])
				if err != nil {
					t.Error(err)
					return
				}
				if ok > 1 {
					twice.Add(1)
				}
				redeemed.Add(int64(ok))
			}
		})
	}
	for i := range 3 {
		move(t, addrs[i], nodeID(t, addrs[i]), nodeID(t, addrs[(i+1)%3]))
	}
	close(stop)
	wg.Wait()
	if twice.Load() != 0 || redeemed.Load() == 0 {
		t.Errorf("%d codes redeemed, %d accepted twice", redeemed.Load(), twice.Load())
	}
	for _, a := range accounts {
		if _, err := s.Accounts().ByID(t.Context(), a.ID); err != nil {
			t.Errorf("ByID after the slots moved: %v", err)
		}
	}
}

// crowd is 30 people in as many slots.
func crowd(t *testing.T, s *store.Store) []authn.Account {
	t.Helper()
	all := make([]authn.Account, 30)
	for i := range all {
		var err error
		if all[i], err = s.Accounts().Create(t.Context(), authn.NewAccount{Name: strings.Repeat("x", i+1), PasswordRecord: "x"}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// raceForCode issues a code and has two redeem it; it answers how many did.
func raceForCode(t *testing.T, st *storetest.Stores, a authn.Account) (int, error) {
	t.Helper()
	out, err := st.Grants.Issue(t.Context(), grant.NewCode{Grant: grant.Grant{ClientID: "app"}, Account: a}, nil)
	if err != nil {
		return 0, other(err)
	}
	var ok atomic.Int64
	errs := make([]error, 2)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			if _, errs[i] = st.Grants.Redeem(t.Context(), out.Code, "app", "", "", grant.Access{Life: time.Hour, Stored: true}); errs[i] == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	return int(ok.Load()), errors.Join(other(errs[0]), other(errs[1]))
}

// other is err unless it is one of the honest answers.
func other(err error) error {
	for _, fine := range []error{authn.ErrUnavailable, grant.ErrReplay, grant.ErrUnknown} {
		if errors.Is(err, fine) {
			return nil
		}
	}
	return err
}

func nodeID(t *testing.T, addr string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "redis-cli", "-p", port, "cluster", "myid").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func move(t *testing.T, addr, from, to string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "redis-cli", "--cluster", "reshard", addr, "--cluster-from", from, "--cluster-to", to,
		"--cluster-slots", "1000", "--cluster-yes")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("reshard: %v\n%s", err, out[max(0, len(out)-2000):])
	}
}

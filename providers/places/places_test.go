// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package places

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
)

func names(s string) mmdbtype.Map {
	return mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(s), "nl": mmdbtype.String("anders")}}
}

// write makes a database of documentation addresses.
func write(t *testing.T) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City", IncludeReservedNetworks: true})
	if err != nil {
		t.Fatal(err)
	}
	for network, rec := range map[string]mmdbtype.Map{
		"192.0.2.0/24":     {"city": names("Utrecht"), "country": names("Netherlands")},
		"198.51.100.0/24":  {"country": names("Belgium")},
		"2001:db8::/32":    {"city": names("Ghent"), "country": names("Belgium")},
		"203.0.113.0/24":   {"city": mmdbtype.String("no map")},
		"203.0.114.0/24":   {"country": names(strings.Repeat("x", 200))},
		"203.0.115.128/25": {"other": mmdbtype.Uint32(1)},
	} {
		_, n, err := net.ParseCIDR(network)
		if err != nil {
			t.Fatal(err)
		}
		if err := tree.Insert(n, rec); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "places.mmdb")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := tree.WriteTo(f); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPlace: town and country where they are known, nothing where they are not, and never an error for a person.
func TestPlace(t *testing.T) {
	b, err := Open(write(t))
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]string{
		"192.0.2.9": "Utrecht, Netherlands", "::ffff:192.0.2.9": "Utrecht, Netherlands", "198.51.100.1": "Belgium",
		"2001:db8::1": "Ghent, Belgium", "203.0.113.1": "", "203.0.114.1": "", "203.0.115.200": "", "10.0.0.1": "",
		"fe80::1%eth0": "", "": "", "unknown": "", "127.0.0.1:80": "",
	} {
		if got := b.Place(address); got != want {
			t.Errorf("Place(%q) = %q, want %q", address, got, want)
		}
	}
	for what, body := range map[string]string{"empty": "", "foreign": strings.Repeat("not a database", 100)} {
		file := filepath.Join(t.TempDir(), what)
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(file); err == nil {
			t.Errorf("Open() of a file that is %s succeeded", what)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("Open() of no file succeeded")
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"context"
	"fmt"
	"net/netip"
	"syscall"
)

// control refuses a connection before its first packet, once the name has been looked up.
func (c *Client) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAddress, err)
	}
	a := ap.Addr().Unmap()
	for _, r := range c.ranges {
		if r.Contains(a) {
			return nil
		}
	}
	if !public(a) {
		return fmt.Errorf("%w: it leads to an address of special use", ErrAddress)
	}
	return nil
}

// public says whether a is an address of the public network: none of the special-purpose registries (RFC 6890), and
// none that carries an IPv4 address inside, since that one could be anything.
func public(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if a.Is4() {
		return !within(a, special4)
	}
	// Global unicast is 2000::/3 and nothing else: the rest is loopback, unique local, link-local, multicast, NAT64
	// (64:ff9b::/96, 64:ff9b:1::/48), addresses with an IPv4 address inside, segment routing, or not given out.
	return within(a, global6) && !within(a, special6)
}

func within(a netip.Addr, list func() []netip.Prefix) bool {
	for _, p := range list() {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func prefixes(list ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, s := range list {
		out[i] = netip.MustParsePrefix(s)
	}
	return out
}

func global6() []netip.Prefix { return prefixes("2000::/3") }

func special4() []netip.Prefix {
	return prefixes(
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
		"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"168.63.129.16/32", // the metadata address of Azure, though it looks public
	)
}

func special6() []netip.Prefix {
	return prefixes(
		"2001::/23",         // protocol assignments: Teredo, benchmarking, ORCHID
		"2001:db8::/32",     // documentation
		"2002::/16",         // 6to4: an IPv4 address is inside
		"2620:4f:8000::/48", // AS112
		"3fff::/20",         // documentation
	)
}

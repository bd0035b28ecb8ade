// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Nothing of our own network answers, whatever name leads there, and whenever it does.
func TestCA03SpecialAddresses(t *testing.T) {
	w := newWorld(t)
	inside := w.source(says("inside"))
	port := inside.host()[strings.LastIndex(inside.host(), ":"):]
	names := dns(t)
	names.set("inside.example.com", "127.0.0.1")
	names.set("mapped.example.com", "::ffff:127.0.0.1")
	names.set("metadata.example.com", "169.254.169.254")
	c := New(Config{Roots: w.roots, Now: w.now, Resolver: names.resolver()})
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::127.0.0.1]", "0.0.0.0", "[::]", "inside.example.com",
		"mapped.example.com", "metadata.example.com", "169.254.169.254", "[64:ff9b::7f00:1]", "[fd00:ec2::254]", "10.0.0.1",
	} {
		_, err := c.Fetch(t.Context(), "https://"+host+port)
		w.wants(host, err, ErrAddress)
		_, err = c.Post(t.Context(), "https://"+host+port, "text/plain", []byte("x"))
		w.wants("post to "+host, err, ErrAddress)
	}
	for _, u := range []string{
		"", "http://example.com", "https://", "https:example.com", "https://u:p@example.com", "file:///etc/passwd", "//example.com",
		"gopher://example.com", "https://example.com/" + strings.Repeat("x", maxURL),
	} {
		_, err := c.Get(t.Context(), u)
		w.wants(u, err, ErrAddress)
	}
	if n := inside.hits.Load(); n != 0 {
		t.Errorf("%d requests went inside", n)
	}
}

// A name that leads to an allowed address first and to another one later is looked at each time.
func TestCA03Rebinding(t *testing.T) {
	w := newWorld(t)
	inside := w.source(says("inside"))
	_, port, err := net.SplitHostPort(inside.host())
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.2:"+port)
	if err != nil {
		t.Fatal(err)
	}
	outside := &httptest.Server{Listener: l, Config: &http.Server{Handler: says("outside")}}
	outside.StartTLS()
	defer outside.Close()
	w.roots.AddCert(outside.Certificate())
	names := dns(t)
	c := New(Config{Roots: w.roots, Now: w.now, Resolver: names.resolver(), Ranges: []netip.Prefix{netip.MustParsePrefix("127.0.0.2/32")}})
	names.set("example.com", "127.0.0.2")
	for i, ip := range []string{"127.0.0.2", "127.0.0.1", "127.0.0.2", "127.0.0.1"} {
		names.set("example.com", ip)
		body, err := c.Fetch(t.Context(), "https://example.com:"+port)
		if i%2 == 0 && string(body) != "outside" {
			t.Errorf("at %s: %q, %v", ip, body, err)
		}
		if i%2 == 1 {
			w.wants("at "+ip, err, ErrAddress)
		}
	}
	if n := inside.hits.Load(); n != 0 {
		t.Errorf("%d requests went inside", n)
	}
}

func TestPublic(t *testing.T) {
	for s, want := range map[string]bool{
		"8.8.8.8": true, "192.0.3.1": true, "172.32.0.1": true, "100.128.0.1": true, "2606:4700::1111": true, "2a00::1": true,
		"::ffff:8.8.8.8": true,
		"0.0.0.0":        false, "0.1.2.3": false, "10.1.2.3": false, "100.64.0.1": false, "100.100.100.200": false, "127.0.0.1": false,
		"127.255.0.1": false, "169.254.169.254": false, "172.16.0.1": false, "172.31.255.255": false, "192.0.0.192": false,
		"192.0.2.1": false, "192.88.99.1": false, "192.168.0.1": false, "198.18.0.1": false, "198.51.100.1": false,
		"203.0.113.1": false, "224.0.0.1": false, "239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false,
		"168.63.129.16": false,
		"::":            false, "::1": false, "::7f00:1": false, "::ffff:10.0.0.1": false, "::ffff:0:7f00:1": false, "64:ff9b::8.8.8.8": false,
		"64:ff9b:1::1": false, "100::1": false, "2001::1": false, "2001:2::1": false, "2001:db8::1": false,
		"2002:7f00:1::1": false, "3fff::1": false, "5f00::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false,
		"fe80::1%eth0": false, "fec0::1": false, "ff02::1": false, "4000::1": false,
	} {
		if got := public(netip.MustParseAddr(s)); got != want {
			t.Errorf("public(%s) = %v", s, got)
		}
	}
}

// names is a name server that says what it is told.
type names struct {
	mu      sync.Mutex
	entries map[string]netip.Addr
	conn    net.PacketConn
}

func dns(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &names{entries: map[string]netip.Addr{}, conn: conn}
	t.Cleanup(func() { _ = conn.Close() })
	go n.serve()
	return n
}

func (n *names) set(name, ip string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.entries[name+"."] = netip.MustParseAddr(ip)
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", n.conn.LocalAddr().String())
	}}
}

func (n *names) serve() {
	buf := make([]byte, 512)
	for {
		size, from, err := n.conn.ReadFrom(buf)
		if err != nil {
			return
		}
		var m dnsmessage.Message
		if m.Unpack(buf[:size]) != nil || len(m.Questions) != 1 {
			continue
		}
		q := m.Questions[0]
		n.mu.Lock()
		a, ok := n.entries[q.Name.String()]
		n.mu.Unlock()
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		h := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, Type: q.Type}
		switch {
		case !ok:
			m.RCode = dnsmessage.RCodeNameError
		case a.Is4() && q.Type == dnsmessage.TypeA:
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AResource{A: a.As4()}}}
		case !a.Is4() && q.Type == dnsmessage.TypeAAAA:
			m.Answers = []dnsmessage.Resource{{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}}}
		}
		if out, err := m.Pack(); err == nil {
			_, _ = n.conn.WriteTo(out, from)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("https://example.com:443/jwks?x=1#y")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := parse(s)
		if err != nil {
			return
		}
		again, err := url.Parse(u.String())
		if err != nil || again.Scheme != "https" || again.Hostname() == "" || again.User != nil || again.Fragment != "" {
			t.Errorf("parse(%q) = %s", s, u)
		}
	})
}

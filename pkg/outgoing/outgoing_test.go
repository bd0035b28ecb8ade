// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package outgoing

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// world is a client with a clock that moves, and what counts as its network.
type world struct {
	*testing.T
	mu    sync.Mutex
	at    time.Time
	roots *x509.CertPool
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{T: t, at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), roots: x509.NewCertPool()}
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.at
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.at = w.at.Add(d)
}

// source is an https server on this machine whose requests are counted.
type source struct {
	*httptest.Server
	hits atomic.Int64
}

func (w *world) source(h http.HandlerFunc) *source {
	w.Helper()
	s := &source{}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		s.hits.Add(1)
		h(rw, r)
	}))
	s.Config.ErrorLog = nil
	w.Cleanup(s.Close)
	w.roots.AddCert(s.Certificate())
	return s
}

func (s *source) host() string { return s.Listener.Addr().String() }

// client may ask the given sources.
func (w *world) client(sources ...*source) *Client {
	w.Helper()
	c := Config{Roots: w.roots, Now: w.now}
	for _, s := range sources {
		c.Hosts = append(c.Hosts, s.host())
	}
	return New(c)
}

func (w *world) get(c *Client, url string) string {
	w.Helper()
	body, err := c.Get(w.Context(), url)
	if err != nil {
		w.Fatalf("Get(%s) = %v", url, err)
	}
	return string(body)
}

func says(text string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(rw, text) }
}

func (w *world) wants(what string, err, want error) {
	w.Helper()
	if !errors.Is(err, want) {
		w.Errorf("%s: %v, want %v", what, err, want)
	}
}

// TestCA03 is the security case CA-03: a source of keys that is slow, endless, 100 MB, redirects or is a gzip bomb costs
// at most 3 s and 256 KiB, what was there before is used, and other sources answer meanwhile.
func TestCA03(t *testing.T) { //nolint:gocognit // a table of what a source may do
	w := newWorld(t)
	release := make(chan struct{})
	defer close(release)
	var evil atomic.Value
	evil.Store(says("good"))
	elsewhere := w.source(says("elsewhere"))
	bad := w.source(func(rw http.ResponseWriter, r *http.Request) { evil.Load().(http.HandlerFunc)(rw, r) }) //nolint:errcheck,forcetypeassert // stored above
	good := w.source(says("other"))
	c := w.client(bad, good, elsewhere)
	c.limit = time.Minute // a busy machine must not make a good source look slow
	if got := w.get(c, bad.URL); got != "good" {
		t.Fatalf("first document %q", got)
	}
	var sent atomic.Int64
	pour := func(rw http.ResponseWriter, most int) {
		chunk := bytes.Repeat([]byte("a"), 64<<10)
		for n := 0; most == 0 || n < most; n += len(chunk) {
			if _, err := rw.Write(chunk); err != nil {
				return
			}
			sent.Add(int64(len(chunk)))
		}
	}
	for name, h := range map[string]http.HandlerFunc{
		"slow": func(http.ResponseWriter, *http.Request) { <-release },
		"slow body": func(rw http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(rw, "{")
			_ = http.NewResponseController(rw).Flush()
			<-release
		},
		"endless": func(rw http.ResponseWriter, _ *http.Request) { pour(rw, 0) },
		"100 MB": func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Length", "100000000")
			pour(rw, 100000000)
		},
		"redirect": func(rw http.ResponseWriter, r *http.Request) { http.Redirect(rw, r, elsewhere.URL, http.StatusFound) },
		"gzip bomb": func(rw http.ResponseWriter, r *http.Request) {
			if e := r.Header.Get("Accept-Encoding"); e != "identity" {
				t.Errorf("Accept-Encoding %q", e)
			}
			rw.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(rw)
			_, _ = z.Write(make([]byte, 8<<20))
			_ = z.Close()
		},
		"headers":    func(rw http.ResponseWriter, _ *http.Request) { rw.Header().Set("X", strings.Repeat("x", 1<<20)) },
		"error":      func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusInternalServerError) },
		"no content": func(rw http.ResponseWriter, _ *http.Request) { rw.WriteHeader(http.StatusNoContent) },
	} {
		t.Run(name, func(t *testing.T) {
			evil.Store(h)
			sent.Store(0)
			if strings.HasPrefix(name, "slow") {
				c.limit = 200 * time.Millisecond
			}
			_, err := c.Fetch(t.Context(), bad.URL)
			w.wants("nothing kept", err, ErrAway)
			w.pass(2 * fresh)
			if got := w.get(c, bad.URL); got != "good" {
				t.Errorf("document %q, want the one from before", got)
			}
			c.limit = time.Minute
			// What the kernel holds counts as sent, twice: two requests were made.
			if n := sent.Load(); n > 32<<20 {
				t.Errorf("%d bytes were taken", n)
			}
			if got := w.get(c, good.URL); got != "other" {
				t.Errorf("another source: %q", got)
			}
		})
	}
	if n := elsewhere.hits.Load(); n != 0 {
		t.Errorf("a redirect was followed %d times", n)
	}
}

// A slow source keeps nobody waiting but those who ask it, and these come in bounded numbers.
func TestCA03OthersDoNotWait(t *testing.T) {
	w := newWorld(t)
	release, arrived := make(chan struct{}), make(chan struct{}, 1000)
	slow := w.source(func(rw http.ResponseWriter, _ *http.Request) {
		arrived <- struct{}{}
		<-release
		_, _ = io.WriteString(rw, "late")
	})
	good := w.source(says("other"))
	c := w.client(slow, good)
	c.limit = time.Minute
	var waiting sync.WaitGroup
	var busy, late atomic.Int64
	ask := func(url string) {
		body, err := c.Get(t.Context(), url)
		switch {
		case errors.Is(err, ErrBusy):
			busy.Add(1)
		case err == nil && string(body) == "late":
			late.Add(1)
		default:
			t.Errorf("Get() = %q, %v", body, err)
		}
	}
	for i := range maxPerHost {
		waiting.Go(func() { ask(slow.URL + "/" + strings.Repeat("x", i)) })
	}
	for range maxPerHost {
		<-arrived
	}
	// Every place of the host is taken: others are refused at once, and so is a crowd behind one flight.
	_, err := c.Get(t.Context(), slow.URL+"/one/more")
	w.wants("one more address of the host", err, ErrBusy)
	_, err = c.Post(t.Context(), slow.URL, "text/plain", nil)
	w.wants("a post to the host", err, ErrBusy)
	for range 2 * maxWaiting {
		waiting.Go(func() { ask(slow.URL + "/") })
	}
	if got := w.get(c, good.URL); got != "other" {
		t.Errorf("another source: %q", got)
	}
	close(release)
	waiting.Wait()
	if n := slow.hits.Load(); n != maxPerHost {
		t.Errorf("%d requests reached the slow source, want %d: one flight for each address", n, maxPerHost)
	}
	if late.Load() < maxPerHost {
		t.Errorf("%d got the document, %d were refused", late.Load(), busy.Load())
	}
	if len(c.perHost) != 0 || len(c.flights) != 0 || c.total != 0 {
		t.Errorf("left behind: %v, %d flights, %d in all", c.perHost, len(c.flights), c.total)
	}
}

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

// What is fresh is not asked for again; what is old is, once for all who wait; an outage is bridged for a day.
func TestDocumentsAge(t *testing.T) {
	w := newWorld(t)
	var text atomic.Value
	text.Store("one")
	var down atomic.Bool
	s := w.source(func(rw http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			rw.WriteHeader(http.StatusBadGateway)
			return
		}
		_, _ = io.WriteString(rw, text.Load().(string)) //nolint:errcheck,forcetypeassert // stored above
	})
	c := w.client(s)
	step := func(what, want string, hits int64) {
		t.Helper()
		before := s.hits.Load()
		if got := w.get(c, s.URL); got != want || s.hits.Load()-before != hits {
			t.Errorf("%s: %q after %d requests, want %q after %d", what, got, s.hits.Load()-before, want, hits)
		}
	}
	step("first", "one", 1)
	text.Store("two")
	step("again", "one", 0)
	if got := w.get(c, s.URL+"#fragment"); got != "one" || s.hits.Load() != 1 {
		t.Errorf("with a fragment: %q after %d requests", got, s.hits.Load())
	}
	w.pass(fresh)
	step("after 5 minutes", "two", 1)
	down.Store(true)
	w.pass(fresh)
	step("source is away", "two", 1)
	step("left alone", "two", 0)
	w.pass(pause)
	step("tried again", "two", 1)
	down.Store(false)
	text.Store("three")
	w.pass(pause)
	step("it is back", "three", 1)
	down.Store(true)
	w.pass(usable)
	_, err := c.Get(t.Context(), s.URL)
	w.wants("after a day", err, ErrAway)
	before := s.hits.Load()
	_, err = c.Get(t.Context(), s.URL)
	w.wants("after a day, again", err, ErrAway)
	if s.hits.Load() != before {
		t.Error("a source that failed is asked again at once")
	}
}

// A refetch happens at most once a minute, however many insist on it.
func TestRefetchOnceAMinute(t *testing.T) {
	w := newWorld(t)
	s := w.source(says("x"))
	c := w.client(s)
	insist := func(want int64) {
		t.Helper()
		before := s.hits.Load()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := c.Refetch(t.Context(), s.URL); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if got := s.hits.Load() - before; got != want {
			t.Errorf("%d requests, want %d", got, want)
		}
	}
	w.get(c, s.URL)
	insist(1)
	insist(0)
	w.pass(forced - time.Second)
	insist(0)
	w.pass(time.Second)
	insist(1)
}

func TestCacheIsBounded(t *testing.T) {
	c := newCache()
	for i := range 3 * maxEntries {
		c.put(strings.Repeat("k", i%2000)+string(rune('a'+i/2000)), document{body: make([]byte, i%100*1000)})
		if c.order.Len() > maxEntries || len(c.entries) != c.order.Len() || c.bytes > maxBytes {
			t.Fatalf("%d entries, %d bytes", c.order.Len(), c.bytes)
		}
	}
	for c.order.Len() > 0 {
		c.drop(c.order.Back())
	}
	if c.bytes != 0 || len(c.entries) != 0 {
		t.Errorf("%d bytes and %d entries are left", c.bytes, len(c.entries))
	}
}

func TestPost(t *testing.T) {
	w := newWorld(t)
	elsewhere := w.source(says("elsewhere"))
	s := w.source(func(rw http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || string(body) != "logout_token=x" || r.Header.Get("Content-Type") != "application/x-www-form-urlencoded" {
			t.Errorf("%s %q %v", r.Method, body, r.Header)
		}
		if r.URL.Path == "/away" {
			http.Redirect(rw, r, elsewhere.URL, http.StatusTemporaryRedirect)
			return
		}
		rw.WriteHeader(http.StatusNoContent)
	})
	c := w.client(s, elsewhere)
	for path, want := range map[string]int{"/": 204, "/away": 307} {
		got, err := c.Post(t.Context(), s.URL+path, "application/x-www-form-urlencoded", []byte("logout_token=x"))
		if got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", path, got, err, want)
		}
	}
	if elsewhere.hits.Load() != 0 {
		t.Error("a redirect was followed")
	}
	s.Close()
	_, err := c.Post(t.Context(), s.URL, "text/plain", nil)
	w.wants("closed", err, ErrAway)
}

// The authorities that are trusted are those that were given, and the environment names no proxy.
func TestTrustAndProxy(t *testing.T) {
	w := newWorld(t)
	s := w.source(says("x"))
	proxy := w.source(says("proxy"))
	t.Setenv("HTTPS_PROXY", proxy.URL)
	c := New(Config{Hosts: []string{s.host()}, Roots: x509.NewCertPool(), Now: w.now})
	_, err := c.Get(t.Context(), s.URL)
	w.wants("another authority", err, ErrAway)
	if got := w.get(w.client(s), s.URL); got != "x" || proxy.hits.Load() != 0 {
		t.Errorf("%q by way of a proxy %d times", got, proxy.hits.Load())
	}
}

// A caller who goes away ends its own wait alone.
func TestCallerLeaves(t *testing.T) {
	w := newWorld(t)
	release := make(chan struct{})
	s := w.source(func(rw http.ResponseWriter, _ *http.Request) { <-release; _, _ = io.WriteString(rw, "x") })
	c := w.client(s)
	c.limit = time.Minute
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Get(ctx, s.URL)
	w.wants("gone", err, context.Canceled)
	close(release)
	if got := w.get(c, s.URL); got != "x" || s.hits.Load() != 1 {
		t.Errorf("%q after %d requests, want the one that was under way", got, s.hits.Load())
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

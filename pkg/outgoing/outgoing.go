// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package outgoing is the one way out of a node: requests to addresses that clients have registered (jwks_uri,
// request_uri, sector_identifier_uri, addresses for back-channel logout).
//
// Who names such an address must not reach our own network by it, read much of our memory, or keep anybody else
// waiting. So: https only, no redirect, no proxy, no address of special use unless the operator allows it, looked at when
// the connection is made and not when the name is looked up; 3 s and 256 KiB for each request; one flight for each
// address; what was fetched before is used while its source is away.
package outgoing

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The bounds of one request.
const (
	limit     = 3 * time.Second
	maxBody   = 256 << 10
	maxHeader = 16 << 10
	maxURL    = 2048
)

// Errors of a request that brought nothing.
var (
	// ErrAddress: the address is not one that may be asked, by its form or by where it leads.
	ErrAddress = errors.New("address must not be asked")
	// ErrAway: the source did not answer, or not as it has to.
	ErrAway = errors.New("source does not answer as it has to")
	// ErrBusy: too many requests to this host, or in all, are under way. Nothing was sent.
	ErrBusy = errors.New("too many requests are under way")
)

// Config says what may be asked beside the public network.
type Config struct {
	// Hosts are names or addresses with a port ("sso.internal.example:8443") that may lead anywhere; Ranges are addresses
	// that may be asked by any name at any port. Both are for sources that the operator trusts.
	Hosts  []string
	Ranges []netip.Prefix
	// Roots are the trusted authorities; nil: those of the system.
	Roots *x509.CertPool
	// Now is the clock for the age of what was fetched.
	Now func() time.Time
	// Resolver looks names up; nil: the system's.
	Resolver *net.Resolver
}

// Client sends requests. It is safe for use by many goroutines; make it with New.
type Client struct {
	hosts    map[string]bool
	ranges   []netip.Prefix
	resolver *net.Resolver
	now      func() time.Time
	http     http.Client
	limit    time.Duration

	mu      sync.Mutex
	flights map[string]*flight
	perHost map[string]int
	total   int
	cache   cache
}

// New returns a client.
func New(c Config) *Client {
	out := &Client{
		hosts: map[string]bool{}, ranges: c.Ranges, resolver: c.Resolver, now: c.Now, limit: limit,
		flights: map[string]*flight{}, perHost: map[string]int{}, cache: newCache(),
	}
	for _, h := range c.Hosts {
		out.hosts[strings.ToLower(h)] = true
	}
	out.http = http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: out.dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.Roots},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return out
}

// dial connects to addr ("host:port" as the URL has it). Each address that the name leads to is looked at just before
// it is used, so that a name that leads elsewhere the next time gains nothing.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Resolver: c.resolver, KeepAlive: -1}
	if !c.hosts[strings.ToLower(addr)] {
		d.ControlContext = c.control
	}
	return d.DialContext(ctx, network, addr)
}

// parse takes an address of the form that may be asked: https, a host, no user. Where it leads is looked at when it is
// asked.
func parse(rawURL string) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil || len(rawURL) > maxURL || u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return nil, fmt.Errorf("%w: not https with a host and without a user", ErrAddress)
	}
	// The fragment is not sent, and two addresses that differ by it alone are one source.
	u.Fragment, u.RawFragment = "", ""
	return u, nil
}

// read asks u once.
func (c *Client) read(ctx context.Context, u *url.URL) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	resp, err := c.send(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: status %d", ErrAway, resp.StatusCode)
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		// Nothing is ever decompressed: a small body would become a large one.
		return nil, fmt.Errorf("%w: it is encoded though nobody asked for that", ErrAway)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	if len(body) > maxBody {
		return nil, fmt.Errorf("%w: over %d bytes", ErrAway, maxBody)
	}
	return body, nil
}

func (c *Client) send(req *http.Request) (*http.Response, error) {
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "Lychgate")
	resp, err := c.http.Do(req)
	switch {
	case errors.Is(err, ErrAddress):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return resp, nil
}

// Post sends body once, without a retry, and returns the status of the answer; of its body nothing is read. A redirect
// is not followed and is an answer like any other.
func (c *Client) Post(ctx context.Context, rawURL, contentType string, body []byte) (int, error) {
	u, err := parse(rawURL)
	if err != nil {
		return 0, err
	}
	if err := c.enter(u.Host); err != nil {
		return 0, err
	}
	defer c.leave(u.Host)
	ctx, cancel := context.WithTimeout(ctx, c.limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrAddress, err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := c.send(req)
	if err != nil {
		return 0, err
	}
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readSecrets fills the secrets from their files. A secret that stands in both places is refused.
func (c *Config) readSecrets() Problems {
	var problems Problems
	for _, s := range []struct {
		name string
		to   *Secret
		file string
	}{
		{"secrets.keys", &c.Secrets.Keys, c.Secrets.KeysFile},
		{"secrets.index_key", &c.Secrets.Index, c.Secrets.IndexFile},
		{"secrets.pairwise_key", &c.Secrets.Pairwise, c.Secrets.PairwiseFile},
		{"secrets.pepper", &c.Secrets.Pepper, c.Secrets.PepperFile},
		{"redis.password", &c.Redis.Password, c.Redis.PasswordFile},
		{"redis.sentinel_password", &c.Redis.SentinelPassword, c.Redis.SentinelFile},
		{"mail.password", &c.Mail.Password, c.Mail.PasswordFile},
	} {
		if s.file == "" {
			continue
		}
		if *s.to != "" {
			problems = append(problems, fmt.Sprintf("%s: set in the environment and by %s_file; keep one", s.name, s.name))
			continue
		}
		body, err := os.ReadFile(s.file)
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s_file: %s cannot be read", s.name, s.file))
			continue
		}
		*s.to = Secret(strings.TrimSpace(string(body)))
	}
	return problems
}

// IsLoopback says whether host is a name or address of this machine alone.
func IsLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (c *Config) validate() Problems {
	var p Problems
	p = append(p, c.validateIssuer()...)
	p = append(p, c.validateRedis()...)
	p = append(p, c.validateSecrets()...)
	p = append(p, c.validateNumbers()...)
	p = append(p, c.validateGuesses()...)
	p = append(p, c.validateMail()...)
	for _, a := range []struct{ name, value string }{{"listen", c.Listen}, {"health_listen", c.HealthListen}} {
		if _, port, err := net.SplitHostPort(a.value); err != nil || port == "" {
			p = append(p, a.name+": "+quote(a.value)+" is no address; write host:port or :port")
		}
	}
	p = append(p, c.validateFactors()...)
	p = append(p, c.validateRegistration()...)
	if _, err := c.ProxyPrefixes(); err != nil {
		p = append(p, "trusted_proxies: "+err.Error())
	}
	if _, _, err := c.Outgoing(); err != nil {
		p = append(p, "outgoing_allow: "+err.Error())
	}
	if c.Log.Level != "debug" && c.Log.Level != "info" && c.Log.Level != "warn" && c.Log.Level != "error" {
		p = append(p, "log.level: "+quote(c.Log.Level)+" is not debug, info, warn or error")
	}
	if c.Log.Format != "json" && c.Log.Format != "text" {
		p = append(p, "log.format: "+quote(c.Log.Format)+" is not json or text")
	}
	return p
}

// validateIssuer: scheme and host (and port) and nothing else, since every client compares it byte for byte; http
// only on this machine, where cookies cannot be had from outside.
func (c *Config) validateIssuer() Problems {
	if c.Issuer == "" {
		return Problems{"issuer: not set; write the address people see, e.g. https://login.example.com"}
	}
	u, err := url.Parse(c.Issuer)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return Problems{"issuer: " + quote(c.Issuer) + " is no address; write e.g. https://login.example.com"}
	case u.Scheme+"://"+u.Host != c.Issuer || u.User != nil:
		return Problems{"issuer: " + quote(c.Issuer) + " has more than scheme, host and port; write " + u.Scheme + "://" + u.Host}
	case strings.ToLower(c.Issuer) != c.Issuer:
		return Problems{"issuer: write it in lower case"}
	case u.Scheme == "http" && !IsLoopback(u.Hostname()):
		return Problems{"issuer: http is for localhost alone; use https"}
	case u.Scheme != "http" && u.Scheme != "https":
		return Problems{"issuer: the scheme has to be https"}
	case strings.HasSuffix(u.Host, ":") || (u.Scheme == "https" && u.Port() == "443") || (u.Scheme == "http" && u.Port() == "80"):
		// Browsers leave it out, so that every request would come with another Host.
		return Problems{"issuer: leave the port out where it is the usual one"}
	}
	return nil
}

// validateFactors: which factors there are is known where they are built, and a name that is none ends the start.
func (c *Config) validateFactors() Problems {
	if len(c.SecondFactors) == 0 {
		return Problems{"second_factors: empty; write at least one, e.g. [totp]. Who has to use one is the policy of a company"}
	}
	var p Problems
	for i, name := range c.SecondFactors {
		switch {
		case name == "recovery":
			p = append(p, "second_factors: recovery codes come with the others; leave \"recovery\" out")
		case slices.Contains(c.SecondFactors[:i], name):
			p = append(p, "second_factors: "+quote(name)+" is there twice")
		}
	}
	return p
}

func (c *Config) validateRedis() Problems {
	var p Problems
	switch c.Redis.Mode {
	case "standalone":
		if len(c.Redis.Addresses) != 1 {
			p = append(p, "redis.addresses: standalone takes exactly one address")
		}
	case "sentinel":
		if c.Redis.MasterName == "" {
			p = append(p, "redis.master_name: needed with redis.mode sentinel")
		}
	case "cluster":
		if c.Redis.Database != 0 {
			p = append(p, "redis.database: a cluster has only database 0")
		}
	default:
		p = append(p, "redis.mode: "+quote(c.Redis.Mode)+" is not standalone, sentinel or cluster")
	}
	for _, a := range c.Redis.Addresses {
		if _, _, err := net.SplitHostPort(a); err != nil {
			p = append(p, "redis.addresses: "+quote(a)+" is no host:port")
		}
	}
	if len(c.Redis.Addresses) == 0 {
		p = append(p, "redis.addresses: not set; write host:port")
	}
	if strings.ContainsAny(c.Redis.Prefix, "{}*?[] ") || c.Redis.Prefix == "" {
		p = append(p, "redis.prefix: must not be empty, nor hold {}*?[] or a blank")
	}
	return p
}

func (c *Config) validateSecrets() Problems {
	var p Problems
	need := func(name string, s Secret, what string) {
		switch {
		case s == "":
			p = append(p, fmt.Sprintf("%s: not set; make one with `lychgate secret new%s` and set %s_file or %s", name, what, name, EnvName(name)))
		case what != "" && !key32(string(s)):
			p = append(p, name+": not 32 bytes in base64; make one with `lychgate secret new"+what+"`")
		}
	}
	need("secrets.keys", c.Secrets.Keys, "")
	need("secrets.index_key", c.Secrets.Index, " --single")
	need("secrets.pairwise_key", c.Secrets.Pairwise, " --single")
	need("secrets.pepper", c.Secrets.Pepper, " --single")
	return p
}

func key32(s string) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	return err == nil && len(b) == 32
}

// Bytes returns the 32 bytes of a single key; nil if it is not one.
func (s Secret) Bytes() []byte {
	b, err := base64.StdEncoding.DecodeString(string(s))
	if err != nil {
		return nil
	}
	return b
}

// Reveal returns the secret itself, for the one place that uses it.
func (s Secret) Reveal() string { return string(s) }

func (c *Config) validateNumbers() Problems {
	var p Problems
	l := c.Lifetimes
	for _, d := range []struct {
		name          string
		got, min, max time.Duration
	}{
		{"lifetimes.session_idle", l.SessionIdle, time.Minute, 24 * time.Hour},
		{"lifetimes.session_end", l.SessionEnd, 15 * time.Minute, 30 * 24 * time.Hour},
		{"lifetimes.access_token", l.AccessToken, time.Second, 24 * time.Hour},
		{"lifetimes.jwt_access_token", l.JWTAccess, time.Second, 5 * time.Minute},
		{"lifetimes.id_token", l.IDToken, time.Minute, 24 * time.Hour},
		{"lifetimes.refresh_idle", l.RefreshIdle, time.Minute, 365 * 24 * time.Hour},
		{"lifetimes.refresh_end", l.RefreshEnd, time.Minute, 365 * 24 * time.Hour},
		{"lifetimes.pushed_request", l.Pushed, time.Minute, 599 * time.Second},
		{"password.queue_wait", c.Password.QueueWait, 0, 2 * time.Second},
		{"password.refusal_floor", c.Password.RefusalFloor, 0, 5 * time.Second},
		{"guesses.first_wait", c.Guesses.FirstWait, time.Second, time.Hour},
		{"guesses.longest_wait", c.Guesses.LongWait, time.Minute, 24 * time.Hour},
	} {
		if d.got < d.min || d.got > d.max {
			p = append(p, fmt.Sprintf("%s: %s is not between %s and %s", d.name, d.got, d.min, d.max))
		}
	}
	for _, n := range []struct {
		name          string
		got, min, max int
	}{
		{"remember.days", c.Remember.Days, 0, 365},
		{"password.memory_kib", c.Password.MemoryKiB, 7168, 65536},
		{"password.passes", c.Password.Passes, 1, 10},
		{"password.limit_mib", c.Password.LimitMiB, 7, 4096},
		{"password.queue", c.Password.Queue, 1, 10000},
		{"guesses.free", c.Guesses.Free, 1, 10},
		{"guesses.cap", c.Guesses.Cap, 10, 100},
	} {
		if n.got < n.min || n.got > n.max {
			p = append(p, fmt.Sprintf("%s: %d is not between %d and %d", n.name, n.got, n.min, n.max))
		}
	}
	if c.Password.MemoryKiB*c.Password.Passes < 7168*5 && c.Password.MemoryKiB < 19456 {
		p = append(p, "password: 7168 KiB need at least 5 passes; or take 19456 KiB and 2 passes")
	}
	if c.Password.MemoryKiB > c.Password.LimitMiB*1024 {
		p = append(p, "password.limit_mib: below password.memory_kib, so no password could be checked")
	}
	return p
}

// ProxyPrefixes returns trusted_proxies as address ranges.
func (c *Config) ProxyPrefixes() ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range c.Proxies {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, aerr := netip.ParseAddr(s)
			if aerr != nil {
				return nil, fmt.Errorf("%s is no address and no range such as 10.0.0.0/8", quote(s))
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p)
	}
	return out, nil
}

// validateRegistration checks who may register, and what.
func (c *Config) validateRegistration() Problems {
	var p Problems
	r := c.Registration
	if r.Mode != RegistrationOff && r.Mode != RegistrationToken && r.Mode != RegistrationOpen {
		p = append(p, "registration.mode: "+quote(r.Mode)+"; write off, token or open")
	}
	for _, g := range r.GrantTypes {
		if g != "authorization_code" && g != "refresh_token" && g != "implicit" {
			p = append(p, "registration.grant_types: "+quote(g)+"; authorization_code, refresh_token and implicit can be registered")
		}
	}
	for _, h := range r.RedirectHosts {
		if h == "" || h == "." || strings.ContainsAny(h, "/:*@ ") || h != strings.ToLower(h) {
			p = append(p, "registration.redirect_hosts: "+quote(h)+"; write a host name in lower case, or .example.com for all under it")
		}
	}
	if len(r.GrantTypes) == 0 || len(r.Scopes) == 0 {
		p = append(p, "registration: grant_types and scopes must not be empty; set mode to off to register nothing")
	}
	if r.Most < 1 || r.Most > 10000 {
		p = append(p, "registration.most: must be 1 to 10000")
	}
	return p
}

// Outgoing returns outgoing_allow as hosts with a port and as address ranges.
func (c *Config) Outgoing() (hosts []string, ranges []netip.Prefix, err error) {
	for _, s := range c.OutgoingAllow {
		if r, err := netip.ParsePrefix(s); err == nil {
			ranges = append(ranges, r.Masked())
			continue
		}
		host, port, err := net.SplitHostPort(s)
		if _, numeric := strconv.ParseUint(port, 10, 16); err != nil || numeric != nil || host == "" || strings.ContainsAny(s, "/@*? ") {
			return nil, nil, fmt.Errorf("%s is no host:port such as sso.example.com:443 and no range such as 10.0.0.0/8", quote(s))
		}
		hosts = append(hosts, strings.ToLower(s))
	}
	return hosts, ranges, nil
}

// quote shows a value that is not secret, cut short.
func quote(s string) string {
	if len(s) > 80 {
		s = s[:80] + "…"
	}
	return fmt.Sprintf("%q", s)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"crypto"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Target describes one provider to be measured. It is read from a JSON file;
// paths inside it are relative to that file.
type Target struct {
	Name   string            `json:"name"`
	Issuer string            `json:"issuer"`
	Facts  map[string]string `json:"facts,omitempty"` // recorded with the results: versions, hashes, durability

	Scope   string            `json:"scope,omitempty"` // for the code flow; default "openid profile email"
	Headers map[string]string `json:"headers,omitempty"`
	// Connect stands for a TLS-ending proxy: requests for the issuer's https
	// origin go in plain HTTP to this loopback address, with X-Forwarded-*.
	Connect string `json:"connect,omitempty"`

	Clients struct {
		Web        *Client `json:"web,omitempty"`         // authorization code
		Service    *Client `json:"service,omitempty"`     // client_credentials with a secret
		ServiceJWT *Client `json:"service_jwt,omitempty"` // client_credentials with private_key_jwt
		Resource   *Client `json:"resource,omitempty"`    // caller of introspection; default: web
	} `json:"clients"`

	Users     *UserSet `json:"users,omitempty"`      // password only
	TOTPUsers *UserSet `json:"totp_users,omitempty"` // password and one-time code

	Endpoints map[string]string `json:"endpoints,omitempty"` // override of discovered *_endpoint values
	Skip      []string          `json:"skip,omitempty"`      // scenarios that this target has no support for

	// NoSession: the provider keeps no sign-in session; codes for code_exchange
	// then come from full sign-ins.
	NoSession         bool   `json:"no_session,omitempty"`
	IntrospectionAuth string `json:"introspection_auth,omitempty"` // "client" (default) or "none"
	Revoke            string `json:"revoke,omitempty"`             // "service" (default): client_credentials access tokens; "access" or "refresh": tokens of the code flow

	ServerPIDs       []int    `json:"server_pids,omitempty"`
	ServerPIDFiles   []string `json:"server_pid_files,omitempty"`
	DatabasePIDs     []int    `json:"database_pids,omitempty"`
	DatabasePIDFiles []string `json:"database_pid_files,omitempty"`

	// Metrics is the address of the provider's Prometheus metrics, for round trips and allocations.
	Metrics string `json:"metrics,omitempty"`

	dir string
}

type Client struct {
	ID          string `json:"id"`
	Secret      string `json:"secret,omitempty"`
	Auth        string `json:"auth"` // client_secret_basic, client_secret_post, private_key_jwt, none
	KeyFile     string `json:"key_file,omitempty"`
	RedirectURI string `json:"redirect_uri,omitempty"`
	Scope       string `json:"scope,omitempty"`
	Audience    string `json:"assertion_audience,omitempty"` // private_key_jwt: default is the issuer

	key crypto.Signer
	kid string
}

// UserSet is either a numbered series (prefix + zero padded number) sharing one
// password and one secret, or a CSV file with username,password[,totp secret].
type UserSet struct {
	Prefix     string `json:"prefix,omitempty"`
	Digits     int    `json:"digits,omitempty"`
	Count      int    `json:"count,omitempty"`
	Suffix     string `json:"suffix,omitempty"`
	Password   string `json:"password,omitempty"`
	TOTPSecret string `json:"totp_secret,omitempty"`
	File       string `json:"file,omitempty"`

	mu    sync.Mutex
	list  []*User
	next  int
	waits int
}

type User struct {
	Name, Password, TOTP string
	lastStep             int64
}

func loadTarget(path string) (*Target, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	t := &Target{dir: filepath.Dir(path)}
	if err := dec.Decode(t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if t.Name == "" || t.Issuer == "" {
		return nil, fmt.Errorf("%s: name and issuer are required", path)
	}
	if t.Connect == "" {
		if err := loopbackURL(t.Issuer); err != nil {
			return nil, err
		}
	}
	if t.Scope == "" {
		t.Scope = "openid profile email"
	}
	if t.Revoke == "" {
		t.Revoke = "service"
	}
	if t.Clients.Resource == nil {
		t.Clients.Resource = t.Clients.Web
	}
	for _, c := range []*Client{t.Clients.Web, t.Clients.Service, t.Clients.ServiceJWT, t.Clients.Resource} {
		if c == nil || c.KeyFile == "" || c.key != nil {
			continue
		}
		if c.key, c.kid, err = loadKey(t.rel(c.KeyFile)); err != nil {
			return nil, err
		}
	}
	for _, u := range []*UserSet{t.Users, t.TOTPUsers} {
		if u == nil {
			continue
		}
		if err := u.load(t); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *Target) rel(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(t.dir, p)
}

func (t *Target) skips(name string) bool {
	for _, s := range t.Skip {
		if s == name {
			return true
		}
	}
	return false
}

// pids returns the root processes to account to the server and to its database.
func (t *Target) pids() (server, database []int, err error) {
	read := func(pids []int, files []string) ([]int, error) {
		out := append([]int(nil), pids...)
		for _, f := range files {
			raw, err := os.ReadFile(t.rel(f))
			if err != nil {
				return nil, err
			}
			first := strings.Fields(string(raw))
			if len(first) == 0 {
				return nil, fmt.Errorf("%s: no pid", f)
			}
			n, err := strconv.Atoi(first[0])
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			out = append(out, n)
		}
		return out, nil
	}
	if server, err = read(t.ServerPIDs, t.ServerPIDFiles); err != nil {
		return
	}
	database, err = read(t.DatabasePIDs, t.DatabasePIDFiles)
	return
}

func (u *UserSet) load(t *Target) error {
	if u.File != "" {
		f, err := os.Open(t.rel(u.File))
		if err != nil {
			return err
		}
		defer f.Close()
		r := csv.NewReader(f)
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			return err
		}
		for _, row := range rows {
			if len(row) < 2 {
				return fmt.Errorf("%s: a row needs username,password", u.File)
			}
			usr := &User{Name: row[0], Password: row[1]}
			if len(row) > 2 {
				usr.TOTP = row[2]
			}
			u.list = append(u.list, usr)
		}
	} else {
		for i := 0; i < u.Count; i++ {
			u.list = append(u.list, &User{Name: fmt.Sprintf("%s%0*d%s", u.Prefix, u.Digits, i, u.Suffix), Password: u.Password, TOTP: u.TOTPSecret})
		}
	}
	if len(u.list) == 0 {
		return errors.New("a user set is empty")
	}
	return nil
}

// take returns the next user in turn. A user with a one-time code is handed out
// at most once per 30 s step, since a good provider refuses a code used before;
// when the set is exhausted the caller waits for the next step.
func (u *UserSet) take() *User {
	for {
		u.mu.Lock()
		usr := u.list[u.next%len(u.list)]
		step := time.Now().Unix() / 30
		if usr.TOTP == "" || usr.lastStep < step {
			u.next++
			usr.lastStep = step
			u.mu.Unlock()
			return usr
		}
		u.waits++
		u.mu.Unlock()
		time.Sleep(time.Until(time.Unix((step+1)*30, 0)) + 50*time.Millisecond)
	}
}

func loopbackURL(s string) error {
	u, err := url.Parse(s)
	if err != nil {
		return err
	}
	return loopbackHost(u.Hostname())
}

func loopbackHost(h string) error {
	if h == "localhost" || strings.HasSuffix(h, ".localhost") {
		return nil
	}
	if ip := net.ParseIP(h); ip != nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is not a loopback address: lychload talks to this machine only", h)
}

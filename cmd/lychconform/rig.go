// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The files of the folder that more than one place names.
const (
	driverFile = "driver.json"
	configFile = "config.yaml"
	caFile     = "ca.pem"
)

// rig is a Redis and a Lychgate of their own, with TLS in front.
type rig struct {
	options

	redis, server *exec.Cmd
	// died is closed when the provider has ended.
	died  chan struct{}
	front *http.Server
	// back is where Lychgate listens without TLS.
	back string
	web  *http.Client
}

func (r *rig) file(name string) string { return filepath.Join(r.dir, name) }

func (r *rig) start(ctx context.Context) error {
	var addrs [3]string
	for i := range addrs {
		var err error
		if addrs[i], err = freePort(ctx); err != nil {
			return err
		}
	}
	r.back = addrs[1]
	if err := r.startRedis(ctx, addrs[0]); err != nil {
		return err
	}
	if err := r.settings(ctx, addrs[0], addrs[2]); err != nil {
		return err
	}
	// The signing keys are made by the first command that opens the store.
	if err := r.lychgate(ctx, nil, "key", "list"); err != nil {
		return err
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	return r.startFront(ctx)
}

// startRedis starts an empty Redis; what is left of the run before goes.
func (r *rig) startRedis(ctx context.Context, addr string) error {
	dir := r.file("redis")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o700)); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(addr)
	r.redis = program(context.WithoutCancel(ctx), "redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "",
		"--appendonly", "yes", "--maxmemory-policy", "noeviction", "--loglevel", "warning")
	if err := r.redis.Start(); err != nil {
		return fmt.Errorf("redis-server: %w", err)
	}
	return within(ctx, "redis-server", func() bool {
		c, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
		return err == nil && c.Close() == nil
	})
}

// settings writes the configuration, with secrets of its own. What stands in the environment wins over the file.
func (r *rig) settings(ctx context.Context, redis, health string) error {
	for name, args := range map[string][]string{"seal-keys": nil, "index-key": {"--single"}, "pairwise-key": {"--single"}, "pepper": {"--single"}} {
		key, err := r.output(ctx, append([]string{"secret", "new"}, args...)...)
		if err != nil {
			return err
		}
		if err := os.WriteFile(r.file(name), key, 0o600); err != nil {
			return err
		}
	}
	// A JSON text is a YAML text as well.
	port := r.suite.Port()
	if port == "" {
		port = "443"
	}
	return writeJSON(r.file(configFile), map[string]any{
		// The suite's documents may stand on this machine.
		"outgoing_allow": []string{net.JoinHostPort(r.suite.Hostname(), port)}, "outgoing_ca_file": r.suiteCA,
		"issuer": r.issueAt, "listen": r.back, "health_listen": health, "trusted_proxies": []string{"127.0.0.1"},
		"redis": map[string]any{"addresses": []string{redis}},
		// A client in every module, and two in some. Plans bring a token, since open registration has a limit for each source.
		"registration": map[string]any{
			"mode": "open", "grant_types": []string{"authorization_code", "refresh_token", "implicit"}, "most": 10000,
		},
		"secrets": map[string]any{
			"keys_file": r.file("seal-keys"), "index_key_file": r.file("index-key"),
			"pairwise_key_file": r.file("pairwise-key"), "pepper_file": r.file("pepper"),
		},
	})
}

func (r *rig) serve(ctx context.Context) error {
	log, err := os.OpenFile(r.file("lychgate.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	r.server = program(context.WithoutCancel(ctx), r.binary, "--config", r.file(configFile), "serve")
	r.server.Stderr = log
	if err := r.server.Start(); err != nil {
		return err
	}
	r.died = make(chan struct{})
	go func() {
		defer close(r.died)
		_ = r.server.Wait()
	}()
	return within(ctx, "lychgate (see "+log.Name()+")", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.back+"/readyz", http.NoBody)
		if err != nil {
			return false
		}
		res, err := http.DefaultClient.Do(req)
		return err == nil && res.Body.Close() == nil && res.StatusCode == http.StatusOK
	})
}

// startFront ends TLS, and writes the authorities that a driver has to trust.
func (r *rig) startFront(ctx context.Context) error {
	pair, authority, err := r.certificate()
	if err != nil {
		return err
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", r.listen)
	if err != nil {
		return fmt.Errorf("%w; LISTEN names another address", err)
	}
	r.front = newFront(r.back, pair)
	go func() { _ = r.front.ServeTLS(l, "", "") }()
	if r.suiteCA != "" {
		more, err := os.ReadFile(r.suiteCA)
		if err != nil {
			return err
		}
		authority = append(append(authority, '\n'), more...)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return errors.New("no certificate could be read")
	}
	r.web = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
	return os.WriteFile(r.file(caFile), authority, 0o600) //nolint:gosec // the folder is named by who runs this
}

// program is a command that ends with ctx, gently. It has a process group of its own, so that Ctrl-C reaches us alone
// and things end in the right order.
func program(ctx context.Context, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...) //nolint:gosec // programs are named by who runs this
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return c
}

func (r *rig) lychgate(ctx context.Context, in []byte, args ...string) error {
	_, err := r.call(ctx, in, append([]string{"--config", r.file(configFile)}, args...))
	return err
}

func (r *rig) output(ctx context.Context, args ...string) ([]byte, error) {
	return r.call(ctx, nil, args)
}

func (r *rig) call(ctx context.Context, in []byte, args []string) ([]byte, error) {
	var errs bytes.Buffer
	c := program(ctx, r.binary, args...)
	c.Stdin, c.Stderr = bytes.NewReader(in), &errs
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("lychgate %s: %w: %s", strings.Join(args, " "), err, errs.Bytes())
	}
	return out, nil
}

// get reads a JSON document of the provider through TLS, as the suite will.
func (r *rig) get(ctx context.Context, path string, to any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.issueAt+path, http.NoBody)
	if err != nil {
		return err
	}
	res, err := r.web.Do(req)
	if err != nil {
		return fmt.Errorf("%w; the host of the issuer has to lead to this machine", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", req.URL, res.Status)
	}
	return json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(to)
}

// wait returns when ctx ends, or with an error when the provider does.
func (r *rig) wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-r.died:
		return fmt.Errorf("the provider has ended: %s; see %s", r.server.ProcessState, r.file("lychgate.log"))
	}
}

// drive runs the driver on the plans that were asked for; its exit code becomes ours.
func (r *rig) drive(ctx context.Context, out io.Writer) error {
	args := []string{r.file(driverFile), "--results", r.file("results.json")}
	for p := range strings.FieldsFuncSeq(r.plans, func(c rune) bool { return c == ',' || c == ' ' }) {
		args = append(args, "--plan", p)
	}
	name := r.driver
	if filepath.Ext(name) == ".py" {
		name, args = "python3", append([]string{name}, args...)
	}
	c := program(ctx, name, args...)
	c.Stdout, c.Stderr = out, os.Stderr
	return c.Run()
}

func (r *rig) stop() {
	if r.front != nil {
		_ = r.front.Close()
	}
	if r.died != nil {
		_ = r.server.Process.Signal(syscall.SIGTERM)
		<-r.died
	}
	if r.redis != nil && r.redis.Process != nil {
		_ = r.redis.Process.Signal(syscall.SIGTERM)
		_ = r.redis.Wait()
	}
}

func freePort(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// within waits until f says yes, for at most 20 s.
func within(ctx context.Context, what string, f func() bool) error {
	for range 200 {
		if f() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s: no answer within 20 s", what)
}

func writeJSON(file string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o600)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/crypto/argon2"
)

// runOptions reads the flags that every measurement has.
func runOptions(fs *flag.FlagSet, args []string) (options, error) {
	var o options
	var names string
	fs.StringVar(&names, "scenarios", "", "comma separated; default all")
	fs.IntVar(&o.concurrency, "c", 4, "workers, 1 to 64")
	fs.IntVar(&o.batch, "batch", 200, "prepared codes or tokens for one timed batch")
	fs.IntVar(&o.maxOps, "ops", 200000, "most operations a scenario")
	fs.DurationVar(&o.warm, "warm", time.Second, "warm-up a scenario, not counted")
	fs.DurationVar(&o.dur, "time", 4*time.Second, "measured time a scenario, at most 5m")
	fs.DurationVar(&o.slice, "slice", time.Second, "length of a slice")
	fs.DurationVar(&o.patience, "patience", 0, "go on for so long to find enough quiet slices")
	fs.Float64Var(&o.quietShare, "quiet", .1, "a slice is quiet when others used at most this share of the machine")
	fs.StringVar(&o.out, "out", "", "write JSON lines here")
	fs.IntVar(&o.accounts, "accounts", 0, "bench: this many accounts beside those that sign in, up to 1,000,000")
	fs.IntVar(&o.clients, "clients", 0, "bench: this many clients beside those that are used, up to 50,000")
	fs.BoolVar(&o.rs256, "rs256", false, "measure RS256 ID tokens beside ES256")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	o.maxLoad = 1e9
	o.concurrency = max(1, min(o.concurrency, 64))
	o.accounts, o.clients = max(0, min(o.accounts, 1_000_000)), max(0, min(o.clients, 50_000))
	o.dur, o.warm, o.patience = min(o.dur, 5*time.Minute), min(o.warm, 5*time.Minute), min(o.patience, 5*time.Minute)
	o.slice = max(o.slice, 50*time.Millisecond)
	if names != "" {
		o.only = map[string]bool{}
		for n := range strings.SplitSeq(names, ",") {
			o.only[n] = true
		}
	}
	return o, nil
}

const (
	benchPassword = "correct horse battery"
	benchSecret   = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	clientSecret  = "bench-client-secret-0123456789abcdef"
	passwordUsers = 200
	totpUsers     = 3000
)

// rig is a Redis and a Lychgate of their own, in a folder that goes with them.
type rig struct {
	dir            string
	redis, server  *exec.Cmd
	issuer, health string
	env            []string
	started        time.Duration
}

// runBench starts the rig, fills it, measures, and prints each figure beside its goal.
func runBench(binary string, o options) error {
	if o.out != "" {
		_ = os.Remove(o.out)
	}
	r, err := startRig(binary)
	if r != nil {
		defer r.stop()
	}
	if err != nil {
		return err
	}
	if err := r.seed(binary); err != nil {
		return err
	}
	if err := r.crowd(binary, o); err != nil {
		return err
	}
	fmt.Printf("exec to first discovery answer: %.0f ms; resident %.0f MiB\n", float64(r.started.Microseconds())/1000, treePSS([]int{r.server.Process.Pid}))
	targets := []*Target{r.target("lychgate ES256", "web-es256")}
	if o.rs256 {
		targets = append(targets, r.target("lychgate RS256", "web-rs256"))
	}
	for i, t := range targets {
		p, err := newPeer(t, o.concurrency)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		one := o
		if i > 0 {
			one.only = map[string]bool{"code_exchange": true, "refresh": true, "sso": true}
		}
		if err := runAll(os.Stdout, []*peer{p}, one); err != nil {
			return err
		}
	}
	fmt.Printf("server after the load: %.0f MiB, Redis %.0f MiB\n", treePSS([]int{r.server.Process.Pid}), treePSS([]int{r.redis.Process.Pid}))
	printGoals(os.Stdout)
	return nil
}

func freePort() (string, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func startRig(binary string) (*rig, error) {
	dir, err := os.MkdirTemp("", "lychload-")
	if err != nil {
		return nil, err
	}
	r := &rig{dir: dir}
	var addrs [3]string
	for i := range addrs {
		if addrs[i], err = freePort(); err != nil {
			return r, err
		}
	}
	_, port, _ := net.SplitHostPort(addrs[0])
	r.redis = exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "yes",
		"--appendfsync", "everysec", "--maxmemory-policy", "noeviction", "--loglevel", "warning")
	if err := r.redis.Start(); err != nil {
		return r, fmt.Errorf("redis-server: %w", err)
	}
	key := base64.StdEncoding.EncodeToString([]byte("bench-bench-bench-bench-bench-be"))
	r.issuer, r.health = "http://"+addrs[1], "http://"+addrs[2]
	r.env = []string{
		"LYCHGATE_ISSUER=" + r.issuer, "LYCHGATE_LISTEN=" + addrs[1], "LYCHGATE_HEALTH_LISTEN=" + addrs[2], "LYCHGATE_REDIS_ADDRESSES=" + addrs[0],
		"LYCHGATE_SECRETS_KEYS=1:" + key, "LYCHGATE_SECRETS_INDEX_KEY=" + key, "LYCHGATE_SECRETS_PAIRWISE_KEY=" + key, "LYCHGATE_SECRETS_PEPPER=" + key,
		"LYCHGATE_TRUSTED_PROXIES=127.0.0.1", "LYCHGATE_LOG_LEVEL=info",
	}
	if err := waitFor(func() bool { c, err := net.Dial("tcp", addrs[0]); return err == nil && c.Close() == nil }); err != nil {
		return r, fmt.Errorf("redis-server: %w", err)
	}
	// the signing keys are made at the very first start; the second one is what is measured
	if err := r.command(binary, "", "key", "list"); err != nil {
		return r, err
	}
	return r, r.serve(binary)
}

// serve starts the provider and measures the time to the first answer.
func (r *rig) serve(binary string) error {
	log, err := os.Create(filepath.Join(r.dir, "lychgate.log"))
	if err != nil {
		return err
	}
	r.server = exec.Command(binary, "serve")
	r.server.Env, r.server.Stderr = r.env, log
	began := time.Now()
	if err := r.server.Start(); err != nil {
		return err
	}
	return waitFor(func() bool {
		res, err := http.Get(r.issuer + "/.well-known/openid-configuration")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		r.started = time.Since(began)
		return res.StatusCode == http.StatusOK
	})
}

func waitFor(f func() bool) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		if f() {
			return nil
		}
	}
	return errors.New("no answer within 10 s")
}

func (r *rig) stop() {
	for _, c := range []*exec.Cmd{r.server, r.redis} {
		if c != nil && c.Process != nil {
			_ = c.Process.Signal(syscall.SIGTERM)
			_ = c.Wait()
		}
	}
	_ = os.RemoveAll(r.dir)
}

func (r *rig) command(binary, in string, args ...string) error {
	c := exec.Command(binary, args...)
	c.Env, c.Stdin = append(r.env, "BENCH_SECRET="+clientSecret), strings.NewReader(in)
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("lychgate %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// seed adds two companies, the clients and the people by the command line. All people share one password record, made
// once at the default cost.
func (r *rig) seed(binary string) error {
	for _, args := range [][]string{
		{"company", "add", "off", "--name", "Off", "--second-factor", "off"},
		{"company", "add", "on", "--name", "On", "--second-factor", "required"},
	} {
		if err := r.command(binary, "", args...); err != nil {
			return err
		}
	}
	web := map[string]any{
		"client_secret": clientSecret, "redirect_uris": []string{"http://127.0.0.1:9/cb"}, "lychgate_company": "on",
		"grant_types": []string{"authorization_code", "refresh_token"}, "scope": "openid profile email offline_access",
	}
	service := map[string]any{"client_secret": clientSecret, "grant_types": []string{"client_credentials"}, "scope": "cases.read"}
	var clients []map[string]any
	for id, more := range map[string]map[string]any{
		"web-es256": {"id_token_signed_response_alg": "ES256"}, "web-rs256": {}, "svc": nil, "svc-jwt": {"lychgate_access_token_format": "at+jwt", "id_token_signed_response_alg": "ES256"},
	} {
		c := map[string]any{"client_id": id}
		base := service
		if strings.HasPrefix(id, "web") {
			base = web
		}
		for _, m := range []map[string]any{base, more} {
			for k, v := range m {
				c[k] = v
			}
		}
		clients = append(clients, c)
	}
	raw, err := json.Marshal(clients)
	if err != nil {
		return err
	}
	if err := r.command(binary, string(raw), "client", "add", "--file", "-"); err != nil {
		return err
	}
	return r.command(binary, people(), "account", "import", "-")
}

// crowd adds accounts and clients that only stand there: what they cost a request is what is measured.
func (r *rig) crowd(binary string, o options) error {
	began := time.Now()
	var accounts, clients strings.Builder
	for i := range o.accounts {
		fmt.Fprintf(&accounts, "{\"username\":\"crowd%06d@example.com\",\"company\":\"off\",\"password_hash\":%q,\"claims\":{\"name\":\"Person Number%06d\"}}\n", i, onceRecord(), i)
	}
	if o.accounts > 0 {
		if err := r.command(binary, accounts.String(), "account", "import", "-"); err != nil {
			return err
		}
		fmt.Printf("%d accounts imported in %.1f s\n", o.accounts, time.Since(began).Seconds())
	}
	if o.clients == 0 {
		return nil
	}
	clients.WriteString("clients:\n")
	for i := range o.clients {
		fmt.Fprintf(&clients, "  - client_id: crowd%05d\n    client_name: App %d\n    redirect_uris: [https://app%d.example.com/callback]\n    client_secret: {env: BENCH_SECRET}\n", i, i, i)
	}
	began = time.Now()
	if err := r.command(binary, clients.String(), "apply", "-f", "-"); err != nil {
		return err
	}
	fmt.Printf("%d clients applied in %.1f s\n", o.clients, time.Since(began).Seconds())
	return nil
}

// onceRecord is the PHC record of benchPassword.
//
//nolint:gochecknoglobals // one slow hash for all
var onceRecord = sync.OnceValue(func() string {
	salt := []byte("0123456789abcdef")
	hash := argon2.IDKey([]byte(benchPassword), salt, 5, 7168, 1, 32)
	b64 := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$m=7168,t=5,p=1$" + b64(salt) + "$" + b64(hash)
})

func people() string {
	record := onceRecord()
	var out strings.Builder
	for i := range passwordUsers {
		fmt.Fprintf(&out, "{\"username\":\"u%04d\",\"company\":\"off\",\"password_hash\":%q,\"claims\":{\"email\":\"u%04d@example.com\"}}\n", i, record, i)
	}
	for i := range totpUsers {
		fmt.Fprintf(&out, "{\"username\":\"t%04d\",\"company\":\"on\",\"password_hash\":%q,\"totp_secret\":%q}\n", i, record, benchSecret)
	}
	return out.String()
}

func (r *rig) target(name, web string) *Target {
	t := &Target{
		Name: name, Issuer: r.issuer, Scope: "openid profile email offline_access", Metrics: r.health + "/metrics", Revoke: "service", IntrospectionAuth: "client",
		Facts: map[string]string{
			"password_hash": "argon2id 7168 KiB, 5 passes, 1 lane", "client_secret": "HMAC-SHA-256 with a pepper",
			"tokens": name + " ID token, opaque access token, rotated refresh token", "database": "Redis, appendonly everysec",
		},
		Users:      &UserSet{Prefix: "u", Digits: 4, Count: passwordUsers, Password: benchPassword},
		TOTPUsers:  &UserSet{Prefix: "t", Digits: 4, Count: totpUsers, Password: benchPassword, TOTPSecret: benchSecret},
		ServerPIDs: []int{r.server.Process.Pid}, DatabasePIDs: []int{r.redis.Process.Pid}, dir: r.dir,
	}
	t.Clients.Web = &Client{ID: web, Secret: clientSecret, Auth: "client_secret_basic", RedirectURI: "http://127.0.0.1:9/cb"}
	t.Clients.Resource = t.Clients.Web
	t.Clients.Service = &Client{ID: "svc", Secret: clientSecret, Auth: "client_secret_basic"}
	t.Clients.ServiceJWT = &Client{ID: "svc-jwt", Secret: clientSecret, Auth: "client_secret_basic"}
	for _, u := range []*UserSet{t.Users, t.TOTPUsers} {
		if err := u.load(t); err != nil {
			panic(err) // a series of our own making
		}
	}
	return t
}

// counters are what the provider counts itself.
type counters struct{ trips, allocs float64 }

// counters reads round trips and allocations off the metrics; zero where there are none.
func (t *Target) counters() counters {
	var c counters
	if t.Metrics == "" {
		return c
	}
	res, err := http.Get(t.Metrics)
	if err != nil {
		return c
	}
	defer res.Body.Close()
	scan := bufio.NewScanner(io.LimitReader(res.Body, 1<<20))
	for scan.Scan() {
		name, value, _ := strings.Cut(scan.Text(), " ")
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "lychgate_store_round_trips_total":
			c.trips = v
		case "go_memstats_mallocs_total":
			c.allocs = v
		}
	}
	return c
}

// printGoals says what each figure is held against: CPU ms per operation, server and Redis together, scaled to one
// ES256 signature of 0.045 ms (column yard is that signature on this machine, just then).
func printGoals(w io.Writer) {
	fmt.Fprintln(w, `
goals, CPU ms per operation (srvCPU + dbCPU) x 0.045 / yard:
  discovery 0.05   client_credentials 0.13   introspection, userinfo, revocation 0.12
  code_exchange, refresh ES256 0.30, RS256 1.4   sso ES256 0.60   signin hash + 1.5   signin_totp hash + 2
  memory after load 30 MiB   exec to first answer 50 ms   p99 at 4 workers: sso 8 ms, code_exchange 5 ms`)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Limit is the floor of this machine: what one signature, one store round trip
// and one HTTP request cost with nothing around them. CPU in ms for one.
type Limit struct {
	Kind         string  `json:"kind"` // "limit"
	OpenSSL      string  `json:"openssl,omitempty"`
	OpenSSLRS256 float64 `json:"openssl_rs256_2048_sign_ms"`
	OpenSSLES256 float64 `json:"openssl_es256_sign_ms"`
	GoRS256      float64 `json:"go_rs256_2048_sign_ms"`
	GoES256      float64 `json:"go_es256_sign_ms"`
	GoRS256Check float64 `json:"go_rs256_2048_verify_ms"`

	RedisOps    int     `json:"redis_round_trips,omitempty"`
	RedisPerS   float64 `json:"redis_round_trips_per_s,omitempty"`
	RedisP50    float64 `json:"redis_p50_ms,omitempty"`
	RedisServer float64 `json:"redis_server_cpu_ms,omitempty"`
	RedisClient float64 `json:"redis_client_cpu_ms,omitempty"`

	// a net/http server in a process of its own that does only the work named
	HTTP []HTTPFloor `json:"http,omitempty"`

	// one RS256-2048 signature (OpenSSL) + one Redis round trip (server + client CPU)
	SignPlusStore float64 `json:"sign_plus_store_ms"`
	// one ES256 signature (Go) + one Redis round trip
	SignES256PlusStore float64 `json:"sign_es256_plus_store_ms"`
	Load1              float64 `json:"load1_before"`
	At                 string  `json:"at"`
}

type HTTPFloor struct {
	What      string  `json:"what"`
	OpsPerS   float64 `json:"ops_per_s"`
	P50       float64 `json:"p50_ms"`
	P95       float64 `json:"p95_ms"`
	P99       float64 `json:"p99_ms"`
	ServerCPU float64 `json:"server_cpu_ms_per_op"`
	StoreCPU  float64 `json:"database_cpu_ms_per_op"`
	ServerPSS float64 `json:"server_pss_mib"`
}

// threadCPU times n runs of f on one locked thread by that thread's CPU clock.
func threadCPU(d time.Duration, f func()) float64 {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	f()
	var ru0, ru1 syscall.Rusage
	const rusageThread = 1
	syscall.Getrusage(rusageThread, &ru0)
	n := 0
	for end := time.Now().Add(d); time.Now().Before(end); n++ {
		f()
	}
	syscall.Getrusage(rusageThread, &ru1)
	us := func(r syscall.Rusage) float64 {
		return float64(r.Utime.Sec+r.Stime.Sec)*1e6 + float64(r.Utime.Usec+r.Stime.Usec)
	}
	return (us(ru1) - us(ru0)) / 1000 / float64(n)
}

var yardKey, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)

// yardstick is the CPU ms of one ES256 signature with all cores at it for 60 ms.
func yardstick() float64 {
	sum := sha256.Sum256([]byte("lychload"))
	n := runtime.NumCPU()
	got := make([]float64, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[i] = threadCPU(60*time.Millisecond, func() { ecdsa.Sign(rand.Reader, yardKey, sum[:]) })
		}()
	}
	wg.Wait()
	t := 0.0
	for _, g := range got {
		t += g / float64(n)
	}
	return t
}

var speedLine = regexp.MustCompile(`(?m)^\s*(?:rsa\s+2048 bits|256 bits ecdsa \(nistp256\)).*$`)

// opensslSign parses `openssl speed`, which measures by CPU time: s per signature in the first column.
func opensslSign(alg string) (float64, error) {
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	out, err := exec.CommandContext(ctx, "openssl", "speed", "-seconds", "2", alg).Output()
	if err != nil {
		return 0, err
	}
	return parseSpeed(string(out))
}

func parseSpeed(out string) (float64, error) {
	l := speedLine.FindString(out)
	if l == "" {
		return 0, errors.New("openssl speed: no line of numbers")
	}
	// the per-second rate of signing is the third number from the left of the
	// four; it has more digits than the seconds column
	var nums []float64
	for _, f := range strings.Fields(l[strings.Index(l, "s ")+1:]) {
		if v, err := strconv.ParseFloat(strings.TrimSuffix(f, "s"), 64); err == nil {
			nums = append(nums, v)
		}
	}
	if len(nums) < 4 {
		return 0, fmt.Errorf("openssl speed: %q", l)
	}
	rate := nums[len(nums)-2]
	if rate <= 0 {
		return 0, errors.New("openssl speed: rate 0")
	}
	return 1000 / rate, nil
}

func measureLimit(redisAddr string, redisPIDs []int, d time.Duration, concurrency int, withHTTP bool) (*Limit, error) {
	l := &Limit{Kind: "limit", Load1: loadavg(), At: time.Now().UTC().Format(time.RFC3339)}
	if out, err := exec.Command("openssl", "version").Output(); err == nil {
		l.OpenSSL = strings.TrimSpace(string(out))
	}
	var err error
	if l.OpenSSLRS256, err = opensslSign("rsa2048"); err != nil {
		return nil, err
	}
	if l.OpenSSLES256, err = opensslSign("ecdsap256"); err != nil {
		return nil, err
	}
	rk, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ek, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("lychload"))
	var sig []byte
	l.GoRS256 = threadCPU(d/4, func() { sig, _ = rsa.SignPKCS1v15(rand.Reader, rk, crypto.SHA256, sum[:]) })
	l.GoRS256Check = threadCPU(d/4, func() { rsa.VerifyPKCS1v15(&rk.PublicKey, crypto.SHA256, sum[:], sig) })
	l.GoES256 = threadCPU(d/4, func() { ecdsa.Sign(rand.Reader, ek, sum[:]) })
	if redisAddr != "" {
		if err := l.redis(redisAddr, redisPIDs, d, concurrency); err != nil {
			return nil, err
		}
	}
	l.SignPlusStore = l.OpenSSLRS256 + l.RedisServer + l.RedisClient
	l.SignES256PlusStore = l.GoES256 + l.RedisServer + l.RedisClient
	if withHTTP {
		for _, what := range []string{"plain", "es256", "rs256", "store", "es256+store", "rs256+store"} {
			if strings.Contains(what, "store") && redisAddr == "" {
				continue
			}
			h, err := httpFloor(what, redisAddr, redisPIDs, d, concurrency)
			if err != nil {
				return nil, fmt.Errorf("http floor %s: %w", what, err)
			}
			l.HTTP = append(l.HTTP, *h)
		}
	}
	for _, v := range []*float64{&l.OpenSSLRS256, &l.OpenSSLES256, &l.GoRS256, &l.GoES256, &l.GoRS256Check, &l.SignPlusStore, &l.SignES256PlusStore} {
		*v = round(*v)
	}
	return l, nil
}

// redisConn speaks just enough RESP for SET, GET and DEL.
type redisConn struct {
	c net.Conn
	r *bufio.Reader
	b []byte
}

func dialRedis(addr string) (*redisConn, error) {
	h, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if err := loopbackHost(h); err != nil {
		return nil, err
	}
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &redisConn{c: c, r: bufio.NewReader(c)}, nil
}

func (r *redisConn) add(args ...string) {
	r.b = fmt.Appendf(r.b, "*%d\r\n", len(args))
	for _, a := range args {
		r.b = fmt.Appendf(r.b, "$%d\r\n%s\r\n", len(a), a)
	}
}

func (r *redisConn) reply() (string, error) {
	l, err := r.r.ReadString('\n')
	if err != nil {
		return "", err
	}
	l = strings.TrimRight(l, "\r\n")
	switch l[0] {
	case '+', ':':
		return l[1:], nil
	case '$':
		n, err := strconv.Atoi(l[1:])
		if err != nil || n < 0 {
			return "", fmt.Errorf("redis: %q", l)
		}
		buf := make([]byte, n+2)
		if _, err := io.ReadFull(r.r, buf); err != nil {
			return "", err
		}
		return string(buf[:n]), nil
	}
	return "", fmt.Errorf("redis: %s", l)
}

// setGet is the round trip of the limit: SET of val with a life of 60 s and GET of it, pipelined.
func (r *redisConn) setGet(key, val string) error {
	r.b = r.b[:0]
	r.add("SET", key, val, "EX", "60")
	r.add("GET", key)
	if _, err := r.c.Write(r.b); err != nil {
		return err
	}
	if _, err := r.reply(); err != nil {
		return err
	}
	got, err := r.reply()
	if err == nil && got != val {
		err = errors.New("redis: GET gave another value")
	}
	return err
}

func (l *Limit) redis(addr string, pids []int, d time.Duration, concurrency int) error {
	val := randToken(225) // 300 bytes of text
	var wg sync.WaitGroup
	lats := make([][]float64, concurrency)
	errs := make([]error, concurrency)
	var total atomic.Int64
	s0, c0 := treeCPU(pids), selfCPU()
	start := time.Now()
	for i := range concurrency {
		wg.Add(1)
		go func() {
			defer wg.Done()
			c, err := dialRedis(addr)
			if err != nil {
				errs[i] = err
				return
			}
			defer c.c.Close()
			for n := 0; time.Since(start) < d; n++ {
				t := time.Now()
				if err := c.setGet(fmt.Sprintf("lychload:limit:%d:%d", i, n%1000), val); err != nil {
					errs[i] = err
					return
				}
				lats[i] = append(lats[i], float64(time.Since(t).Nanoseconds())/1e6)
				total.Add(1)
			}
		}()
	}
	wg.Wait()
	wall := time.Since(start).Seconds()
	s1, c1 := treeCPU(pids), selfCPU()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	n := float64(total.Load())
	var all []float64
	for _, x := range lats {
		all = append(all, x...)
	}
	sort.Float64s(all)
	l.RedisOps, l.RedisPerS, l.RedisP50 = int(n), round(n/wall), round(percentile(all, .5))
	l.RedisServer, l.RedisClient = round(1000*(s1-s0)/n), round(1000*(c1-c0)/n)
	return nil
}

// floorServer is the ideal token endpoint: parse the form, do the named work,
// answer a token response. It prints its address and ends with its input.
func floorServer(what, redisAddr string) error {
	rk, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	ek, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	pool := make(chan *redisConn, 64)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("grant_type") == "" {
			http.Error(w, "bad request", 400)
			return
		}
		tok := randToken(24)
		claims := map[string]any{"iss": "http://127.0.0.1", "sub": "user", "aud": "web", "iat": time.Now().Unix(), "exp": time.Now().Unix() + 300, "jti": tok}
		var err error
		switch {
		case strings.Contains(what, "rs256"):
			tok, err = signRS256(rk, "k1", claims)
		case strings.Contains(what, "es256"):
			tok, err = signES256(ek, "k1", claims)
		}
		if err == nil && strings.Contains(what, "store") {
			var c *redisConn
			select {
			case c = <-pool:
			default:
				c, err = dialRedis(redisAddr)
			}
			if err == nil {
				raw, _ := json.Marshal(claims)
				if err = c.setGet("lychload:floor:"+randToken(12), string(raw)+strings.Repeat(" ", max(0, 300-len(raw)))); err == nil {
					select {
					case pool <- c:
					default:
						c.c.Close()
					}
				}
			}
		}
		if err != nil {
			http.Error(w, err.Error(), 500)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		json.NewEncoder(w).Encode(map[string]any{"access_token": tok, "token_type": "Bearer", "expires_in": 300})
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(ln.Addr())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(ln, mux)
}

func httpFloor(what, redisAddr string, redisPIDs []int, d time.Duration, concurrency int) (*HTTPFloor, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "floor-server", what, redisAddr)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer cmd.Wait()
	defer in.Close()
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, err
	}
	t := &Target{Name: "floor:" + what, Issuer: "http://" + strings.TrimSpace(addr), ServerPIDs: []int{cmd.Process.Pid}, DatabasePIDs: redisPIDs}
	p := barePeer(t, concurrency)
	p.meta = map[string]any{"token_endpoint": t.Issuer + "/token"}
	c := &Client{ID: "svc", Secret: "secret", Auth: "client_secret_basic"}
	s := &scenario{name: what, op: func(p *peer, w *worker, _ item) error { _, err := serviceToken(p, c); return err }}
	b, err := newBench(p, s, concurrency, 1)
	if err != nil {
		return nil, err
	}
	if err := b.slice(d/4, 1<<30); err != nil {
		return nil, err
	}
	b.reset()
	if err := b.slice(d, 1<<30); err != nil {
		return nil, err
	}
	r := b.result(d)
	if r.Errors > 0 {
		return nil, fmt.Errorf("%d errors: %v", r.Errors, r.Messages)
	}
	return &HTTPFloor{What: what, OpsPerS: r.OpsPerS, P50: r.P50, P95: r.P95, P99: r.P99, ServerCPU: r.ServerCPU, StoreCPU: r.DatabaseCPU, ServerPSS: r.ServerPSS}, nil
}

func (l *Limit) print(w io.Writer) {
	fmt.Fprintf(w, "limit (%s), CPU ms for one\n", l.OpenSSL)
	fmt.Fprintf(w, "  RS256-2048 sign  openssl %.4f  go %.4f   verify go %.4f\n", l.OpenSSLRS256, l.GoRS256, l.GoRS256Check)
	fmt.Fprintf(w, "  ES256 sign       openssl %.4f  go %.4f\n", l.OpenSSLES256, l.GoES256)
	if l.RedisOps > 0 {
		fmt.Fprintf(w, "  Redis SET+GET    server %.4f  client %.4f   (%.0f/s, p50 %.3f ms)\n", l.RedisServer, l.RedisClient, l.RedisPerS, l.RedisP50)
	}
	fmt.Fprintf(w, "  sign + store     RS256 %.4f  ES256 %.4f\n", l.SignPlusStore, l.SignES256PlusStore)
	for _, h := range l.HTTP {
		fmt.Fprintf(w, "  http %-12s server %.4f  store %.4f   (%.0f/s, p50 %.3f p95 %.3f p99 %.3f ms, %.0f MiB)\n", h.What, h.ServerCPU, h.StoreCPU, h.OpsPerS, h.P50, h.P95, h.P99, h.ServerPSS)
	}
}

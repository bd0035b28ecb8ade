// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

//go:build interop

package interop_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// A page without a server behind it, in a real browser: a public client, PKCE, calls across origins.
func TestOIDCClientTS(t *testing.T) {
	dir := install(t, "oidc-client-ts", []string{"npm", "install", "--no-audit", "--no-fund"})
	w := newWorld(t)
	page, err := os.ReadFile(filepath.Join(dir, "page.html"))
	if err != nil {
		t.Fatal(err)
	}
	body := strings.ReplaceAll(string(page), "ISSUER", w.Issuer)
	mux := http.NewServeMux()
	mux.HandleFunc("/oidc-client-ts.min.js", func(rw http.ResponseWriter, r *http.Request) {
		http.ServeFile(rw, r, filepath.Join(dir, "node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js"))
	})
	mux.HandleFunc("/", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = rw.Write([]byte(body))
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	a := app{srv.URL, srv.URL + "/callback"}
	w.register(t, a, func(c *client.Client) { c.AuthMethod = "none" })
	b := newTab(t)
	b.do(chromedp.Navigate(a.url + "/login"))
	b.until(`document.querySelector('#password') !== null`)
	b.run(fmt.Sprintf(`username.value = %q; password.value = %q; document.querySelector('form button.primary').click()`, person, idptest.Password))
	b.until(`document.querySelector('#code') !== null`)
	b.run(fmt.Sprintf(`code.value = %q; document.querySelector('form button.primary').click()`, w.Code(t, 0)))
	b.until(`location.pathname === '/callback' && document.querySelector('#report').textContent !== ''`)
	w.check(t, b.text("#report"))
	b.do(chromedp.Navigate(a.url + "/logout"))
	b.until(`location.pathname === '/bye'`)
	b.do(chromedp.Navigate(a.url + "/login"))
	b.until(`document.querySelector('#password') !== null`)
}

type tab struct {
	*testing.T
	ctx context.Context
}

func newTab(t *testing.T) *tab {
	t.Helper()
	alloc, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()),
		append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU)...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	b := &tab{t, ctx}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) eval(script string, v any) error {
	got, err := chromedp.Call(b.ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script, ReturnByValue: new(true)})
	if err != nil {
		return err
	}
	if got.ExceptionDetails != nil {
		return &chromedp.ExceptionError{ExceptionDetails: got.ExceptionDetails}
	}
	if len(got.Result.Value) == 0 {
		return nil
	}
	return json.Unmarshal(got.Result.Value, v)
}

func (b *tab) run(script string) {
	b.Helper()
	var v any
	if err := b.eval(script, &v); err != nil {
		b.Fatalf("%s: %v", script, err)
	}
}

func (b *tab) text(selector string) string {
	b.Helper()
	var s string
	if err := b.eval(fmt.Sprintf(`document.querySelector(%q).textContent`, selector), &s); err != nil {
		b.Fatal(err)
	}
	return s
}

// until waits until a condition holds, in this page or in the one it leads to.
func (b *tab) until(script string) {
	b.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		var ok bool
		if err := b.eval(script, &ok); ok && err == nil {
			return
		}
		select {
		case <-deadline:
			b.Fatalf("never true: %s, in %s", script, b.text("body"))
		case <-tick.C:
		}
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package browser_test walks the pages in a real browser: the journeys of people at the sample app, by mouse, by
// keyboard, without script, on a phone, in both languages.
package browser_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience ends a wait that would never end by itself.
const patience = 30 * time.Second

// chromium is a browser that is started when it is first asked for, once for all tests.
type chromium struct {
	once sync.Once
	name string
	ctx  context.Context
	stop func()
	err  error
}

// whole is Chromium as people have it, with its history cache and error pages. light is the same engine without a
// window, in half the time; where it is not installed, it is whole as well.
var whole, light = &chromium{}, &chromium{name: "chromium-headless-shell"}

func TestMain(m *testing.M) {
	code := m.Run()
	whole.end()
	light.end()
	os.Exit(code)
}

func (c *chromium) start() {
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("lang", "en-GB"))
	if path, err := exec.LookPath(c.name); err == nil {
		opts = append(opts, chromedp.ExecPath(path))
	}
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	ctx, cancel := chromedp.NewContext(alloc)
	c.ctx, c.stop = ctx, func() { cancel(); stop() }
	if err := chromedp.Do(ctx); err != nil {
		c.err = fmt.Errorf("start Chromium: %w", err)
	}
}

func (c *chromium) end() {
	if c.stop != nil {
		c.stop()
	}
}

// look is how a person's browser is set.
type look struct {
	width, height int64
	noScript      bool
	dark          bool
	language      string
}

func desktop() look { return look{width: 1280, height: 900} }

func phone() look { return look{width: 360, height: 780} }

// tab is one person's browser: a context of its own, with nothing in it.
type tab struct {
	*testing.T
	ctx   context.Context
	world *world
	look  look
	watch *watcher
	// status is that of the last page that was loaded.
	status int64
}

// open starts a person's browser.
func (w *world) open(t *testing.T, l look) *tab {
	t.Helper()
	return w.openIn(t, light, l)
}

func (w *world) openIn(t *testing.T, c *chromium, l look) *tab {
	t.Helper()
	c.once.Do(c.start)
	if c.err != nil {
		t.Fatal(c.err)
	}
	watch := newWatcher(w)
	ctx, cancel := chromedp.NewContext(c.ctx, chromedp.WithNewBrowserContext(), chromedp.WithListener(watch.see))
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx, world: w, watch: watch}
	b.do(call(audits.Enable, cdp.Empty{}), call(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}))
	b.set(l)
	t.Cleanup(func() {
		t.Helper()
		for _, complaint := range b.watch.complaints() {
			t.Errorf("the browser complains: %s", complaint)
		}
	})
	return b
}

// call is a command of the protocol as a step.
func call[P, R any](cmd cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// set changes how the browser is set.
func (b *tab) set(l look) {
	b.Helper()
	b.look = l
	scheme := "light"
	if l.dark {
		scheme = "dark"
	}
	if l.language == "" {
		l.language = "en-GB"
	}
	b.do(
		call(emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: l.width, Height: l.height, DeviceScaleFactor: 1, Mobile: l.width < 500,
		}),
		call(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: l.noScript}),
		call(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
		}}),
		call(network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{Headers: network.Headers{"Accept-Language": l.language}}),
	)
}

// do runs steps that lead to no other page.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	// The first step starts the tab, which must outlive the timeout.
	if chromedp.FromContext(b.ctx).Target == nil {
		ctx = b.ctx
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.Fatalf("at %q: %v", b.text("h1"), err)
	}
}

// load runs steps that lead to another page, and waits for it.
func (b *tab) load(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	res, err := chromedp.RunResponse(ctx, steps...)
	if err != nil {
		b.Fatalf("at %s: %v", b.where(), err)
	}
	if res != nil {
		b.status = res.Status
	}
}

// get opens an address.
func (b *tab) get(address string) {
	b.Helper()
	b.load(chromedp.Navigate(address))
}

// named finds a button or link by the words on it.
func named(words string) string {
	return fmt.Sprintf(`[...document.querySelectorAll('a, button, summary')].find(e => e.checkVisibility() && e.textContent.replace(/\s+/g, ' ').trim() === %q)`, words)
}

// selected finds an element by a selector.
func selected(selector string) string { return fmt.Sprintf(`document.querySelector(%q)`, selector) }

// click is a press of the mouse on the middle of an element, once it is there.
func (b *tab) click(element string) chromedp.Action[chromedp.Void] {
	b.Helper()
	b.eventually(element + `?.checkVisibility() === true`)
	at := eval[[]float64](b, `(e => { e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = e.getBoundingClientRect();
		return [r.x + r.width / 2, r.y + r.height / 2] })(`+element+`)`)
	return chromedp.MouseClickXY(at[0], at[1])
}

// press clicks on the button or link with these words, which leads to another page.
func (b *tab) press(words string) {
	b.Helper()
	b.load(b.click(named(words)))
}

// tick clicks on what leads nowhere.
func (b *tab) tick(element string) {
	b.Helper()
	b.do(b.click(element))
}

// write types into the field of this id, in place of what stands there.
func (b *tab) write(id, text string) {
	b.Helper()
	b.tick(selected("#" + id))
	eval[chromedp.Void](b, `document.activeElement.select()`)
	b.do(chromedp.KeyEvent(text))
}

// eval runs a script in the page, whatever the page itself may run. It asks the browser itself, for chromedp loses
// sight of a page that comes out of the cache of the Back button.
func eval[T any](b *tab, script string) T {
	b.Helper()
	v, err := evaluate[T](b, script)
	if err != nil {
		b.Fatalf("%.200s: %v", script, err)
	}
	return v
}

func evaluate[T any](b *tab, script string) (v T, err error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	got, err := chromedp.Call(ctx, runtime.Evaluate, runtime.EvaluateParams{Expression: script, ReturnByValue: new(true), AwaitPromise: new(true)})
	switch {
	case err != nil:
		return v, err
	case got.ExceptionDetails != nil:
		return v, &chromedp.ExceptionError{ExceptionDetails: got.ExceptionDetails}
	case len(got.Result.Value) > 0:
		err = json.Unmarshal(got.Result.Value, &v)
	}
	return v, err
}

// text is what stands in the first element that matches.
func (b *tab) text(selector string) string {
	b.Helper()
	return eval[string](b, fmt.Sprintf(`(document.querySelector(%q)?.textContent ?? '').replace(/\s+/g, ' ').trim()`, selector))
}

// count is the number of elements that match.
func (b *tab) count(selector string) int {
	b.Helper()
	return eval[int](b, fmt.Sprintf(`document.querySelectorAll(%q).length`, selector))
}

// eventually waits until a condition holds, in this page or in the one that it leads to.
func (b *tab) eventually(script string) {
	b.Helper()
	deadline, tick := time.After(patience), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for {
		// An error is the answer of a page that just went.
		if ok, err := evaluate[bool](b, script); ok && err == nil {
			return
		}
		select {
		case <-deadline:
			b.Fatalf("at %s %q: never true: %s (focus on %s)", b.where(), b.text("h1"), script, b.focus())
		case <-tick.C:
		}
	}
}

// focus describes the element that has the focus.
func (b *tab) focus() string {
	b.Helper()
	return eval[string](b, `(e => e ? e.tagName.toLowerCase() + '#' + e.id + ' ' + e.textContent.trim().slice(0, 40) : 'nothing')(document.activeElement)`)
}

// where is the address of the page.
func (b *tab) where() string {
	b.Helper()
	return eval[string](b, `document.location.href`)
}

// want ends the test unless this page is shown.
func (b *tab) want(status int64, h1 string) {
	b.Helper()
	if got := b.text("h1"); b.status != status || got != h1 {
		b.Fatalf("page = %d %q at %s (alert %q), want %d %q", b.status, got, b.where(), b.text("[role=alert]"), status, h1)
	}
}

// wantApp ends the test unless the person is signed in at the sample app.
func (b *tab) wantApp() {
	b.Helper()
	b.want(200, "Estates")
	if at := b.where(); !strings.HasPrefix(at, b.world.app) {
		b.Fatalf("signed in at %s, want the app at %s", at, b.world.app)
	}
}

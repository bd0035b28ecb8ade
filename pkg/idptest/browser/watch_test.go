// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
)

// watcher notes what no page of ours may cause: an error on the console, a breach of the content security policy, a
// request to anybody but provider and app.
type watcher struct {
	mu    sync.Mutex
	hosts []string
	bad   []string
	// seen counts the requests, so that a watcher that sees nothing is found out.
	seen int
}

func newWatcher(w *world) *watcher { return &watcher{hosts: w.hosts()} }

// see takes an event of the browser.
func (w *watcher) see(event any) {
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		w.request(e.Request.URL)
	case *log.EventEntryAdded:
		w.entry(e.Entry)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning || e.Type == runtime.ConsoleAPICalledTypeAssert {
			w.complain("console." + string(e.Type))
		}
	case *runtime.EventExceptionThrown:
		w.complain("exception: " + e.ExceptionDetails.Text)
	case *audits.EventIssueAdded:
		if d := e.Issue.Details.ContentSecurityPolicyIssueDetails; d != nil {
			w.complain(fmt.Sprintf("content security policy: %s %s", d.ViolatedDirective, d.BlockedURL))
		}
	}
}

// entry takes a line of the browser's log. That a page came with a status of 400 is told there too.
func (w *watcher) entry(e *log.Entry) {
	page := e.Source == log.EntrySourceNetwork && strings.HasPrefix(e.Text, "Failed to load resource: the server responded with a status of") &&
		!strings.Contains(e.URL, "/static/")
	if !page && (e.Level == log.EntryLevelError || e.Level == log.EntryLevelWarning || e.Source == log.EntrySourceSecurity) {
		w.complain(fmt.Sprintf("%s %s: %s %s", e.Source, e.Level, e.Text, e.URL))
	}
}

func (w *watcher) request(address string) {
	u, err := url.Parse(address)
	w.mu.Lock()
	w.seen++
	foreign := err != nil || (u.Scheme != "data" && !slices.Contains(w.hosts, u.Host))
	w.mu.Unlock()
	if foreign {
		w.complain("request to " + address)
	}
}

func (w *watcher) complain(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.bad = append(w.bad, what)
}

// complaints returns what was noted, and forgets it.
func (w *watcher) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	bad := w.bad
	w.bad = nil
	if w.seen == 0 {
		bad = append(bad, "no request was seen at all: the watch is blind")
	}
	return bad
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// badPage breaks everything that the tests of this package look for.
const badPage = `<!doctype html><html lang="en"><title>bad</title><body>
<main><h1>Bad</h1><img src="http://elsewhere.invalid/x.png"><input><p style="color:#fefefe;width:2000px">wide and pale</p></main>
<script>document.title = 'ran'</script></body></html>`

// TestTheWatchSees: a watch that is blind would let everything pass.
func TestTheWatchSees(t *testing.T) {
	w := newWorld(t, idptest.Setup{})
	b := w.open(t, phone())
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Security-Policy", "default-src 'none'; img-src *; style-src 'unsafe-inline'")
		_, _ = fmt.Fprint(rw, badPage)
	}))
	t.Cleanup(srv.Close)
	b.watch.hosts = append(b.watch.hosts, strings.TrimPrefix(srv.URL, "http://"))
	b.get(srv.URL)
	if width := eval[int64](b, `document.scrollingElement.scrollWidth`); width <= 360 {
		t.Errorf("width = %d of a page of 2000 px", width)
	}
	rules := map[string]bool{}
	for _, f := range b.audit() {
		rules[f.ID] = f.Impact == "serious" || f.Impact == "critical"
	}
	for _, rule := range []string{"image-alt", "label"} {
		if !rules[rule] {
			t.Errorf("axe does not find %q: %v", rule, rules)
		}
	}
	seen := strings.Join(b.watch.complaints(), "\n")
	for _, want := range []string{"request to http://elsewhere.invalid/x.png", "content security policy: script-src", "security error"} {
		if !strings.Contains(seen, want) {
			t.Errorf("the watch does not see %q, only:\n%s", want, seen)
		}
	}
}

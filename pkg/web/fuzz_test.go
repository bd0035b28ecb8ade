// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// FuzzCookies is FZ-01 for our cookies, addresses and forms: whatever a browser sends, nothing panics, and what
// comes out is bounded.
func FuzzCookies(f *testing.F) {
	f.Add("lg_b=AAAAAAAAAAAAAAAAAAAAAA.BBBBBBBBBBBBBBBBBBBBBB", "127.0.0.1", "code=123456")
	f.Add("lg_b=a; lg_b=b; lgd_x=\x00", "::ffff:1.2.3.4%eth0", "a=1&a=2")
	f.Fuzz(func(t *testing.T, cookies, addr, body string) {
		r := httptest.NewRequest(http.MethodPost, "/flow/x/login", strings.NewReader(body))
		r.Header.Set("Cookie", cookies)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		secrets := jar{}.bind(r)
		if len(secrets) > 2 {
			t.Errorf("%d binding secrets", len(secrets))
		}
		for _, s := range secrets {
			if len(s) != secretLen {
				t.Errorf("a binding secret of %d characters", len(s))
			}
		}
		if n := network(addr); len(n) > 64 {
			t.Errorf("network %q", n)
		}
		if in, err := form(httptest.NewRecorder(), r); err == nil {
			for name, values := range in {
				if len(values) != 1 || hasControl(name) {
					t.Errorf("form lets %q = %q pass", name, values)
				}
			}
		}
	})
}

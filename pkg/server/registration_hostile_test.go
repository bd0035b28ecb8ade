// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// Large and deep descriptions are refused after bounded work: at most 1 MB is allocated for each.
func TestHostileRegistrations(t *testing.T) {
	p := idptest.New(t, registration(config.RegistrationOpen))
	uris := make([]string, 1000)
	for i := range uris {
		uris[i] = fmt.Sprintf("https://tide.example.com/%d", i)
	}
	many, err := json.Marshal(map[string]any{"redirect_uris": uris})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		body   string
		status int
	}{
		"1 MB":          {`{"client_name":"` + strings.Repeat("a", 1<<20) + `"}`, http.StatusRequestEntityTooLarge},
		"64 KiB deep":   {strings.Repeat("[", 64<<10), http.StatusBadRequest},
		"deep member":   {`{"jwks":` + strings.Repeat(`{"a":`, 10000) + "1" + strings.Repeat("}", 10000) + "}", http.StatusBadRequest},
		"deep unknown":  {`{"x":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + "}", http.StatusBadRequest},
		"1,000 uris":    {string(many), http.StatusBadRequest},
		"1,000 names":   {"{" + strings.Join(slices.Repeat([]string{`"a":1`}, 1000), ",") + "}", http.StatusBadRequest},
		"many contacts": {`{"redirect_uris":["https://tide.example.com/cb"],"contacts":[` + strings.Repeat(`"a",`, 15000) + `"a"]}`, http.StatusBadRequest},
	} {
		// What runs beside the request is counted, too: the smaller of two is nearer to what the request takes.
		least := uint64(math.MaxUint64)
		for range 2 {
			req := httptest.NewRequest(http.MethodPost, p.Issuer+"/register", bytes.NewReader([]byte(tt.body)))
			req.Header.Set("Content-Type", "application/json")
			res := httptest.NewRecorder()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			p.Node.Handler().ServeHTTP(res, req)
			runtime.ReadMemStats(&after)
			if res.Code != tt.status {
				t.Errorf("%s: %d %s, want %d", name, res.Code, res.Body, tt.status)
			}
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		if least > 1<<20 {
			t.Errorf("%s: %d bytes allocated, want at most 1 MiB", name, least)
		}
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
	"github.com/lychgate/lychgate/pkg/server"
)

// What the discovery document names is mounted, and what is mounted for programs is named, whatever is switched on.
func TestDiscoveryAndRoutes(t *testing.T) { //nolint:gocognit // two lists, compared both ways
	for _, mode := range []string{config.RegistrationOff, config.RegistrationOpen} {
		p := idptest.New(t, registration(mode))
		doc := asks(t, http.MethodGet, p.Issuer+"/.well-known/openid-configuration", "", "").json
		named := map[string]bool{}
		for name, v := range doc {
			address, ok := v.(string)
			if !ok || name == "issuer" || !strings.HasPrefix(address, p.Issuer) {
				continue
			}
			path := strings.TrimPrefix(address, p.Issuer)
			named[path] = true
			res := httptest.NewRecorder()
			p.Node.Handler().ServeHTTP(res, httptest.NewRequest(http.MethodGet, address, nil))
			if res.Code == http.StatusNotFound {
				t.Errorf("%s: %s is named and not there", name, path)
			}
		}
		for _, path := range server.ProtocolPaths() {
			// The page for frames is there with an https issuer alone: TestSessionState.
			off := path == "/session/check" || (path == "/register" && mode == config.RegistrationOff)
			if !named[path] && !off {
				t.Errorf("registration %s: %s is there and not named", mode, path)
			}
		}
		rfc8414 := asks(t, http.MethodGet, p.Issuer+"/.well-known/oauth-authorization-server", "", "").json
		if len(rfc8414) != len(doc) || rfc8414["token_endpoint"] != doc["token_endpoint"] {
			t.Errorf("the RFC 8414 document has %d members, the other %d", len(rfc8414), len(doc))
		}
	}
}

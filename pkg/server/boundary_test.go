// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/semver"
)

const module = "github.com/lychgate/lychgate"

// deps returns what each package of ours imports directly, tests left out.
func deps(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	list := map[string][]string{}
	scan := bufio.NewScanner(bytes.NewReader(out))
	for scan.Scan() {
		f := strings.Fields(scan.Text())
		list[strings.TrimPrefix(strings.TrimPrefix(f[0], module), "/")] = f[1:]
	}
	return list
}

// TestForeignLibrariesStayBehindTheirBoundary: one package for each, so that each can be replaced.
func TestForeignLibrariesStayBehindTheirBoundary(t *testing.T) {
	boundaries := []struct {
		library string
		allowed []string
	}{
		{"github.com/ory/", []string{"pkg/oidc"}},
		{"github.com/redis/", []string{"pkg/store"}},
		{"github.com/alicebob/", []string{"pkg/store/embedded"}},
		{"html/template", []string{"templates"}},
		{"text/template", []string{"templates"}},
		{"github.com/spf13/viper", []string{"pkg/config"}},
		{"github.com/pquerna/otp", []string{"providers"}},
		{"github.com/boombuler/barcode", []string{"providers"}},
		{"github.com/oschwald/", []string{"providers/places"}},
		{"github.com/go-webauthn/", []string{"providers/passkey"}},
		{"github.com/fxamacker/cbor", []string{"providers/passkey"}},
		{"github.com/go-jose/", []string{"pkg/oidc", "pkg/keys"}},
		{"github.com/spf13/cobra", []string{"cmd/lychgate"}},
		{"github.com/prometheus/", []string{"pkg/server"}},
		{"github.com/wneessen/", []string{"providers/mailers/smtp"}},
		{"github.com/danielgtaylor/", []string{"pkg/admin/api"}},
	}
	for pkg, imports := range deps(t) {
		for _, imp := range imports {
			for _, b := range boundaries {
				if strings.HasPrefix(imp, b.library) && !under(pkg, b.allowed) {
					t.Errorf("%s imports %s, which belongs behind %v", pkg, imp, b.allowed)
				}
			}
		}
	}
}

func under(pkg string, allowed []string) bool {
	return slices.ContainsFunc(allowed, func(a string) bool { return pkg == a || strings.HasPrefix(pkg, a+"/") })
}

// TestArrowsPointDown holds the table of ARCHITECTURE.md: what each of our packages may import of ours.
func TestArrowsPointDown(t *testing.T) {
	rules := []string{"pkg/authn", "pkg/flow", "pkg/session", "pkg/grant", "pkg/client", "pkg/company", "pkg/device", "pkg/throttle", "pkg/registry", "pkg/invitation"}
	allowed := map[string][]string{
		"pkg/authn": {}, "pkg/session": {"pkg/authn"}, "pkg/flow": {"pkg/authn", "pkg/session"},
		"pkg/grant": {"pkg/authn"}, "pkg/client": {"pkg/authn", "pkg/flow", "pkg/keys"}, "pkg/company": {"pkg/authn", "pkg/flow"},
		"pkg/device": {"pkg/authn"}, "pkg/throttle": {"pkg/authn"}, "pkg/invitation": {"pkg/authn"}, "pkg/registry": {"pkg/client", "pkg/company"},
		"pkg/notify": {"pkg/authn"}, "pkg/logout": {}, "providers/mailers/smtp": {"pkg/notify"}, "providers/mailers/console": {"pkg/notify"},
		"pkg/keys": {"pkg/authn"}, "pkg/seal": {}, "pkg/audit": {}, "pkg/outgoing": {}, "pkg/config": {"pkg/throttle"}, "templates": {},
		"pkg/store":                   append([]string{"pkg/seal", "pkg/keys", "pkg/notify", "pkg/logout", "pkg/audit"}, rules...),
		"pkg/store/embedded":          {},
		"pkg/oidc":                    append([]string{"pkg/keys", "pkg/audit"}, rules...),
		"pkg/web":                     append([]string{"pkg/audit", "pkg/notify", "templates"}, rules...),
		"pkg/account":                 append([]string{"pkg/audit", "pkg/notify", "templates"}, rules...),
		"pkg/admin/declared":          {"pkg/client", "pkg/company", "pkg/flow"},
		"pkg/admin":                   append([]string{"pkg/audit", "pkg/keys", "pkg/notify", "pkg/admin/foreign", "pkg/admin/declared"}, rules...),
		"pkg/admin/api":               append([]string{"pkg/admin", "pkg/audit", "pkg/keys", "pkg/seal"}, rules...),
		"pkg/admin/foreign":           {"pkg/client", "pkg/flow"},
		"pkg/admin/console":           append([]string{"pkg/admin", "pkg/audit", "pkg/keys", "templates"}, rules...),
		"pkg/demo":                    {"templates"},
		"providers":                   {"pkg/authn", "providers/totp", "providers/passkey", "providers/recovery"},
		"providers/passkey":           {"pkg/authn"},
		"providers/totp":              {"pkg/authn"},
		"providers/places":            {},
		"providers/recovery":          {"pkg/authn"},
		"providers/directories/local": {"pkg/authn"},
		"cmd/lychload":                {},
		"cmd/lychconform":             {},
	}
	free := []string{"pkg/server", "cmd/lychgate", "pkg/idptest", "pkg/store/storetest"}
	for pkg, imports := range deps(t) {
		if under(pkg, free) {
			continue
		}
		ok, known := allowed[pkg]
		if !known {
			t.Errorf("%s is in no row of the table: say what it may import", pkg)
		}
		for _, imp := range imports {
			own := strings.TrimPrefix(imp, module+"/")
			if own != imp && !slices.Contains(ok, own) {
				t.Errorf("%s must not import %s", pkg, own)
			}
			if imp == "net/http" && slices.Contains(rules, pkg) {
				t.Errorf("%s imports net/http: the rules know nothing of HTTP", pkg)
			}
		}
	}
}

// TestTestHelpersAreNotLinked: what is for tests never reaches the binary.
func TestTestHelpersAreNotLinked(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./cmd/lychgate")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list -deps: %v", err)
	}
	for _, banned := range []string{module + "/pkg/idptest", module + "/pkg/store/storetest", "github.com/chromedp/", "github.com/emersion/", "google.golang.org/grpc", "github.com/sirupsen/"} {
		if strings.Contains(string(out), banned) {
			t.Errorf("the binary links %s", banned)
		}
	}
}

// TestSC01 is the security case SC-01: go.mod holds the floors below which there are published advisories.
func TestSC01(t *testing.T) {
	floors := map[string]string{
		"github.com/go-jose/go-jose/v3": "v3.0.5", "github.com/go-jose/go-jose/v4": "v4.1.4", "golang.org/x/crypto": "v0.52.0",
		"golang.org/x/net": "v0.56.0", "golang.org/x/text": "v0.39.0", "golang.org/x/oauth2": "v0.27.0",
		"github.com/hashicorp/go-retryablehttp": "v0.7.7", "github.com/redis/go-redis/v9": "v9.7.3", "github.com/pquerna/otp": "v1.5.0",
		"go.opentelemetry.io/otel": "v1.44.0", "golang.org/x/mod": "v0.40.0",
		"github.com/wneessen/go-mail": "v0.7.1",
	}
	body, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]string{}
	for line := range strings.Lines(string(body)) {
		if f := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require ")); len(f) >= 2 {
			have[f[0]] = f[1]
		}
	}
	for name, floor := range floors {
		switch got := have[name]; {
		case got == "":
			t.Errorf("go.mod does not pin %s (floor %s)", name, floor)
		case semver.Compare(got, floor) < 0:
			t.Errorf("go.mod has %s %s, below the floor %s", name, got, floor)
		}
	}
	for _, name := range []string{"google.golang.org/grpc", "go.opentelemetry.io/otel/sdk"} {
		if have[name] != "" {
			t.Errorf("go.mod brings %s back: the shim of ory/x is there to keep it out", name)
		}
	}
}

// TestSC07 is the security case SC-07: every test runs with the race detector and in a random order, those over three
// nodes among them.
func TestSC07(t *testing.T) {
	body, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.Contains(line, "$(GO) test") && (!strings.Contains(line, "-race") || !strings.Contains(line, "-shuffle=on") || !strings.Contains(line, "$(PKGS)")) {
			t.Errorf("make test runs %q, want -race and -shuffle=on over all packages", strings.TrimSpace(line))
		}
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package audit_test

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/lychgate/lychgate/pkg/audit"
)

// TestNamesAreAll: an event that is declared can be searched for.
func TestNamesAreAll(t *testing.T) {
	source, err := os.ReadFile("audit.go")
	if err != nil {
		t.Fatal(err)
	}
	all := regexp.MustCompile(`(?m)^\t[A-Z]\w+ += "([a-z_.]+)"$`).FindAllStringSubmatch(string(source), -1)
	if len(all) == 0 || len(all) != len(audit.Names()) {
		t.Errorf("%d events, %d names", len(all), len(audit.Names()))
	}
	for _, m := range all {
		if !slices.Contains(audit.Names(), m[1]) {
			t.Errorf("%s cannot be searched for", m[1])
		}
	}
}

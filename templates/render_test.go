// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import "testing"

func TestParse(t *testing.T) {
	if _, err := Parse(); err != nil {
		t.Fatal(err)
	}
}

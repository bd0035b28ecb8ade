// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package templates is the HTML boundary: pages as typed structs, their templates, stylesheet, script and the
// messages of each language. Nothing else in Lychgate writes HTML.
package templates

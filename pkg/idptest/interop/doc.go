// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package interop holds small relying parties on foreign libraries, each in a folder of its own, and the tests that sign
// a person in through them with a code, refresh, ask userinfo and sign out. `make interop` installs the libraries from
// their registries and runs the tests; they are not part of `make test`.
package interop

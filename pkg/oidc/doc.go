// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package oidc is the protocol: OAuth 2.0 and OpenID Connect at the edge, ory/fosite for the grant state machines.
//
//	request -> our edge (strict forms, client authentication, parameter rules)
//	        -> fosite   (engine.go store.go tokens.go errors.go: the only files that import it)
//	        -> one call of grant.Store
//	        -> our writers (fixed texts, iss, headers)
//
// It never sees Redis, HTML or a cookie, and exports no type of fosite. What fosite may decide is a second check of
// what the edge has decided; it can be replaced behind the interface machine.
package oidc

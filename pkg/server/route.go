// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/web"
)

// A route is built from three types in turn, address, protection, handler, so that one without a stated protection
// does not compile.

// address is a method and a path.
type address struct{ pattern string }

func get(path string) address     { return address{"GET " + path} }
func post(path string) address    { return address{"POST " + path} }
func options(path string) address { return address{"OPTIONS " + path} }
func put(path string) address     { return address{"PUT " + path} }
func del(path string) address     { return address{"DELETE " + path} }

// guarded is an address whose protection is stated.
type guarded struct {
	pattern string
	guard   func(http.Handler) http.Handler
}

// route is ready to be mounted.
type route struct {
	pattern string
	handler http.Handler
	// limit is how long a request may take in all; 0: it is not bounded here.
	limit time.Duration
}

// protection is what stands before a handler.
type protection func(http.Handler) http.Handler

func (a address) with(g protection) guarded { return guarded{a.pattern, g} }

// to ends a route with a handler whose errors the site renders as pages.
func (g guarded) to(site *web.Site, h web.Handler) route {
	return route{g.pattern, g.guard(site.Handle(h)), requestLimit}
}

// unlimited is for what never waits for the store, and for the password, whose hashing and floor have limits of their
// own and are not cut short.
func (r route) unlimited() route {
	r.limit = 0
	return r
}

// open is for what any site may send a browser or a program to: reading, and the endpoints that decisions.md
// exempts from the cross-origin check because they authenticate by other means.
func open(h http.Handler) http.Handler { return h }

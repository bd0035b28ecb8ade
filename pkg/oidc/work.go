// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
)

// The scopes with a meaning of their own.
const (
	scopeOpenID  = "openid"
	scopeOffline = "offline_access"
)

// work is the unit of work of one request. It travels through the engine in the context, so that the whole request
// is one call of the store: what the engine asks for later is answered from here.
type work struct {
	client *client.Client
	// grantType and form are of the token request, already checked at the edge.
	grantType string
	form      url.Values
	// envelope is how the client's ID tokens are encrypted.
	envelope envelope
	// scopes narrows a refresh, or names those of client credentials; nil: all of the grant's.
	scopes []string

	// At the answer: what the gate saw, and the parts of the response type that fosite has agreed to.
	answering           bool
	subject             string
	authTime, requested time.Time
	agreed              []string

	// issued is set once the store has acted; err is what the store said, which counts before anything the engine
	// makes of it.
	asked           bool
	issued          grant.Issued
	done            bool
	err             error
	access, idToken string
}

// granted are the scopes of the access token.
func (w *work) granted() []string {
	if w.scopes != nil {
		return w.scopes
	}
	return w.issued.Grant.Scopes
}

func (w *work) wantsIDToken() bool { return slices.Contains(w.granted(), scopeOpenID) }

type workKey struct{}

func withWork(ctx context.Context, w *work) context.Context {
	return context.WithValue(ctx, workKey{}, w)
}

// workOf never answers nil: a call without a unit of work finds an empty one, which allows nothing.
func workOf(ctx context.Context) *work {
	if w, ok := ctx.Value(workKey{}).(*work); ok {
		return w
	}
	return &work{asked: true, err: grant.ErrUnknown}
}

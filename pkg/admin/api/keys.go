// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/keys"
)

// Keys is the ring of signing keys. Rotate answers keys.ErrTooYoung and keys.ErrUnknownAlg, and writes who did it down.
type Keys interface {
	SigningKeys() []keys.Listing
	Rotate(ctx context.Context, by admin.Actor, alg string, u keys.Urgency) error
}

type keyListOutput struct {
	Body struct {
		Keys []keys.Listing `json:"keys" nullable:"false"`
	}
}

type rotateInput struct {
	Body struct {
		Alg string `json:"alg,omitempty" enum:"RS256,PS256,ES256,ES384,EdDSA" doc:"Of this algorithm alone; absent: of all"`
		Now string `json:"urgency,omitempty" enum:"planned,now" doc:"now rotates at once, for an emergency: apps may refuse tokens until they have read the new keys"`
	}
}

func (a *API) addKeys() {
	const tag = "keys"
	add(a, spec{
		id: "list_keys", method: http.MethodGet, path: "/api/v1/keys", scope: ScopeKeysRead, tag: tag, summary: "List the signing keys",
		status: http.StatusOK, more: "In the order they were made; nothing in it is secret.",
	}, a.listKeys)
	add(a, spec{
		id: "rotate_keys", method: http.MethodPost, path: "/api/v1/keys/rotate", scope: ScopeKeysWrite, tag: tag, summary: "Put the next keys into use",
		status: http.StatusOK, traits: hasBody | conflicts | fresh | slow,
		more: "Refused while the next keys have been published for less than 24 hours, but in an emergency.",
	}, a.rotateKeys)
}

func (a *API) listKeys(_ context.Context, c call, _ *struct{}) (*keyListOutput, error) {
	if err := c.wholeServer(); err != nil {
		return nil, err
	}
	out := &keyListOutput{}
	out.Body.Keys = append([]keys.Listing{}, a.cfg.Keys.SigningKeys()...)
	return out, nil
}

func (a *API) rotateKeys(ctx context.Context, c call, in *rotateInput) (*keyListOutput, error) {
	if err := c.wholeServer(); err != nil {
		return nil, err
	}
	u := keys.Planned
	if in.Body.Now == "now" {
		u = keys.Now
	}
	err := a.cfg.Keys.Rotate(ctx, c.by, in.Body.Alg, u)
	switch {
	case errors.Is(err, keys.ErrTooYoung):
		return nil, problem(http.StatusConflict, codeConflict, "The next keys have been published for less than 24 hours: apps may not have read them.")
	case errors.Is(err, keys.ErrUnknownAlg):
		return nil, invalid(Fault{Detail: "is not in use here", Pointer: "/alg"})
	case err != nil:
		return nil, err
	}
	return a.listKeys(ctx, c, nil)
}

// wholeServer refuses what is no company's business.
func (c call) wholeServer() error {
	if c.by.Company != "" {
		return forbidden("This is for the IT team alone: the token is limited to a company.")
	}
	return nil
}

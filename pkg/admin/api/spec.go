// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// The media types of bodies: a JSON object, or a merge patch (RFC 7396).
const (
	mediaJSON  = "application/json"
	mergePatch = "application/merge-patch+json"
)

// trait is what an operation has in common with others.
type trait uint

const (
	// hasBody reads a JSON object, hasPatch a merge patch.
	hasBody trait = 1 << iota
	hasPatch
	// creates takes an idempotency key.
	creates
	// mayMatch honours If-Match, mustMatch wants it.
	mayMatch
	mustMatch
	// hasFields may refuse single fields or parameters; pages takes a cursor.
	hasFields
	pages
	// conflicts may not fit the state of what it is for.
	conflicts
	// fresh wants a person to have shown password and second factor just now.
	fresh
	// waits may be asked too often.
	waits
	slow
)

// spec describes one operation.
type spec struct {
	id, method, path, scope string
	tag, summary, more      string
	// status is that of its success.
	status int
	traits trait
}

func (s spec) is(t trait) bool { return s.traits&t != 0 }

// reads says whether the operation has a body.
func (s spec) reads() bool { return s.is(hasBody | hasPatch) }

func (s spec) media() string {
	if s.is(hasPatch) {
		return mergePatch
	}
	return mediaJSON
}

// statuses are those of all refusals that the operation can answer with.
func (s spec) statuses() []int {
	all := []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusServiceUnavailable, http.StatusUnprocessableEntity, http.StatusBadRequest}
	if strings.Contains(s.path, "{") || s.is(creates) {
		all = append(all, http.StatusNotFound)
	}
	if s.reads() {
		all = append(all, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusRequestTimeout)
	}
	if s.is(creates) || s.is(conflicts) {
		all = append(all, http.StatusConflict)
	}
	if s.is(mayMatch) || s.is(mustMatch) {
		all = append(all, http.StatusPreconditionFailed)
	}
	if s.is(mustMatch) {
		all = append(all, http.StatusPreconditionRequired)
	}
	if s.is(waits) {
		all = append(all, http.StatusTooManyRequests)
	}
	slices.Sort(all)
	return all
}

// operation is what huma is told.
func (s spec) operation() *huma.Operation {
	op := &huma.Operation{
		OperationID: s.id, Method: s.method, Path: s.path,
		Summary: s.summary, Description: s.more, Tags: []string{s.tag}, Responses: map[string]*huma.Response{},
		Security: []map[string][]string{{"token": {s.scope}}},
	}
	for _, status := range s.statuses() {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + answerName(status)}
	}
	return op
}

// answerName names an answer in the document.
func answerName(status int) string { return strings.ReplaceAll(http.StatusText(status), " ", "") }

// problems describes the answers that are problems, once for all operations.
func problems(r huma.Registry) map[string]*huma.Response {
	ref := component(r, "Problem", huma.SchemaFromType(r, typeOf[problemError]()))
	out := map[string]*huma.Response{}
	for _, status := range []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusRequestTimeout, http.StatusConflict,
		http.StatusPreconditionFailed, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity,
		http.StatusPreconditionRequired, http.StatusTooManyRequests, http.StatusServiceUnavailable,
	} {
		answer := &huma.Response{
			Description: http.StatusText(status), Content: map[string]*huma.MediaType{problemType: {Schema: ref}}, Headers: map[string]*huma.Param{},
		}
		text := &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
		switch status {
		case http.StatusUnauthorized, http.StatusForbidden:
			answer.Headers["WWW-Authenticate"] = text
		case http.StatusServiceUnavailable, http.StatusTooManyRequests:
			answer.Headers["Retry-After"] = text
		}
		out[answerName(status)] = answer
	}
	return out
}

// description is the head of the document.
func description(issuer string) *huma.OpenAPI {
	scopes := map[string]string{}
	for _, s := range Scopes() {
		scopes[s[0]] = s[1]
	}
	schemas := huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer)
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Lychgate", Version: "1",
			Description: "What IT teams look after. Every answer that is not a success is a problem (RFC 9457). See docs/api.md.",
		},
		Servers: []*huma.Server{{URL: issuer}},
		Components: &huma.Components{
			Schemas: schemas, Responses: problems(schemas),
			SecuritySchemes: map[string]*huma.SecurityScheme{"token": {
				Type: "oauth2", Description: "An access token of this server, in the header Authorization.",
				Flows: &huma.OAuthFlows{
					ClientCredentials: &huma.OAuthFlow{TokenURL: issuer + "/token", Scopes: scopes},
					AuthorizationCode: &huma.OAuthFlow{AuthorizationURL: issuer + "/authorize", TokenURL: issuer + "/token", Scopes: scopes},
				},
			}},
		},
	}
}

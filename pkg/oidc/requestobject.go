// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/keys"
)

// maxObject bounds a request object, by value or fetched.
const maxObject = maxBody

// objectType is the type of request objects (RFC 9101 §10.8); other systems write JWT or nothing.
const objectType = "oauth-authz-req+jwt"

// signedRequest returns the parameters that count (RFC 9101 §6.3). With a request object these are its own and none of
// those beside it, even where it is silent: what stands beside it may have been put there by anybody on the way. Only
// response_type, which OAuth 2.0 wants outside, is taken from there where it is missing inside (OIDC Core §6.1).
func (p *Provider) signedRequest(ctx context.Context, c *client.Client, q params) (params, *fault) {
	byValue, byURI := q.has("request"), q.has("request_uri")
	switch {
	case !byValue && !byURI:
		if c.RequireSigned {
			return q, invalidRequest(reasonUnsigned, "no request object")
		}
		return q, nil
	case byValue && byURI:
		return q, invalidRequest(reasonTwoRequests, "request and request_uri")
	}
	name := "request"
	if byURI {
		name = "request_uri"
	}
	if len(c.Keys) == 0 && c.KeysURI == "" {
		// Nothing could be verified, and what is not verified is not taken (RFC 9101 §10.1).
		return q, newFault(name+"_not_supported", "client without keys")
	}
	if reason := q.spoilt[name]; reason != "" {
		return q, invalidRequest(reason, name)
	}
	object := q.get("request")
	if byURI {
		var f *fault
		if object, f = p.fetchObject(ctx, c, q.get("request_uri")); f != nil {
			return q, f
		}
	}
	return p.openObject(ctx, c, q, object)
}

// fetchObject reads a request object from an address that the client has registered (OIDC Core §6.2). No other address
// is ever asked.
func (p *Provider) fetchObject(ctx context.Context, c *client.Client, uri string) (string, *fault) {
	if len(c.RequestURIs) == 0 {
		return "", newFault(codeNoRequestURI, "client without request_uris")
	}
	// The fragment may hold a hash by which a cache knows what it has (OIDC Core §6.2, OIDC Registration §2). We keep no
	// objects, and trust their signatures: it says nothing to us, and with the suite it is the hash of something else.
	plain, _, _ := strings.Cut(uri, "#")
	if !slices.Contains(c.RequestURIs, uri) && !slices.Contains(c.RequestURIs, plain) {
		return "", newFault(codeInvalidRequestURI, "request_uri is not registered")
	}
	body, err := p.cfg.Sources.Fetch(ctx, uri)
	switch {
	case err != nil:
		return "", wrapFault(codeInvalidRequestURI, err)
	case len(body) > maxObject:
		return "", newFault(codeInvalidRequestURI, "request object is too large")
	}
	return string(bytes.TrimSpace(body)), nil
}

// openObject verifies a request object of c and returns the parameters in it (RFC 9101 §6, OIDC Core §6.1).
func (p *Provider) openObject(ctx context.Context, c *client.Client, outside params, object string) (params, *fault) {
	f, err := readForeign(object, maxObject, keys.Algs())
	if err != nil {
		return outside, wrapFault(codeInvalidObject, err)
	}
	if problem := p.objectProblem(c, f); problem != "" {
		return outside, newFault(codeInvalidObject, problem)
	}
	good, err := p.signedBy(ctx, c, f)
	switch {
	case err != nil:
		return outside, unavailable(err)
	case !good:
		return outside, newFault(codeInvalidObject, "no key of the client made the signature")
	}
	values, ok := objectParams(f.claims)
	if !ok {
		return outside, newFault(codeInvalidObject, "a parameter is of another type")
	}
	inside := readParams(values)
	if id := inside.get("client_id"); id != "" && id != c.ID {
		return outside, newFault(codeInvalidObject, "client_id differs inside and outside")
	}
	a, b := inside.get("response_type"), outside.get("response_type")
	if a != "" && b != "" && a != b && responseType(a) != responseType(b) {
		return outside, newFault(codeInvalidObject, "response_type differs inside and outside")
	}
	inside.values["client_id"] = c.ID
	if b != "" && !inside.has("response_type") {
		inside.values["response_type"] = b
	}
	return inside, nil
}

// objectProblem says what is wrong with a request object before its signature is looked at. exp, nbf and iat count where
// they are given: neither RFC 9101 nor OIDC Core wants them.
func (p *Provider) objectProblem(c *client.Client, f *foreign) string {
	_, problem := f.timing(p.now())
	_, nested := f.claims["request"]
	_, nestedURI := f.claims["request_uri"]
	switch {
	case c.RequestAlg != "" && f.alg != c.RequestAlg:
		return "not the registered algorithm"
	case !f.isType(objectType):
		return "a token of another type"
	case f.text("iss") != c.ID:
		return "iss is not the client"
	case !slices.Contains(f.audience(), p.cfg.Issuer):
		return "for another recipient"
	case nested || nestedURI:
		return "a request inside the request"
	}
	return problem
}

// objectParams writes the members of a request object as parameters: texts as they are, max_age as a whole number, claims
// as JSON. A member that we use and that is of another type spoils the object; others are ignored.
func objectParams(claims map[string]any) (url.Values, bool) {
	out := url.Values{}
	for name, v := range claims {
		if limit(name) == 0 {
			continue
		}
		switch v := v.(type) {
		case string:
			out.Set(name, v)
		case float64:
			if name != "max_age" || v != float64(int64(v)) {
				return nil, false
			}
			out.Set(name, strconv.FormatInt(int64(v), 10))
		case map[string]any:
			b, err := json.Marshal(v)
			if name != "claims" || err != nil {
				return nil, false
			}
			out.Set(name, string(b))
		default:
			return nil, false
		}
	}
	return out, true
}

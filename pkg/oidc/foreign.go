// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxHeader bounds the header of a JWS in base64url; an honest one has three short members.
const maxHeader = 1 << 10

// errForeign is a JWS that is not looked at further.
var errForeign = errors.New("not a signed JWT in the form that is taken")

// foreign is a JWS of another party: read within bounds, its signature not looked at yet.
type foreign struct {
	jws           *jose.JSONWebSignature
	alg, kid, typ string
	claims        map[string]any
}

// readForeign reads a compact JWS of at most most bytes, signed by one of algs. Whatever else can be put into a JWT is
// refused before a library sees it: encryption, compression, keys and addresses of keys in the header, extensions that
// must be understood, names that stand twice, deep nesting (RFC 8725 §3.1, §3.10).
func readForeign(token string, most int, algs []string) (*foreign, error) {
	// The library would skip white space inside: the same token in another spelling must not pass.
	if len(token) > most || strings.Count(token, ".") != 2 || !unreserved(token, "-_.") {
		return nil, errForeign
	}
	first, _, _ := strings.Cut(token, ".")
	if len(first) > maxHeader {
		return nil, errForeign
	}
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil {
		return nil, errForeign
	}
	header, err := readObject(string(raw))
	if err != nil {
		return nil, errForeign
	}
	for _, name := range []string{"crit", "b64", "zip", "enc", "epk", "p2c", "p2s", "jwk", "jku", "x5u", "x5c"} {
		if _, there := header[name]; there {
			return nil, errForeign
		}
	}
	f := &foreign{}
	ok := true
	for name, to := range map[string]*string{"alg": &f.alg, "kid": &f.kid, "typ": &f.typ} {
		if v, there := header[name]; there && ok {
			*to, ok = v.(string)
		}
	}
	if !ok || !slices.Contains(algs, f.alg) {
		return nil, errForeign
	}
	if f.jws, err = jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(f.alg)}); err != nil {
		return nil, errForeign
	}
	if f.claims, err = readObject(string(f.jws.UnsafePayloadWithoutVerification())); err != nil {
		return nil, errForeign
	}
	return f, nil
}

// readObject reads a JSON object as the claims parameter is read, one level deeper: a request object holds it.
func readObject(s string) (map[string]any, error) {
	r := claimsReader{json.NewDecoder(strings.NewReader(s))}
	v, err := r.value(-1)
	if err != nil {
		return nil, err
	}
	out, ok := v.(map[string]any)
	if !ok {
		return nil, errForeign
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, errForeign
	}
	return out, nil
}

// verifiedBy says whether key made the signature.
func (f *foreign) verifiedBy(key any) bool {
	_, err := f.jws.Verify(key)
	return err == nil
}

// text is a claim that is a string; the empty string for one that is not there, or is something else.
func (f *foreign) text(name string) string {
	s, _ := f.claims[name].(string)
	return s
}

// audience is the claim aud: one string or a list of them (RFC 7519 §4.1.3); nil for anything else.
func (f *foreign) audience() []string {
	switch v := f.claims["aud"].(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil
			}
			out = append(out, s)
		}
		return out
	default:
		return nil
	}
}

// date is a NumericDate (RFC 7519 §2). given says that the claim is there; a claim that is no date is an error.
func (f *foreign) date(name string) (at time.Time, given bool, err error) {
	v, given := f.claims[name]
	if !given {
		return time.Time{}, false, nil
	}
	n, ok := v.(float64)
	if !ok || math.IsNaN(n) || n < 0 || n > 1<<40 {
		return time.Time{}, true, errForeign
	}
	whole, part := math.Modf(n)
	return time.Unix(int64(whole), int64(part*1e9)), true, nil
}

// timing is why f is not in force at now, and empty if it is: exp, nbf and iat are looked at where they are given, with
// skew for clocks that differ. Its end comes back; the zero time is none.
func (f *foreign) timing(now time.Time) (ends time.Time, problem string) {
	ends, given, err := f.date("exp")
	switch {
	case err != nil:
		return ends, "exp is no time"
	case given && !now.Before(ends.Add(skew)):
		return ends, "it has expired"
	}
	for _, name := range []string{"nbf", "iat"} {
		at, given, err := f.date(name)
		switch {
		case err != nil:
			return ends, name + " is no time"
		case given && at.After(now.Add(skew)):
			return ends, name + " lies ahead"
		}
	}
	return ends, ""
}

// isType says whether the header typ is absent, JWT, or one of allowed, in any case and with or without "application/"
// (RFC 7515 §4.1.9). A statement of one kind never passes for one of another (RFC 8725 §3.11).
func (f *foreign) isType(allowed ...string) bool {
	typ := strings.TrimPrefix(strings.ToLower(f.typ), "application/")
	return f.typ == "" || typ == "jwt" || slices.Contains(allowed, typ)
}

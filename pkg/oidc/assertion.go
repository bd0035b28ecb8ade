// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/grant"
	"github.com/lychgate/lychgate/pkg/keys"
)

const (
	// assertionType is the one value of client_assertion_type (RFC 7523 §2.2).
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	// maxAssertionLife is how far ahead an assertion may end; its id is remembered proofMargin longer (decisions.md).
	maxAssertionLife = 5 * time.Minute
	proofMargin      = time.Minute
	maxID            = 255
	// minHMACKey is the least size of a secret that signs with HS256 (RFC 7518 §3.2).
	minHMACKey = 32
)

// assertionAlgs are the algorithms of client assertions.
func assertionAlgs() []string { return append(keys.Algs(), client.SecretAlgs()...) }

// shownAssertion reads a client assertion. Who sent it stands in its sub, which client_id must not contradict (RFC 7521
// §4.2). Its algorithm says which of the two methods it is, so that a public key never counts as a secret.
func shownAssertion(form url.Values) (credentials, string) {
	if form.Get("client_assertion_type") != assertionType {
		return credentials{}, "unknown client_assertion_type"
	}
	f, err := readForeign(form.Get("client_assertion"), maxJWT, assertionAlgs())
	if err != nil {
		return credentials{}, "assertion: " + err.Error()
	}
	c := credentials{method: client.AuthKeyJWT, id: f.text("sub"), assertion: f}
	if strings.HasPrefix(f.alg, "HS") {
		c.method = client.AuthSecretJWT
	}
	if id := form.Get("client_id"); c.id == "" || bad(c.id) || (id != "" && id != c.id) {
		return credentials{}, "assertion is of another client than client_id"
	}
	return c, ""
}

// checkAssertion says what is wrong with an assertion that c, which registered its method, sent to the endpoint at path
// (RFC 7523 §3, OIDC Core §9); empty: nothing. The error is one of a store or a source that cannot answer now. Its id is
// used up last: an assertion that is refused does not use up that of a good one.
func (p *Provider) checkAssertion(ctx context.Context, c *client.Client, f *foreign, path string) (string, error) {
	if problem := p.assertionProblem(c, f, path); problem != "" {
		return problem, nil
	}
	good, err := p.assertionSigned(ctx, c, f)
	switch {
	case err != nil:
		return "", err
	case !good:
		return "assertion: no key of the client made the signature", nil
	}
	ends, _ := f.timing(p.now())
	err = p.cfg.Proofs.Spend(ctx, c.ID, f.text("jti"), ends.Add(proofMargin).Sub(p.now()))
	if errors.Is(err, grant.ErrReplay) {
		return "assertion: used before", nil
	}
	return "", err
}

func (p *Provider) assertionProblem(c *client.Client, f *foreign, path string) string {
	ends, problem := f.timing(p.now())
	switch {
	case c.AuthAlg != "" && f.alg != c.AuthAlg:
		return "assertion: not the registered algorithm"
	case !f.isType("client-authentication+jwt"):
		return "assertion: a token of another type"
	case f.text("iss") != c.ID || f.text("sub") != c.ID:
		return "assertion: iss and sub are not the client"
	case !p.isRecipient(f.audience(), path):
		return "assertion: for another recipient"
	case c.StrictAudience && f.text("aud") != p.cfg.Issuer:
		// A list, or the address of an endpoint, could be meant for another server too.
		return "assertion: not for the issuer alone"
	case problem != "":
		return "assertion: " + problem
	case ends.IsZero():
		return "assertion: no exp"
	case ends.After(p.now().Add(maxAssertionLife + skew)):
		return "assertion: exp lies too far ahead"
	case f.text("jti") == "" || len(f.text("jti")) > maxID:
		return "assertion: no jti"
	}
	return ""
}

// isRecipient says whether an assertion for aud may be used at path: aud is one value, the issuer or the address of the
// token endpoint or of the endpoint at hand (RFC 7523 §3, RFC 9126 §2). With a second recipient, that one could use it.
func (p *Provider) isRecipient(aud []string, path string) bool {
	good := []string{p.cfg.Issuer, p.cfg.Issuer + "/token"}
	if slices.Contains([]string{"/introspect", "/revoke", "/par"}, path) {
		good = append(good, p.cfg.Issuer+path)
	}
	return len(aud) == 1 && slices.Contains(good, aud[0])
}

func (p *Provider) assertionSigned(ctx context.Context, c *client.Client, f *foreign) (bool, error) {
	if c.AuthMethod == client.AuthKeyJWT {
		return p.signedBy(ctx, c, f)
	}
	return p.signedSecret(c, f) != nil, nil
}

// signedSecret is the secret in force that an assertion was signed with; nil: none.
func (p *Provider) signedSecret(c *client.Client, f *foreign) *client.Secret {
	for i, s := range c.Secrets {
		if !s.Ended(p.now()) && len(s.Plain) >= minHMACKey && f.verifiedBy([]byte(s.Plain)) {
			return &c.Secrets[i]
		}
	}
	return nil
}

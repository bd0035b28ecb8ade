// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/go-jose/go-jose/v4"

	"github.com/lychgate/lychgate/pkg/keys"
)

// Statements are the issuers whose software statements count (RFC 7591 §2.3), with their public keys.
type Statements map[string][]jose.JSONWebKey

// ParseStatements reads a JSON object from issuers to their key sets.
func ParseStatements(raw []byte) (Statements, error) {
	var sets map[string]json.RawMessage
	if err := json.Unmarshal(raw, &sets); err != nil {
		return nil, fmt.Errorf("not a JSON object from issuers to key sets: %w", err)
	}
	out := Statements{}
	for issuer, set := range sets {
		list, err := keys.PublicSet(set)
		if err != nil {
			return nil, fmt.Errorf("issuer %s: its key set %w", issuer, err)
		}
		out[issuer] = list
	}
	return out, nil
}

// members are those of a JSON object; none of what is not one, which is refused where it is read.
func members(raw []byte) map[string]json.RawMessage {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil
	}
	return all
}

// withStatement lets what a trusted issuer has signed count before what the client says of itself, and returns the
// statement. A statement of nobody who is trusted is refused: leaving it out would promise what is not kept.
func (p *Provider) withStatement(raw []byte) (merged []byte, statement string, f *fault) {
	all := members(raw)
	if len(p.cfg.Statements) == 0 || all["software_statement"] == nil {
		return raw, "", nil
	}
	if json.Unmarshal(all["software_statement"], &statement) != nil {
		return nil, "", newFault(codeStatement, "not a string")
	}
	signed, err := readForeign(statement, maxJWT, keys.Algs())
	if err != nil {
		return nil, "", wrapFault(codeStatement, err)
	}
	set, trusted := p.cfg.Statements[signed.text("iss")]
	if !trusted {
		return nil, "", newFault(codeUnapproved, "issuer is not trusted")
	}
	if _, problem := signed.timing(p.now()); problem != "" || !signed.verifiedByOne(set) {
		return nil, "", newFault(codeStatement, "not signed by its issuer, or "+problem)
	}
	delete(all, "software_statement")
	out := map[string]any{}
	for name, v := range all {
		out[name] = v
	}
	maps.Copy(out, signed.claims)
	for _, name := range []string{"iss", "iat", "exp", "nbf", "jti", "aud", "sub"} {
		// These are of the statement itself.
		delete(out, name)
	}
	if merged, err = json.Marshal(out); err != nil {
		return nil, "", wrapFault(codeStatement, err)
	}
	return merged, statement, nil
}

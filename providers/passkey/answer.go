// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"

	"github.com/go-webauthn/webauthn/protocol"
)

const (
	// maxAnswer bounds what a browser may answer; a long RSA key with a chain of certificates is under half of it.
	maxAnswer = 16 << 10
	// maxTransports bounds the list of a new key.
	maxTransports = 16
)

// answer is the JSON that passkey.js posts: no more than is needed of PublicKeyCredential.toJSON(). Its fields are
// strings and one list of strings, so that nothing in it can nest.
type answer struct {
	ID       string   `json:"id"`
	Type     string   `json:"type"`
	Response response `json:"response"`
}

type response struct {
	ClientData  string   `json:"clientDataJSON"`
	Attestation string   `json:"attestationObject"`
	Transports  []string `json:"transports"`
	AuthData    string   `json:"authenticatorData"`
	Signature   string   `json:"signature"`
	UserHandle  string   `json:"userHandle"`
}

// parseAnswer reads what was posted; ok is false for anything that our page does not send.
func parseAnswer(text string) (a answer, ok bool) {
	if text == "" || len(text) > maxAnswer {
		return answer{}, false
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(&a) != nil {
		return answer{}, false
	}
	if _, err := d.Token(); err != io.EOF {
		return answer{}, false
	}
	return a, true
}

// parseAssertion reads the answer to the question for a key that is set up.
func parseAssertion(text string) (*protocol.ParsedCredentialAssertionData, bool) {
	a, ok := parseAnswer(text)
	if !ok || a.Response.Attestation != "" || a.Response.Transports != nil {
		return nil, false
	}
	r, b := a.Response, decoder{}
	raw := protocol.CredentialAssertionResponse{
		PublicKeyCredential: a.credential(&b),
		AssertionResponse: protocol.AuthenticatorAssertionResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: b.bytes(r.ClientData)},
			AuthenticatorData:     b.bytes(r.AuthData), Signature: b.bytes(r.Signature), UserHandle: b.bytes(r.UserHandle),
		},
	}
	if b.bad {
		return nil, false
	}
	parsed, err := raw.Parse()
	if err != nil {
		return nil, false
	}
	return parsed, true
}

// parseCreation reads the answer to the question for a new key.
func parseCreation(text string) (*protocol.ParsedCredentialCreationData, bool) {
	a, ok := parseAnswer(text)
	if !ok || a.Response.AuthData != "" || a.Response.Signature != "" || a.Response.UserHandle != "" ||
		len(a.Response.Transports) > maxTransports {
		return nil, false
	}
	r, b := a.Response, decoder{}
	raw := protocol.CredentialCreationResponse{
		PublicKeyCredential: a.credential(&b),
		AttestationResponse: protocol.AuthenticatorAttestationResponse{
			AuthenticatorResponse: protocol.AuthenticatorResponse{ClientDataJSON: b.bytes(r.ClientData)},
			AttestationObject:     b.bytes(r.Attestation), Transports: r.Transports,
		},
	}
	if b.bad {
		return nil, false
	}
	parsed, err := raw.Parse()
	if err != nil {
		return nil, false
	}
	return parsed, true
}

func (a answer) credential(b *decoder) protocol.PublicKeyCredential {
	return protocol.PublicKeyCredential{
		Credential: protocol.Credential{ID: a.ID, Type: a.Type}, RawID: b.bytes(a.ID),
	}
}

// decoder reads base64url and remembers whether any of it was none.
type decoder struct{ bad bool }

func (d *decoder) bytes(s string) []byte {
	// Strict takes one spelling of each value; the line breaks that it would skip are refused.
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		d.bad = true
	}
	return b
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// timeout is how long a browser waits for its owner, in milliseconds. The flow ends by itself after 10 minutes.
	timeout = 60_000
	// maxName is how much of a name an authenticator has to keep (WebAuthn §6.4.1).
	maxName = 64
)

// descriptor names a key that the account has.
type descriptor struct {
	Type       string   `json:"type"`
	ID         string   `json:"id"`
	Transports []string `json:"transports,omitempty"`
}

// requestOptions are PublicKeyCredentialRequestOptionsJSON (WebAuthn §5.1.9).
type requestOptions struct {
	Challenge        string       `json:"challenge"`
	RPID             string       `json:"rpId"`
	Allow            []descriptor `json:"allowCredentials"`
	UserVerification string       `json:"userVerification"`
	Timeout          int          `json:"timeout"`
}

// creationOptions are PublicKeyCredentialCreationOptionsJSON (WebAuthn §5.1.8).
type creationOptions struct {
	Challenge   string       `json:"challenge"`
	RP          entity       `json:"rp"`
	User        entity       `json:"user"`
	Parameters  []parameter  `json:"pubKeyCredParams"`
	Exclude     []descriptor `json:"excludeCredentials"`
	Selection   selection    `json:"authenticatorSelection"`
	Attestation string       `json:"attestation"`
	Timeout     int          `json:"timeout"`
}

type entity struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
}

type parameter struct {
	Type string `json:"type"`
	Alg  int    `json:"alg"`
}

type selection struct {
	ResidentKey      string `json:"residentKey"`
	UserVerification string `json:"userVerification"`
}

// verification: "discouraged" breaks some phones, "required" locks out keys without a PIN; the password was given.
const verification = "preferred"

func (s site) requestOptions(challenge []byte, keys []record) (string, error) {
	return encodeOptions(requestOptions{
		Challenge: encode(challenge), RPID: s.id, Allow: descriptors(keys), UserVerification: verification, Timeout: timeout,
	})
}

// creationOptions asks for a new key. Resident keys are preferred: only those are kept by the password managers of
// phones, and survive the phone. A security key without room for one makes the other sort, which does as well here.
func (s site) creationOptions(a authn.Attempt, challenge []byte, have []record) (string, error) {
	service, name := clean(a.Issuer), clean(a.AccountName)
	if name == "" {
		name = clean(a.Account.Name)
	}
	o := creationOptions{
		Challenge: encode(challenge), RP: entity{ID: s.id, Name: service},
		User:    entity{ID: encode(handle(a.Account.ID)), Name: name, DisplayName: name},
		Exclude: descriptors(have), Selection: selection{ResidentKey: "preferred", UserVerification: verification},
		Attestation: "none", Timeout: timeout,
	}
	for _, alg := range algorithms() {
		o.Parameters = append(o.Parameters, parameter{Type: "public-key", Alg: int(alg)})
	}
	return encodeOptions(o)
}

func encodeOptions(o any) (string, error) {
	b, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("write options: %w", err)
	}
	return string(b), nil
}

func descriptors(keys []record) []descriptor {
	list := []descriptor{}
	for _, k := range keys {
		list = append(list, descriptor{Type: "public-key", ID: encode(k.ID), Transports: k.Transports})
	}
	return list
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// clean makes one short line of a name, without control characters or marks that turn the direction of what follows:
// authenticators show it, some of them with room for a few words.
func clean(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(name, ""))
	name = strings.Join(strings.Fields(name), " ")
	if len(name) <= maxName {
		return name
	}
	return strings.TrimSpace(strings.ToValidUTF8(name[:maxName], ""))
}

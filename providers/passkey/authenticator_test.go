// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/lychgate/lychgate/pkg/idptest"
)

// The flags of authenticator data (WebAuthn §6.1).
const (
	present  = 0x01
	verified = 0x04
	eligible = 0x08
	backedUp = 0x10
	attested = 0x40
)

// key is an authenticator in software with one ES256 key.
type key struct {
	private *ecdsa.PrivateKey
	id      []byte
	user    string
	count   uint32
	// counts says by how much the counter rises; flags are those of each answer.
	counts uint32
	flags  byte
}

func newKey(t *testing.T) *key {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k := &key{private: private, id: make([]byte, 32), counts: 1, flags: present | verified}
	if _, err := rand.Read(k.id); err != nil {
		t.Fatal(err)
	}
	return k
}

// options are what a page asks of navigator.credentials.
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"`
	RP        struct {
		ID, Name string
	} `json:"rp"`
	User struct {
		ID, Name string
	} `json:"user"`
	Allow, Exclude []struct {
		ID string `json:"id"`
	}
	Attestation string `json:"attestation"`
}

// asked reads the options off a page.
func asked(t *testing.T, page *idptest.Page) options {
	t.Helper()
	var raw struct {
		options

		AllowCredentials, ExcludeCredentials []struct {
			ID string `json:"id"`
		}
	}
	text := page.Find("form[data-passkey]").AttrOr("data-options", "")
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		t.Fatalf("options %q on %q at %s (alert %q): %v", text, page.H1(), page.URL, page.Alert(), err)
	}
	o := raw.options
	o.Allow, o.Exclude = raw.AllowCredentials, raw.ExcludeCredentials
	if o.RPID == "" {
		o.RPID = o.RP.ID
	}
	return o
}

// ceremony is one answer before it is signed; tests turn it into what an attacker would send.
type ceremony struct {
	kind, challenge, origin, rpID, user string
	id                                  []byte
	flags                               byte
	count                               uint32
	cose                                map[int]any
	// signature and authData change what is sent after it was signed.
	signature, authData func([]byte) []byte
	crossOrigin         bool
}

type change = func(*ceremony)

func (k *key) begin(page *idptest.Page, o options) ceremony {
	k.count += k.counts
	same := func(b []byte) []byte { return b }
	return ceremony{
		challenge: o.Challenge, origin: page.URL.Scheme + "://" + page.URL.Host, rpID: o.RPID, user: k.user, id: k.id,
		flags: k.flags, count: k.count, signature: same, authData: same,
		cose: map[int]any{1: 2, 3: -7, -1: 1, -2: k.private.X.FillBytes(make([]byte, 32)), -3: k.private.Y.FillBytes(make([]byte, 32))},
	}
}

func (c ceremony) clientData(t *testing.T) []byte {
	t.Helper()
	return marshal(t, map[string]any{"type": c.kind, "challenge": c.challenge, "origin": c.origin, "crossOrigin": c.crossOrigin})
}

func (c ceremony) data() []byte {
	hash := sha256.Sum256([]byte(c.rpID))
	return binary.BigEndian.AppendUint32(append(hash[:], c.flags), c.count)
}

// create answers a set-up page.
func (k *key) create(t *testing.T, page *idptest.Page, changes ...change) string {
	t.Helper()
	o := asked(t, page)
	k.user = o.User.ID
	c := k.begin(page, o)
	c.kind, c.flags = "webauthn.create", c.flags|attested
	for _, f := range changes {
		f(&c)
	}
	cose := encode(t, c.cose)
	data := c.data()
	if c.flags&attested != 0 {
		data = slices.Concat(data, make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(c.id))), c.id, cose)
	}
	object := encode(t, map[string]any{"fmt": "none", "attStmt": map[string]any{}, "authData": c.authData(data)})
	return string(marshal(t, map[string]any{"id": text(c.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": text(c.clientData(t)), "attestationObject": text(object), "transports": []string{"usb", "telepathy", "usb"},
	}}))
}

// get answers a page that asks for a key.
func (k *key) get(t *testing.T, page *idptest.Page, changes ...change) string {
	t.Helper()
	c := k.begin(page, asked(t, page))
	c.kind = "webauthn.get"
	for _, f := range changes {
		f(&c)
	}
	client, data := c.clientData(t), c.authData(c.data())
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return string(marshal(t, map[string]any{"id": text(c.id), "type": "public-key", "response": map[string]any{
		"clientDataJSON": text(client), "authenticatorData": text(data), "signature": text(c.signature(signature)), "userHandle": c.user,
	}}))
}

func text(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func marshal(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	mode, err := cbor.CTAP2EncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	b, err := mode.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

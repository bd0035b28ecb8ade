// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// version is that of the form of a record.
	version = 1
	// maxID is the longest credential id (WebAuthn §4), maxKey holds a COSE key of RSA with 8192 bits.
	maxID  = 1023
	maxKey = 1200
	// maxRecord bounds what is read before it is decoded.
	maxRecord = 4 << 10
)

// transports are the ways to reach an authenticator that are kept; a browser may name others.
func transports() []string {
	return []string{"usb", "nfc", "ble", "smart-card", "hybrid", "internal"}
}

// record is what is kept of a key. It opens nothing by itself.
type record struct {
	Version int    `cbor:"1,keyasint"`
	ID      []byte `cbor:"2,keyasint"`
	// Key is the public key as COSE_Key (RFC 9053).
	Key []byte `cbor:"3,keyasint"`
	// Count is the signature counter of the last answer; keys that count nothing stay at 0.
	Count uint32 `cbor:"4,keyasint"`
	// Flags is the octet of the authenticator data: of the set-up, then of the last answer.
	Flags      uint8    `cbor:"5,keyasint"`
	Transports []string `cbor:"6,keyasint,omitempty"`
}

var errRecord = errors.New("not a record of a key")

// encode returns the record in its stored form.
func (r record) encode() ([]byte, error) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	b, err := mode.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode key: %w", err)
	}
	return b, nil
}

// decode reads a record. Anything that encode does not write is an error.
func decode(b []byte) (record, error) {
	if len(b) > maxRecord {
		return record{}, errRecord
	}
	mode, err := cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxNestedLevels: 4, MaxArrayElements: 16, MaxMapPairs: 16,
		IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden, ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		return record{}, fmt.Errorf("decode key: %w", err)
	}
	var r record
	if err := mode.Unmarshal(b, &r); err != nil {
		return record{}, errRecord
	}
	if !r.sound() {
		return record{}, errRecord
	}
	return r, nil
}

// sound says whether a record is within its bounds.
func (r record) sound() bool {
	within := func(b []byte, most int) bool { return len(b) > 0 && len(b) <= most }
	known := func(s string) bool { return slices.Contains(transports(), s) }
	for i, s := range r.Transports {
		if !known(s) || slices.Contains(r.Transports[:i], s) {
			return false
		}
	}
	return r.Version == version && within(r.ID, maxID) && within(r.Key, maxKey)
}

// records reads the account's keys. One that cannot be read is lost: to leave it out would let the person be told that
// it is not set up.
func records(list []authn.Credential) ([]record, error) {
	out := make([]record, len(list))
	for i, c := range list {
		r, err := decode(c.Secret)
		if err != nil {
			return nil, fmt.Errorf("key %s: %w", c.ID, errors.Join(authn.ErrLost, err))
		}
		out[i] = r
	}
	return out, nil
}

// method is the RFC 8176 name of the key. A key's eligibility for backup never changes (WebAuthn §6.1.3).
func (r record) method() string {
	if protocol.AuthenticatorFlags(r.Flags).HasBackupEligible() {
		return MethodSoftware
	}
	return MethodHardware
}

func (r record) same(other record) bool { return bytes.Equal(r.ID, other.ID) }

// credential returns the record as the library has it.
func (r record) credential() webauthn.Credential {
	return webauthn.Credential{
		ID: r.ID, PublicKey: r.Key, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(r.Flags)),
		Authenticator: webauthn.Authenticator{SignCount: r.Count},
	}
}

// recordOf returns what is kept of a key.
func recordOf(c *webauthn.Credential, reachable []string) record {
	r := record{
		Version: version, ID: c.ID, Key: c.PublicKey, Count: c.Authenticator.SignCount, Flags: uint8(c.Flags.ProtocolValue()),
	}
	for _, s := range reachable {
		if slices.Contains(transports(), s) && !slices.Contains(r.Transports, s) {
			r.Transports = append(r.Transports, s)
		}
	}
	return r
}

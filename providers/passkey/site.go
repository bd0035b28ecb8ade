// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package passkey

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/go-webauthn/webauthn/webauthn"

	"github.com/lychgate/lychgate/pkg/authn"
)

// site is what keys are bound to: the relying party of WebAuthn. Its id is the issuer's host without the port, and the
// issuer itself is the one origin.
type site struct {
	id    string
	party *webauthn.WebAuthn
}

// newSite returns the site of an issuer. Of an address without a host comes a site that accepts nothing. The library's
// own constructor is not used: it refuses an IP address, which browsers refuse by themselves, and fills in what the
// ceremonies begun by it need; all that the checks read is here, at its strictest.
func newSite(issuer string) site {
	cfg := &webauthn.Config{RPTopOriginVerificationMode: protocol.TopOriginExplicitVerificationMode}
	s := site{party: &webauthn.WebAuthn{Config: cfg}}
	if u, err := url.Parse(issuer); err == nil && u.Hostname() != "" {
		s.id, cfg.RPID, cfg.RPOrigins = u.Hostname(), u.Hostname(), []string{issuer}
	}
	return s
}

// algorithms are those that a new key may have, the best one first: ES256, EdDSA, RS256. Every authenticator has one.
func algorithms() []webauthncose.COSEAlgorithmIdentifier {
	return []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256}
}

// session is what the library compares an answer with.
func (s site) session(a authn.Account, challenge []byte) webauthn.SessionData {
	d := webauthn.SessionData{
		Challenge: base64.RawURLEncoding.EncodeToString(challenge), RelyingPartyID: s.id, UserID: handle(a.ID),
		UserVerification: protocol.VerificationPreferred,
	}
	for _, alg := range algorithms() {
		d.CredParams = append(d.CredParams, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: alg})
	}
	return d
}

// created checks the answer to the question for a new key and returns what is kept of it.
func (s site) created(a authn.Account, challenge []byte, made *protocol.ParsedCredentialCreationData) (record, error) {
	// What an authenticator says about its make is not asked for and never believed, so it is not read either: no
	// certificates and no formats of makers are parsed for a stranger.
	made.Response.AttestationObject.Format = string(protocol.AttestationFormatNone)
	made.Response.AttestationObject.AttStatement, made.Response.AttestationObject.SubStatements = nil, nil
	c, err := s.party.CreateCredential(holder{a, nil}, s.session(a, challenge), made)
	if err != nil {
		return record{}, refused("new key", err)
	}
	if _, err := webauthncose.ParsePublicKey(c.PublicKey); err != nil {
		return record{}, refused("new key", err)
	}
	r := recordOf(c, made.Raw.AttestationResponse.Transports)
	if !r.sound() {
		return record{}, refused("new key", errRecord)
	}
	return r, nil
}

// asserted checks the answer of a key that is set up. It returns which one it was, and its record from now on.
func (s site) asserted(a authn.Account, challenge []byte, keys []record, answer *protocol.ParsedCredentialAssertionData) (int, record, error) {
	i := slices.IndexFunc(keys, record{ID: answer.RawID}.same)
	if i < 0 || len(challenge) != challengeSize {
		return 0, record{}, refused("answer", errors.New("unknown key"))
	}
	d, h := s.session(a, challenge), holder{Account: a}
	for _, k := range keys {
		d.AllowedCredentialIDs = append(d.AllowedCredentialIDs, k.ID)
		h.keys = append(h.keys, k.credential())
	}
	c, err := s.party.ValidateLogin(h, d, answer)
	if err != nil {
		return 0, record{}, refused("answer", err)
	}
	if c.Authenticator.CloneWarning {
		// Somebody else may hold a copy of the key. Keys that count nothing answer 0 for ever, which is no warning.
		return 0, record{}, refused("answer", errors.New("signature counter did not rise"))
	}
	return i, recordOf(c, keys[i].Transports), nil
}

// refused makes an ErrRejected of whatever the library says. Its words stay inside: they are for developers.
func refused(what string, err error) error {
	return fmt.Errorf("%s: %s: %w", what, err.Error(), authn.ErrRejected)
}

// handle is what an authenticator calls the account by: not its id, which would then stand in clear in every key and
// password manager. It is no secret and opens nothing; who knows the id of an account can work it out.
func handle(account string) []byte {
	sum := sha256.Sum256([]byte("lychgate passkey user handle\x00" + account))
	return sum[:]
}

// holder is an account as the library has it.
type holder struct {
	authn.Account

	keys []webauthn.Credential
}

var _ webauthn.User = holder{}

// WebAuthnID implements webauthn.User.
func (h holder) WebAuthnID() []byte { return handle(h.ID) }

// WebAuthnName implements webauthn.User.
func (h holder) WebAuthnName() string { return h.Name }

// WebAuthnDisplayName implements webauthn.User.
func (h holder) WebAuthnDisplayName() string { return h.Name }

// WebAuthnCredentials implements webauthn.User.
func (h holder) WebAuthnCredentials() []webauthn.Credential { return h.keys }

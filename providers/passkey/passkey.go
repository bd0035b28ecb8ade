// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package passkey is the second factor of passkeys and security keys (WebAuthn): the account's key signs a challenge,
// and nothing that is kept here or sent over the wire can be used to sign in.
package passkey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// Kind is the factor's name.
	Kind = "passkey"
	// MethodHardware is the RFC 8176 name of a key that cannot leave its device.
	MethodHardware = "hwk"
	// MethodSoftware is that of one which may be copied to others of its owner (the flag "backup eligible").
	MethodSoftware = "swk"
)

const (
	// field is the name of the form field that holds what the browser answered.
	field = "passkey"
	// challengeSize is 256 bits; the standard asks for 128 at least (WebAuthn §13.4.3).
	challengeSize = 32
)

// Config is what the factor is built from.
type Config struct {
	Store authn.CredentialStore
	// Issuer is the address of the provider. It is the one origin that is accepted, and its host what keys are bound to.
	Issuer string
	// Rand makes the challenges; crypto/rand if nil.
	Rand io.Reader
}

// Factor is passkeys and security keys. It keeps nothing between calls.
type Factor struct {
	store authn.CredentialStore
	rand  io.Reader
	site  site
}

var _ authn.Enroller = (*Factor)(nil)

// New returns the factor.
func New(cfg Config) *Factor {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Factor{store: cfg.Store, rand: cfg.Rand, site: newSite(cfg.Issuer)}
}

// Kind implements authn.Factor.
func (f *Factor) Kind() string { return Kind }

// Methods implements authn.Factor.
func (f *Factor) Methods() []string { return []string{MethodHardware, MethodSoftware} }

// Challenge implements authn.Factor. Every page asks for something new; what an older page of the flow asked for can no
// longer be answered. Somebody without a key of this kind is told so, and the other ways stand on the page.
func (f *Factor) Challenge(ctx context.Context, a authn.Attempt) (authn.Prompt, error) {
	p := authn.Prompt{Page: "passkey", Values: map[string]string{"options": ""}}
	asked, err := f.ask(ctx, a)
	if errors.Is(err, authn.ErrRejected) {
		return p, nil
	}
	if err != nil {
		return authn.Prompt{}, err
	}
	keys, err := records(asked.Credentials)
	if err != nil {
		return authn.Prompt{}, err
	}
	p.Values["options"], err = f.site.requestOptions(asked.Challenge, keys)
	return p, err
}

// Verify implements authn.Factor. There is no guess to charge: a wrong signature tells nothing about the right one. What
// cannot be an answer is refused before anything is read. The challenge is spent in the step that writes the evidence,
// so that one answer is accepted once, in the flow that asked.
func (f *Factor) Verify(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	answer, ok := parseAssertion(form.Get(field))
	if !ok {
		return authn.Evidence{}, authn.ErrRejected
	}
	a.Kind, a.Authenticator = Kind, ""
	asked, err := f.store.Asked(ctx, a)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("read challenge: %w", err)
	}
	keys, err := records(asked.Credentials)
	if err != nil {
		return authn.Evidence{}, err
	}
	i, moved, err := f.site.asserted(a.Account, asked.Challenge, keys, answer)
	if err != nil {
		return authn.Evidence{}, err
	}
	secret, err := moved.encode()
	if err != nil {
		return authn.Evidence{}, err
	}
	e, err := f.store.Prove(ctx, a, authn.Answer{
		Method: moved.method(), Credential: asked.Credentials[i].ID, Secret: secret, Asked: asked,
	})
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("spend challenge: %w", err)
	}
	return e, nil
}

// Begin implements authn.Enroller. The challenge is the flow's pending set-up: a reload asks for the same one, and an
// answer to it makes one set-up live at most.
func (f *Factor) Begin(ctx context.Context, a authn.Attempt) (authn.Prompt, error) {
	fresh, err := f.challenge()
	if err != nil {
		return authn.Prompt{}, err
	}
	a.Kind = Kind
	challenge, err := f.store.Begin(ctx, a, fresh)
	if err != nil {
		return authn.Prompt{}, fmt.Errorf("begin set-up: %w", err)
	}
	if len(challenge) != challengeSize {
		return authn.Prompt{}, fmt.Errorf("pending challenge of %d bytes: %w", len(challenge), authn.ErrLost)
	}
	have, err := f.have(ctx, a)
	if err != nil {
		return authn.Prompt{}, err
	}
	options, err := f.site.creationOptions(a, challenge, have)
	if err != nil {
		return authn.Prompt{}, err
	}
	return authn.Prompt{Page: "passkey-setup", Values: map[string]string{"options": options}}, nil
}

// Confirm implements authn.Enroller. A key that the account has already is refused: removing it would leave its double.
func (f *Factor) Confirm(ctx context.Context, a authn.Attempt, form url.Values) (authn.Evidence, error) {
	made, ok := parseCreation(form.Get(field))
	if !ok {
		return authn.Evidence{}, authn.ErrRejected
	}
	a.Kind = Kind
	challenge, _, err := f.store.Pending(ctx, a)
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("read set-up: %w", err)
	}
	key, err := f.site.created(a.Account, challenge, made)
	if err != nil {
		return authn.Evidence{}, err
	}
	have, err := f.have(ctx, a)
	if err != nil {
		return authn.Evidence{}, err
	}
	if slices.ContainsFunc(have, key.same) {
		return authn.Evidence{}, &authn.SetupError{Cause: authn.CauseOther}
	}
	secret, err := key.encode()
	if err != nil {
		return authn.Evidence{}, err
	}
	e, err := f.store.Confirm(ctx, a, authn.Enrolment{Method: key.method(), Pending: challenge, Secret: secret})
	if err != nil {
		return authn.Evidence{}, fmt.Errorf("confirm set-up: %w", err)
	}
	return e, nil
}

// have returns the keys that the account has, for a set-up beside them. The store gives them out for a challenge; this
// one is shown to nobody, so that nothing can answer it.
func (f *Factor) have(ctx context.Context, a authn.Attempt) ([]record, error) {
	if len(a.Account.OfKind(Kind)) == 0 {
		return nil, nil
	}
	asked, err := f.ask(ctx, a)
	if err != nil {
		return nil, err
	}
	return records(asked.Credentials)
}

// ask puts a new challenge into the flow.
func (f *Factor) ask(ctx context.Context, a authn.Attempt) (authn.Asked, error) {
	challenge, err := f.challenge()
	if err != nil {
		return authn.Asked{}, err
	}
	a.Kind, a.Authenticator = Kind, ""
	asked, err := f.store.Ask(ctx, a, challenge)
	if err != nil {
		return authn.Asked{}, fmt.Errorf("store challenge: %w", err)
	}
	return asked, nil
}

func (f *Factor) challenge() ([]byte, error) {
	b := make([]byte, challengeSize)
	if _, err := io.ReadFull(f.rand, b); err != nil {
		return nil, fmt.Errorf("make challenge: %w", err)
	}
	return b, nil
}

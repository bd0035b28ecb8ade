// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package providers is the list of the ways to prove who one is: type name to constructor. A new factor is one
// line in Types.
package providers

import (
	"fmt"
	"io"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/providers/passkey"
	"github.com/lychgate/lychgate/providers/recovery"
	"github.com/lychgate/lychgate/providers/totp"
)

// Config is what the factors are built from.
type Config struct {
	Credentials authn.CredentialStore
	// Issuer is the address of the provider, for factors that are bound to it.
	Issuer string
	// Rand makes the secrets; crypto/rand if nil.
	Rand io.Reader
}

// Type is a kind of factor.
type Type struct {
	// Name is what the configuration calls it.
	Name string
	New  func(Config) authn.Factor
}

// Types returns every kind of factor, the recommended one first.
func Types() []Type {
	return []Type{
		{Name: totp.Kind, New: func(c Config) authn.Factor { return totp.New(totp.Config{Store: c.Credentials, Rand: c.Rand}) }},
		{Name: passkey.Kind, New: func(c Config) authn.Factor {
			return passkey.New(passkey.Config{Store: c.Credentials, Issuer: c.Issuer, Rand: c.Rand})
		}},
		{Name: recovery.Kind, New: func(c Config) authn.Factor { return recovery.New(c.Credentials) }},
	}
}

// Factors returns the named factors in the given order, or all of them if none is named. An unknown name, or one
// that is there twice, is an error.
func Factors(c Config, names ...string) ([]authn.Factor, error) {
	types := map[string]Type{}
	var all []string
	for _, t := range Types() {
		types[t.Name] = t
		all = append(all, t.Name)
	}
	if len(names) == 0 {
		names = all
	}
	var factors []authn.Factor
	for _, name := range names {
		t, ok := types[name]
		if !ok {
			return nil, fmt.Errorf("factor %q: unknown or named twice; known are %q", name, all)
		}
		delete(types, name)
		factors = append(factors, t.New(c))
	}
	return factors, nil
}

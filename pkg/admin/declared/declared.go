// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package declared reads and writes declarative files: companies with their groups and policies, roles, scopes and
// clients, in the names of the JSON API. It knows where each entry stands, so that a problem names file and line. It
// changes nothing: pkg/admin plans and applies.
package declared

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// File is one declarative file.
type File struct {
	Name string
	Text []byte
}

// Place is where something stands.
type Place struct {
	File string
	Line int
}

// String is file:line, as editors and compilers write it.
func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Of is an entry with the places of its fields.
type Of[T any] struct {
	Value  T
	Place  Place
	fields map[string]int
}

// At is where a field of the entry stands, or the field that it is a part of (claims.name); the entry itself where that does
// not.
func (o Of[T]) At(field string) Place {
	field, _, _ = strings.Cut(field, ".")
	if line, ok := o.fields[field]; ok {
		return Place{o.Place.File, line}
	}
	return o.Place
}

// Wrap puts the place in front of each problem that err holds; nil stays nil.
func (o Of[T]) Wrap(err error) error {
	if err == nil {
		return nil
	}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range many.Unwrap() {
			out = append(out, o.Wrap(e))
		}
		return errors.Join(out...)
	}
	place := o.Place
	if f, ok := errors.AsType[*client.FieldError](err); ok {
		place = o.At(f.Field)
	}
	return fmt.Errorf("%s: %w", place, err)
}

// Client is a client as it is declared.
type Client struct {
	client.Client
	// Secret is the one that the reference client_secret leads to; empty: none was given.
	Secret string
	// Kept are the secrets of an export, as digests; they count where the client is added.
	Kept []client.Secret
}

// LogValue keeps the secret out of the logs.
func (c Client) LogValue() slog.Value { return slog.StringValue("[redacted] " + c.ID) }

// Doc is what files say together.
type Doc struct {
	Companies []Of[company.Company]
	Roles     []Of[client.Role]
	Scopes    []Of[client.Scope]
	Clients   []Of[Client]
	// Lists are the names of the lists that stand in the files, empty ones too: of these alone can be pruned.
	Lists map[string]bool
	// Problems are those of reading: a plan tells them with its own, so that all are told at once.
	Problems []error
}

// The names of the lists.
const (
	ListCompanies = "companies"
	ListRoles     = "roles"
	ListScopes    = "scopes"
	ListClients   = "clients"
)

// SecretRef says where a secret is: File or Env, one of them. A secret itself never stands in a declarative file.
type SecretRef struct {
	// File is a path whose first line is the secret; Env is the name of a variable.
	File string `json:"file,omitempty"`
	Env  string `json:"env,omitempty"`
}

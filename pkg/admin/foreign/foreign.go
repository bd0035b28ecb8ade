// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package foreign reads what other providers export: their people and their clients. It writes nothing and asks nobody;
// what it cannot take over it says, person by person and client by client.
package foreign

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/client"
)

// The products whose exports are read.
const (
	Keycloak = "keycloak"
	Auth0    = "auth0"
	Authelia = "authelia"
)

// Products are all of them.
func Products() []string { return []string{Keycloak, Auth0, Authelia} }

// What people type to sign in: the name or the e-mail address that they had.
const (
	ByUsername = "username"
	ByEmail    = "email"
)

// The bounds of an export. A part is one person, one client or one value that is passed over.
const (
	maxPart   = 1 << 20
	maxDepth  = 64
	maxPeople = 1_000_000
	maxApps   = 1000
	// maxYAML bounds a file that can be read as a whole only: about 50,000 people.
	maxYAML = 16 << 20
	// maxClaim is what the importer takes of one claim, and maxRoles of one person.
	maxClaim = 2048
	maxRole  = 64
	maxRoles = 100
	// maxAttributes is what the importer takes of attributes of the operator's own.
	maxAttributes = 50
)

// The sentinels of a file that cannot be read at all; one person who cannot be taken is a Person with a Problem.
var (
	ErrFormat = errors.New("not an export of this product")
	ErrSize   = errors.New("over the bounds of an import: 1 MiB for a person or client, 64 levels, 1,000,000 people, 1,000 clients, 16 MiB of YAML")
)

// Files are what an export consists of. They are read more than once. Main is needed.
type Files struct {
	// Main is the realm of Keycloak, the users of Auth0, the users or the configuration of Authelia.
	Main io.ReadSeeker
	// Passwords is the file of hashes that Auth0's support sends.
	Passwords io.ReadSeeker
	// TOTP and Subjects are what `authelia storage user totp export` and `identifiers export` write.
	TOTP, Subjects io.ReadSeeker
}

// Options say how an export is read.
type Options struct {
	// SignInName is ByUsername or ByEmail; empty: what is usual for the product.
	SignInName string
}

// Export is one export. Its methods can be called again; the files are read each time, so that they need not fit into
// memory.
type Export interface {
	// People calls yield for everybody in the order of the file, until it answers an error. Every other error is about the
	// file itself.
	People(yield func(Person) error) error
	// Apps returns the clients.
	Apps() ([]App, error)
}

// Open returns an export of the product. The files are not read yet, except those beside the main one.
func Open(product string, f Files, o Options) (Export, error) {
	switch o.SignInName {
	case "", ByUsername, ByEmail:
	default:
		return nil, fmt.Errorf("sign-in name: has to be %s or %s", ByUsername, ByEmail)
	}
	if product != Auth0 && f.Passwords != nil {
		return nil, fmt.Errorf("passwords: %s has them in the export itself", product)
	}
	if product != Authelia && (f.TOTP != nil || f.Subjects != nil) {
		return nil, fmt.Errorf("TOTP and subjects: files of %s alone", Authelia)
	}
	switch product {
	case Keycloak:
		return &keycloak{file: f.Main, options: o}, nil
	case Auth0:
		return openAuth0(f, o)
	case Authelia:
		return openAuthelia(f, o)
	}
	return nil, fmt.Errorf("%q: known are %v", Show(product), Products())
}

// Person is somebody in an export.
type Person struct {
	// Where is the place in the file: users[17], line 4.
	Where             string
	Username, Subject string
	// PasswordHash is argon2id or PBKDF2 in PHC form, or bcrypt; empty: there is none that could be taken. Its bounds are
	// not checked here.
	PasswordHash string
	// TOTPSecret is the key of an authenticator app; empty: none.
	TOTPSecret []byte
	// HadFactor says that there was a second factor, taken or not.
	HadFactor bool
	Claims    map[string]any
	// Attributes are what else is known of the person, for scopes of the operator's own.
	Attributes map[string]any
	Roles      []string
	Disabled   bool
	// Notes are what is not taken over.
	Notes []Note
	// LeftOut says why nobody is to be made of this; Problem what has to be mended in the file. Empty: take it.
	LeftOut string
	Problem error
}

// LogValue keeps hash and secret out of the logs.
func (p Person) LogValue() slog.Value { return slog.StringValue("[redacted] person at " + p.Where) }

// App is a client in an export.
type App struct {
	Where        string
	Registration client.Registration
	// Own says that the provider before asked people for no consent.
	Own   bool
	Notes []Note
	// LeftOut and Problem are as with Person.
	LeftOut string
	Problem error
}

// LogValue keeps the secret out of the logs.
func (a App) LogValue() slog.Value { return slog.StringValue("[redacted] client at " + a.Where) }

// note adds what is not taken over.
func (p *Person) note(field, reason string, args ...any) {
	p.Notes = append(p.Notes, Note{Field: Show(field), Reason: fmt.Sprintf(reason, args...)})
}

func (a *App) note(field, reason string, args ...any) {
	a.Notes = append(a.Notes, Note{Field: Show(field), Reason: fmt.Sprintf(reason, args...)})
}

// claim sets a claim that is there and short enough.
func (p *Person) claim(name, value string) {
	switch {
	case value == "":
	case len(value) > maxClaim:
		p.note(name, "over %d bytes", maxClaim)
	default:
		if p.Claims == nil {
			p.Claims = map[string]any{}
		}
		p.Claims[name] = value
	}
}

// verified sets a claim that says that another one, which is there, was verified.
func (p *Person) verified(name, of string, yes *bool) {
	if _, there := p.Claims[of]; there && yes != nil {
		p.Claims[name] = *yes
	}
}

// address sets the claim of that name if one of its parts is there (OIDC Core §5.1.1).
func (p *Person) address(parts map[string]string) {
	out := map[string]any{}
	for name, value := range parts {
		if value != "" && len(value) <= maxClaim {
			out[name] = value
		}
	}
	if len(out) == 0 {
		return
	}
	if p.Claims == nil {
		p.Claims = map[string]any{}
	}
	p.Claims["address"] = out
}

// attribute keeps an attribute of the operator's own: a text, or a list of texts.
func (p *Person) attribute(field, name string, values []string) {
	size := 0
	list := make([]any, 0, len(values))
	for _, v := range values {
		size += len(v)
		list = append(list, v)
	}
	if !attributeName().MatchString(name) || size > maxClaim || len(p.Attributes) >= maxAttributes {
		p.note(field, "cannot be kept: a name of 1 to 64 letters, digits, _ . or -, at most %d bytes, %d in all", maxClaim, maxAttributes)
		return
	}
	if p.Attributes == nil {
		p.Attributes = map[string]any{}
	}
	if p.Attributes[name] = any(list); len(list) == 1 {
		p.Attributes[name] = list[0]
	}
}

// attributeName is what attributes can be called.
func attributeName() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`) }

// role adds a role once.
func (p *Person) role(field, name string) {
	if slices.Contains(p.Roles, name) {
		return
	}
	if name == "" || len(name) > maxRole || Show(name) != name || strings.TrimSpace(name) != name || len(p.Roles) >= maxRoles {
		p.note(field, "%q is no role: 1 to %d bytes of text, %d in all", Show(name), maxRole, maxRoles)
		return
	}
	p.Roles = append(p.Roles, name)
}

// called sets the sign-in name: the one that was asked for, or else the usual one of the product, or what there is.
func (p *Person) called(o Options, usual, username, email string) {
	names := map[string]string{ByUsername: username, ByEmail: email}
	p.Username = names[o.SignInName]
	if o.SignInName == "" {
		p.Username = cmp.Or(names[usual], username, email)
	}
	if p.Username == "" && p.Problem == nil {
		p.Problem = fmt.Errorf("%s: is missing; it is what the person signs in with", cmp.Or(o.SignInName, usual))
	}
}

// typeProblem says which field is of the wrong type, and no more of what was read.
func typeProblem(err error) error {
	t, ok := errors.AsType[*json.UnmarshalTypeError](err)
	if !ok || t.Field == "" {
		return errors.New("not one JSON object")
	}
	what := map[reflect.Kind]string{
		reflect.String: "a text", reflect.Bool: "true or false", reflect.Slice: "a list", reflect.Map: "an object", reflect.Struct: "an object",
	}[t.Type.Kind()]
	return fmt.Errorf("%s: has to be %s", Show(t.Field), cmp.Or(what, "a whole number"))
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// auth0 is a file of users: one JSON object a line, as an export job writes it, or the list of a bulk import.
type auth0 struct {
	file    io.ReadSeeker
	options Options
	// hashes are those of the file that Auth0's support sends, by user id without its prefix; nil without that file.
	hashes map[string]string
}

// LogValue keeps the hashes out of the logs.
func (*auth0) LogValue() slog.Value { return slog.StringValue("[redacted] export of " + Auth0) }

// database begins the ids of people who have a password at Auth0.
const database = "auth0|"

func openAuth0(f Files, o Options) (Export, error) {
	a := &auth0{file: f.Main, options: o}
	if f.Passwords == nil {
		return a, nil
	}
	if err := rewind(f.Passwords); err != nil {
		return nil, err
	}
	a.hashes = map[string]string{}
	err := lines(f.Passwords, func(where string, line []byte) error {
		var h struct {
			ID struct {
				OID string `json:"$oid"`
			} `json:"_id"`
			// AltID is there where an app chose the id.
			AltID string `json:"alt_id"`
			Hash  string `json:"passwordHash"`
		}
		if err := json.Unmarshal(line, &h); err != nil {
			return fmt.Errorf("%s: %w", where, typeProblem(err))
		}
		id := h.AltID
		if id == "" {
			id = h.ID.OID
		}
		if id == "" {
			return fmt.Errorf("%s: _id.$oid: is missing: %w", where, ErrFormat)
		}
		if _, twice := a.hashes[id]; twice {
			return fmt.Errorf("%s: _id.$oid: stands there twice: %w", where, ErrFormat)
		}
		if len(a.hashes) >= maxPeople || len(id) > 255 || len(h.Hash) > 255 {
			return fmt.Errorf("%s: %w", where, ErrSize)
		}
		a.hashes[id] = strings.Clone(h.Hash)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("passwords: %w", err)
	}
	return a, nil
}

// People implements Export.
func (a *auth0) People(yield func(Person) error) error {
	if err := rewind(a.file); err != nil {
		return err
	}
	n := 0
	use := func(where string, part []byte) error {
		if n++; n > maxPeople {
			return fmt.Errorf("%s: %w", where, ErrSize)
		}
		return yield(a.person(where, part))
	}
	in := bufio.NewReaderSize(a.file, 64<<10)
	begin, err := in.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch begin = bytes.TrimSpace(begin); {
	case len(begin) == 0:
		return fmt.Errorf("the file is empty: %w", ErrFormat)
	case begin[0] == '[':
		err = newStream(in).each("users", func(where string, part json.RawMessage) error { return use(where, part) })
		return readable(err)
	case begin[0] != '{':
		return fmt.Errorf("no JSON in it; export with format json, not csv: %w", ErrFormat)
	}
	return lines(in, use)
}

// Apps implements Export.
func (*auth0) Apps() ([]App, error) {
	return nil, fmt.Errorf("clients: an export of users holds none: %w", ErrFormat)
}

// auth0User is what is read of a user: the names of an export and of a bulk import.
type auth0User struct {
	ID            string          `json:"user_id"`
	Email         string          `json:"email"`
	EmailVerified *bool           `json:"email_verified"`
	Username      string          `json:"username"`
	GivenName     string          `json:"given_name"`
	FamilyName    string          `json:"family_name"`
	Name          string          `json:"name"`
	Nickname      string          `json:"nickname"`
	Picture       string          `json:"picture"`
	Locale        string          `json:"locale"`
	Phone         string          `json:"phone_number"`
	PhoneVerified *bool           `json:"phone_verified"`
	Blocked       bool            `json:"blocked"`
	Hash          string          `json:"password_hash"`
	Custom        *auth0Hash      `json:"custom_password_hash"`
	Factors       []auth0Factor   `json:"mfa_factors"`
	Multifactor   json.RawMessage `json:"multifactor"`
	AppData       map[string]any  `json:"app_metadata"`
	UserData      map[string]any  `json:"user_metadata"`
}

// LogValue keeps hash and secrets out of the logs.
func (auth0User) LogValue() slog.Value { return slog.StringValue("[redacted] user") }

type auth0Hash struct {
	Algorithm string `json:"algorithm"`
	Hash      struct {
		Value    string `json:"value"`
		Encoding string `json:"encoding"`
	} `json:"hash"`
	Salt     json.RawMessage `json:"salt"`
	Password json.RawMessage `json:"password"`
}

// LogValue keeps the hash out of the logs.
func (auth0Hash) LogValue() slog.Value { return slog.StringValue("[redacted] hash") }

type auth0Factor struct {
	TOTP *struct {
		Secret string `json:"secret"`
	} `json:"totp"`
}

// LogValue keeps the key out of the logs.
func (auth0Factor) LogValue() slog.Value { return slog.StringValue("[redacted] factor") }

func (a *auth0) person(where string, part []byte) Person {
	p := Person{Where: where}
	var u auth0User
	if err := json.Unmarshal(part, &u); err != nil {
		p.Problem = typeProblem(err)
		return p
	}
	p.called(a.options, ByEmail, u.Username, u.Email)
	p.Subject, p.Disabled = u.ID, u.Blocked
	if u.ID != "" && !strings.Contains(u.ID, "|") {
		p.Subject = database + u.ID // a bulk import leaves the prefix out
	}
	p.claim("email", u.Email)
	p.verified("email_verified", "email", u.EmailVerified)
	p.claim("name", u.Name)
	p.claim("given_name", u.GivenName)
	p.claim("family_name", u.FamilyName)
	p.claim("nickname", u.Nickname)
	p.claim("picture", u.Picture)
	p.claim("locale", u.Locale)
	p.claim("preferred_username", u.Username)
	p.claim("phone_number", u.Phone)
	p.verified("phone_number_verified", "phone_number", u.PhoneVerified)
	a.password(&p, u)
	auth0Factors(&p, u)
	if len(u.AppData) > 0 {
		p.note("app_metadata", "is not taken over")
	}
	if len(u.UserData) > 0 {
		p.note("user_metadata", "is not taken over")
	}
	return p
}

// password takes the hash of the user, or that of the passwords file.
func (a *auth0) password(p *Person, u auth0User) {
	id, local := strings.CutPrefix(p.Subject, database)
	hash, field := u.Hash, "password_hash"
	if hash == "" && local {
		hash, field = a.hashes[id], "passwordHash"
	}
	var err error
	switch {
	case u.Custom != nil:
		field = "custom_password_hash"
		p.PasswordHash, err = u.Custom.record()
	case hash != "":
		p.PasswordHash, err = phc(hash)
	case !local && p.Subject != "":
		connection, _, _ := strings.Cut(p.Subject, "|")
		p.note("user_id", "sign-in by %q is not taken over", Show(connection))
	default:
		p.note("password", "no hash in the export: ask Auth0's support for the file of hashes")
	}
	if err != nil {
		p.note(field, "%s", err)
	}
}

// record takes what says everything about itself. A salt or a secret that stands apart is of the kinds that are not taken.
func (h auth0Hash) record() (string, error) {
	switch {
	case h.Salt != nil || h.Password != nil:
		return "", errHashKind
	case h.Algorithm != "bcrypt" && h.Algorithm != "argon2" && h.Algorithm != "pbkdf2":
		return "", errHashKind
	case h.Hash.Encoding != "" && h.Hash.Encoding != "utf8":
		return "", errHashForm
	}
	return phc(h.Hash.Value)
}

// auth0Factors takes the first authenticator app that can be taken.
func auth0Factors(p *Person, u auth0User) {
	for i, f := range u.Factors {
		p.HadFactor = true
		field := fmt.Sprintf("mfa_factors[%d]", i)
		if f.TOTP == nil {
			p.note(field, "a factor of a kind that is not taken over")
			continue
		}
		key, err := totpText(f.TOTP.Secret)
		switch {
		case err != nil:
			p.note(field, "authenticator app: %s", err)
		case p.TOTPSecret != nil:
			p.note(field, "another authenticator app; one is taken")
		default:
			p.TOTPSecret = key
		}
	}
	if m := bytes.TrimSpace(u.Multifactor); len(u.Factors) == 0 && len(m) > 2 && !bytes.Equal(m, []byte("null")) {
		p.HadFactor = true
		p.note("multifactor", "the second factor is not in the export; the person sets up anew")
	}
}

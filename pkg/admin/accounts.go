// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
)

// Entry is one line of an import (JSON), or one account to add.
type Entry struct {
	Username string `json:"username"`
	Company  string `json:"company,omitempty"`
	// Subject is the sub to keep from the provider before; empty: a new one.
	Subject string `json:"sub,omitempty"`
	// Password or PasswordHash (argon2id or PBKDF2 in PHC form, or bcrypt): one of them.
	Password     string `json:"password,omitempty"`
	PasswordHash string `json:"password_hash,omitempty"`
	// TOTPSecret is Base32; empty: not enrolled.
	TOTPSecret string         `json:"totp_secret,omitempty"`
	Claims     map[string]any `json:"claims,omitempty"`
	// Attributes are the operator's own, for scopes to map: texts, numbers, booleans, lists of texts.
	Attributes map[string]any `json:"attributes,omitempty"`
	Roles      []string       `json:"roles,omitempty"`
	// Groups are ids of groups of the company. Admin is "company" or "it"; empty: none.
	Groups   []string        `json:"groups,omitempty"`
	Admin    authn.AdminRole `json:"admin,omitempty"`
	Disabled bool            `json:"disabled,omitempty"`
}

// The bounds of an import.
const (
	maxLine    = 64 << 10
	maxEntries = 1_000_000
)

// Add creates one account.
func (o *Office) Add(ctx context.Context, e Entry) (authn.Account, error) {
	n, err := o.check(ctx, e)
	if err != nil {
		return authn.Account{}, err
	}
	if n.PasswordRecord == "" {
		if n.PasswordRecord, err = o.record(ctx, e.Username, e.Password); err != nil {
			return authn.Account{}, err
		}
	}
	a, err := o.Accounts.Create(ctx, n)
	if errors.Is(err, authn.ErrExists) {
		return a, fmt.Errorf("username: %q %w", e.Username, err)
	}
	return a, err
}

// Import creates an account for every line of r. The whole file is checked before anything is written: bad lines,
// names and subs that stand twice or exist, each with the line's number. It answers how many were
// written; if the store fails half way, running the rest again is safe, since names that exist are refused.
func (o *Office) Import(ctx context.Context, r io.Reader) (int, error) {
	entries, problems := o.readImport(ctx, r)
	if len(problems) > 0 {
		return 0, fmt.Errorf("nothing was imported:\n%w", errors.Join(problems...))
	}
	for i, e := range entries {
		if _, err := o.Add(ctx, e); err != nil {
			return i, fmt.Errorf("%s: %w; %d accounts before it were imported", e.Username, err, i)
		}
	}
	return len(entries), nil
}

func (o *Office) readImport(ctx context.Context, r io.Reader) ([]Entry, []error) {
	var entries []Entry
	var problems []error
	names := map[string]int{}
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 4096), maxLine)
	line := 0
	for scan.Scan() {
		line++
		text := bytes.TrimSpace(scan.Bytes())
		if len(text) == 0 {
			continue
		}
		e, err := o.readLine(ctx, text, names, line)
		if err != nil {
			problems = append(problems, fmt.Errorf("line %d: %w", line, err))
			continue
		}
		if entries = append(entries, e); len(entries) > maxEntries {
			return nil, []error{fmt.Errorf("line %d: over %d accounts; split the file", line, maxEntries)}
		}
	}
	if err := scan.Err(); err != nil {
		problems = append(problems, fmt.Errorf("line %d: %w (a line holds at most %d bytes)", line+1, err, maxLine))
	}
	return entries, problems
}

func (o *Office) readLine(ctx context.Context, text []byte, names map[string]int, line int) (Entry, error) {
	var e Entry
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&e); err != nil {
		return e, fmt.Errorf("not one JSON object of the known fields: %w", err)
	}
	if dec.More() {
		return e, errors.New("more than one JSON object")
	}
	n, err := o.check(ctx, e)
	if err != nil {
		return e, err
	}
	if first, twice := names[n.Name]; twice {
		return e, fmt.Errorf("username: %q stands in line %d already", e.Username, first)
	}
	names[n.Name] = line
	if _, err = o.Accounts.ByName(ctx, n.Name); !errors.Is(err, authn.ErrNotFound) {
		return e, taken("username", e.Username, err)
	}
	if e.Subject == "" {
		return e, nil
	}
	// No name begins with a blank: both can stand in one map.
	if first, twice := names[" "+e.Subject]; twice {
		return e, fmt.Errorf("sub: %q stands in line %d already", e.Subject, first)
	}
	names[" "+e.Subject] = line
	if _, err = o.Accounts.ByID(ctx, e.Subject); !errors.Is(err, authn.ErrNotFound) {
		return e, taken("sub", e.Subject, err)
	}
	return e, nil
}

// taken is the answer to a name or sub that was found, or could not be looked up.
func taken(field, value string, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s: %q %w", field, value, authn.ErrExists)
}

// check says what is wrong with an entry. It hashes nothing, so that a whole file is checked in no time.
func (o *Office) check(ctx context.Context, e Entry) (authn.NewAccount, error) {
	var problems []error
	name, err := o.Passwords.Canonical(e.Username)
	if err != nil {
		problems = append(problems, fmt.Errorf("username: %w", err))
	}
	switch {
	case (e.Password == "") == (e.PasswordHash == ""):
		problems = append(problems, errors.New("password: give password or password_hash, one of them"))
	case e.PasswordHash != "":
		if err := o.Passwords.CheckRecord(e.PasswordHash); err != nil {
			problems = append(problems, fmt.Errorf("password_hash: %w", err))
		}
	default:
		if err := o.Passwords.CheckPassword(e.Password, nameWords(e.Username)...); err != nil {
			problems = append(problems, fmt.Errorf("password: %w", err))
		}
	}
	secret, err := decodeSecret(e.TOTPSecret)
	if err != nil {
		problems = append(problems, err)
	}
	if !ascii(e.Subject) || len(e.Subject) > 255 {
		problems = append(problems, errors.New("sub: at most 255 ASCII characters"))
	}
	problems = append(problems, checkClaims(e.Claims)...)
	problems = append(problems, checkAttributes(e.Attributes)...)
	problems = append(problems, checkAdmin(e.Admin, e.Company)...)
	if e.Company != "" {
		if _, err := o.Companies.Company(ctx, e.Company); err != nil {
			problems = append(problems, fmt.Errorf("company: %q: %w; add it with `lychgate company add`", e.Company, err))
		}
	}
	if err := errors.Join(problems...); err != nil {
		return authn.NewAccount{}, err
	}
	state := authn.Active
	if e.Disabled {
		state = authn.Disabled
	}
	return authn.NewAccount{
		ID: e.Subject, Company: e.Company, State: state, Name: name, PasswordRecord: e.PasswordHash, TOTPSecret: secret,
		Profile: authn.Profile{Name: e.Username, Claims: e.Claims, Attributes: e.Attributes, Roles: e.Roles, Groups: e.Groups, Admin: e.Admin, Created: o.Now().Unix()},
	}, nil
}

// The bounds of attributes.
const (
	maxAttributes = 50
	maxAttribute  = 2048
)

// checkAttributes says what is wrong with attributes of the operator's own.
func checkAttributes(attributes map[string]any) []error {
	if len(attributes) > maxAttributes {
		return []error{fieldf("attributes", "can have %d entries at most", maxAttributes)}
	}
	var problems []error
	for name, value := range attributes {
		if !regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$`).MatchString(name) {
			problems = append(problems, fieldf("attributes", "a name must be 1 to 64 letters, digits, _ . or -, the first a letter"))
			continue
		}
		if !plain(value) {
			problems = append(problems, fieldf("attributes", "%s must be a text, a number, true or false, or a list of texts, at most %d bytes", name, maxAttribute))
		}
	}
	return problems
}

func plain(value any) bool {
	switch v := value.(type) {
	case bool, float64:
		return true
	case string:
		return len(v) <= maxAttribute
	case []any:
		size := 0
		for _, x := range v {
			s, ok := x.(string)
			if size += len(s); !ok || size > maxAttribute {
				return false
			}
		}
		return true
	default:
		return false
	}
}

// checkAdmin says what is wrong with what an account is to administrate.
func checkAdmin(role authn.AdminRole, company string) []error {
	switch role {
	case authn.AdminNone, authn.AdminIT:
		return nil
	case authn.AdminCompany:
		if company == "" {
			return []error{fieldf("admin", "company needs the account to be of a company")}
		}
		return nil
	default:
		return []error{fieldf("admin", "must be company, it, or nothing")}
	}
}

// decodeSecret reads a Base32 key as people and apps write it: any case, blanks, dashes, padding.
func decodeSecret(s string) ([]byte, error) {
	if s == "" {
		return nil, nil
	}
	clean := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(s))
	b, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(clean)
	if err != nil {
		return nil, errors.New("totp_secret: not Base32 (letters A to Z and digits 2 to 7)")
	}
	if len(b) < 20 || len(b) > 64 {
		return nil, errors.New("totp_secret: 20 to 64 bytes are needed (RFC 4226 §4 recommends 160 bits)")
	}
	return b, nil
}

func ascii(s string) bool {
	for _, c := range []byte(s) {
		if c < 0x21 || c > 0x7e {
			return false
		}
	}
	return true
}

// checkClaims refuses what is no standard claim (OIDC Core §5.1) or not of its type: relying parties crash on
// "email_verified": "true".
func checkClaims(claims map[string]any) []error {
	var problems []error
	for name, value := range claims {
		kind, known := claimKinds()[name]
		if !known {
			problems = append(problems, fieldf("claims."+name, "is no standard claim of OpenID Connect Core §5.1"))
			continue
		}
		if !fits(kind, value) {
			problems = append(problems, fieldf("claims."+name, "has to be %s", kind))
		}
	}
	return problems
}

func claimKinds() map[string]string {
	kinds := map[string]string{
		"email_verified": "true or false", "phone_number_verified": "true or false",
		"updated_at": "a number of seconds", "address": "an object of strings",
	}
	for _, name := range []string{
		"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username",
		"profile", "picture", "website", "email", "gender", "birthdate", "zoneinfo", "locale", "phone_number",
	} {
		kinds[name] = "a text that is not empty"
	}
	return kinds
}

func fits(kind string, value any) bool {
	switch v := value.(type) {
	case bool:
		return kind == "true or false"
	case float64:
		return kind == "a number of seconds" && v >= 0
	case string:
		return kind == "a text that is not empty" && v != "" && len(v) <= 2048
	case map[string]any:
		for _, part := range v {
			if s, ok := part.(string); !ok || s == "" {
				return false
			}
		}
		return kind == "an object of strings"
	default:
		return false
	}
}

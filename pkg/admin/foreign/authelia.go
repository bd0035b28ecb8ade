// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"regexp"

	"go.yaml.in/yaml/v3"
)

// authelia is a file of users or a configuration, or one file that is both.
type authelia struct {
	main    autheliaMain
	options Options
	// totp are the authenticator apps by user name, subjects the subs.
	totp     map[string][]autheliaTOTP
	subjects map[string]string
}

// LogValue keeps the keys out of the logs.
func (*authelia) LogValue() slog.Value { return slog.StringValue("[redacted] export of " + Authelia) }

// autheliaMain is what is read of the main file. A user or client that is not of the form is a problem of its own.
type autheliaMain struct {
	Users     map[string]yaml.Node `yaml:"users"`
	Providers struct {
		OIDC struct {
			Clients []yaml.Node `yaml:"clients"`
		} `yaml:"oidc"`
	} `yaml:"identity_providers"`
}

// autheliaTOTP is one entry of `authelia storage user totp export`.
type autheliaTOTP struct {
	Username  string `yaml:"username"`
	Algorithm string `yaml:"algorithm"`
	Digits    int    `yaml:"digits"`
	Period    int    `yaml:"period"`
	Secret    string `yaml:"secret"`
}

// LogValue keeps the key out of the logs.
func (autheliaTOTP) LogValue() slog.Value { return slog.StringValue("[redacted] authenticator app") }

func openAuthelia(f Files, o Options) (Export, error) {
	a := &authelia{options: o, totp: map[string][]autheliaTOTP{}, subjects: map[string]string{}}
	if err := readYAML(f.Main, &a.main); err != nil {
		return nil, err
	}
	if f.TOTP != nil {
		var list struct {
			All []autheliaTOTP `yaml:"totp_configurations"`
		}
		if err := readYAML(f.TOTP, &list); err != nil {
			return nil, fmt.Errorf("TOTP: %w", err)
		}
		for _, one := range list.All {
			a.totp[one.Username] = append(a.totp[one.Username], one)
		}
	}
	if f.Subjects != nil {
		return a, a.readSubjects(f.Subjects)
	}
	return a, nil
}

// readSubjects takes the sub that every client without a sector was told.
func (a *authelia) readSubjects(f io.ReadSeeker) error {
	var list struct {
		All []struct {
			Service    string `yaml:"service"`
			SectorID   string `yaml:"sector_id"`
			Username   string `yaml:"username"`
			Identifier string `yaml:"identifier"`
		} `yaml:"identifiers"`
	}
	if err := readYAML(f, &list); err != nil {
		return fmt.Errorf("subjects: %w", err)
	}
	for _, one := range list.All {
		if one.Service == "openid" && one.SectorID == "" {
			a.subjects[one.Username] = one.Identifier
		}
	}
	return nil
}

// readYAML reads a whole file; what is not known is passed over.
func readYAML(f io.ReadSeeker, into any) error {
	if err := rewind(f); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, maxYAML+1))
	if err != nil {
		return err
	}
	if len(b) > maxYAML {
		return ErrSize
	}
	if err := yaml.Unmarshal(b, into); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, yamlProblem(err))
	}
	return nil
}

// yamlProblem says where YAML is wrong, and not what stands there: it may be a hash.
func yamlProblem(err error) error {
	what := "not YAML, or with too many aliases"
	text := err.Error()
	if t, ok := errors.AsType[*yaml.TypeError](err); ok && len(t.Errors) > 0 {
		what, text = "a value that is not of its type", t.Errors[0]
	}
	if line := regexp.MustCompile(`line [0-9]+`).FindString(text); line != "" {
		return fmt.Errorf("%s: %s", line, what)
	}
	return errors.New(what)
}

// People implements Export.
func (a *authelia) People(yield func(Person) error) error {
	if a.main.Users == nil && a.main.Providers.OIDC.Clients == nil {
		return fmt.Errorf("%w: neither users nor identity_providers.oidc.clients in it", ErrFormat)
	}
	for _, name := range sorted(a.main.Users) {
		node := a.main.Users[name]
		if err := yield(a.person(name, &node)); err != nil {
			return err
		}
	}
	return nil
}

// autheliaUser is what is read of a user.
type autheliaUser struct {
	Password    string            `yaml:"password"`
	DisplayName string            `yaml:"displayname"`
	Email       string            `yaml:"email"`
	Groups      []string          `yaml:"groups"`
	Disabled    bool              `yaml:"disabled"`
	GivenName   string            `yaml:"given_name"`
	MiddleName  string            `yaml:"middle_name"`
	FamilyName  string            `yaml:"family_name"`
	Nickname    string            `yaml:"nickname"`
	Gender      string            `yaml:"gender"`
	Birthdate   string            `yaml:"birthdate"`
	Website     string            `yaml:"website"`
	Profile     string            `yaml:"profile"`
	Picture     string            `yaml:"picture"`
	ZoneInfo    string            `yaml:"zoneinfo"`
	Locale      string            `yaml:"locale"`
	Phone       string            `yaml:"phone_number"`
	Extension   string            `yaml:"phone_extension"`
	Address     map[string]string `yaml:"address"`
	Extra       map[string]any    `yaml:"extra"`
}

// LogValue keeps the hash out of the logs.
func (autheliaUser) LogValue() slog.Value { return slog.StringValue("[redacted] user") }

func (a *authelia) person(name string, node *yaml.Node) Person {
	p := Person{Where: "users." + Show(name)}
	var u autheliaUser
	if err := node.Decode(&u); err != nil {
		p.Problem = yamlProblem(err)
		return p
	}
	p.called(a.options, ByUsername, name, u.Email)
	p.Subject, p.Disabled = a.subjects[name], u.Disabled
	claims := map[string]string{
		"email": u.Email, "name": u.DisplayName, "given_name": u.GivenName, "middle_name": u.MiddleName, "family_name": u.FamilyName,
		"nickname": u.Nickname, "gender": u.Gender, "birthdate": u.Birthdate, "website": u.Website, "profile": u.Profile,
		"picture": u.Picture, "zoneinfo": u.ZoneInfo, "locale": u.Locale, "phone_number": u.Phone, "preferred_username": name,
	}
	for _, claim := range sorted(claims) {
		p.claim(claim, claims[claim])
	}
	p.address(map[string]string{
		"street_address": u.Address["street_address"], "locality": u.Address["locality"], "region": u.Address["region"],
		"postal_code": u.Address["postal_code"], "country": u.Address["country"],
	})
	for i, group := range u.Groups {
		p.role(fmt.Sprintf("groups[%d]", i), group)
	}
	if u.Extension != "" {
		p.note("phone_extension", "is not taken over")
	}
	if len(u.Extra) > 0 {
		p.note("extra", "is not taken over")
	}
	hash, err := phc(u.Password)
	if err != nil {
		p.note("password", "%s", err)
	}
	p.PasswordHash = hash
	a.factors(&p, name)
	return p
}

// factors takes the authenticator app. Authelia keeps the text of its Base32, and writes that in base64.
func (a *authelia) factors(p *Person, name string) {
	for _, t := range a.totp[name] {
		p.HadFactor = true
		key, err := t.key()
		switch {
		case err != nil:
			p.note("totp_configurations", "authenticator app: %s", err)
		case p.TOTPSecret != nil:
			p.note("totp_configurations", "another authenticator app; one is taken")
		default:
			p.TOTPSecret = key
		}
	}
}

func (t autheliaTOTP) key() ([]byte, error) {
	if t.Algorithm != "SHA1" || t.Digits != 6 || t.Period != 30 {
		return nil, errTOTPKind
	}
	text, err := base64.StdEncoding.DecodeString(t.Secret)
	if err != nil {
		return nil, errTOTPForm
	}
	return totpText(string(text))
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// keycloak is a realm as `kc.sh export` writes it: one file, or one of the files of users beside it.
type keycloak struct {
	file    io.ReadSeeker
	options Options
}

// People implements Export.
func (k *keycloak) People(yield func(Person) error) error {
	n := 0
	return k.walk("users", func(where string, part json.RawMessage) error {
		if n++; n > maxPeople {
			return fmt.Errorf("%s: %w", where, ErrSize)
		}
		return yield(k.person(where, part))
	})
}

// Apps implements Export.
func (k *keycloak) Apps() ([]App, error) {
	var apps []App
	realm := ""
	err := k.walkRealm(func(name string, s *stream) error {
		switch name {
		case "realm":
			s.meter.left = maxPart
			return s.dec.Decode(&realm)
		case "clients":
			return s.each(name, func(where string, part json.RawMessage) error {
				if len(apps) >= maxApps {
					return fmt.Errorf("%s: %w", where, ErrSize)
				}
				apps = append(apps, keycloakApp(where, part))
				return nil
			})
		}
		return s.skip()
	})
	// The realm's name may stand behind its clients.
	for i := range apps {
		if apps[i].Registration.Client != nil && apps[i].Registration.Client.ID == realm+"-realm" {
			apps[i].LeftOut, apps[i].Problem = "a client of Keycloak itself", nil
		}
	}
	return apps, err
}

// walk hands every element of one list of the realm to use.
func (k *keycloak) walk(list string, use func(where string, part json.RawMessage) error) error {
	return k.walkRealm(func(name string, s *stream) error {
		if name == list {
			return s.each(name, use)
		}
		return s.skip()
	})
}

// walkRealm hands the name of every value of the realm to use, which has to read or skip the value.
func (k *keycloak) walkRealm(use func(name string, s *stream) error) error {
	if err := rewind(k.file); err != nil {
		return err
	}
	s := newStream(k.file)
	if err := s.open('{'); err != nil {
		return fmt.Errorf("%w; export one realm: `kc.sh export --realm NAME --file FILE`", readable(err))
	}
	seen := map[string]bool{}
	for s.dec.More() {
		t, err := s.token()
		if err != nil {
			return readable(err)
		}
		name, _ := t.(string)
		if seen[name] || len(seen) > maxApps {
			return fmt.Errorf("%s: stands there twice: %w", Show(name), ErrFormat)
		}
		seen[name] = true
		if err := use(name, s); err != nil {
			return readable(err)
		}
	}
	if _, err := s.token(); err != nil {
		return readable(err)
	}
	if !seen["users"] && !seen["clients"] && !seen["realm"] {
		return fmt.Errorf("%w: no users, no clients and no realm in it", ErrFormat)
	}
	return nil
}

// keycloakUser is what is read of a UserRepresentation.
type keycloakUser struct {
	ID            string                     `json:"id"`
	Username      string                     `json:"username"`
	Email         string                     `json:"email"`
	EmailVerified *bool                      `json:"emailVerified"`
	FirstName     string                     `json:"firstName"`
	LastName      string                     `json:"lastName"`
	Enabled       *bool                      `json:"enabled"`
	Attributes    map[string]json.RawMessage `json:"attributes"`
	Credentials   []keycloakCredential       `json:"credentials"`
	RealmRoles    []string                   `json:"realmRoles"`
	ClientRoles   map[string][]string        `json:"clientRoles"`
	Groups        []string                   `json:"groups"`
	Actions       []string                   `json:"requiredActions"`
	ServiceOf     string                     `json:"serviceAccountClientId"`
	Federation    string                     `json:"federationLink"`
	Identities    []struct {
		Provider string `json:"identityProvider"`
	} `json:"federatedIdentities"`
}

func (k *keycloak) person(where string, part json.RawMessage) Person {
	p := Person{Where: where}
	var u keycloakUser
	if err := json.Unmarshal(part, &u); err != nil {
		p.Problem = typeProblem(err)
		return p
	}
	p.called(k.options, ByUsername, u.Username, u.Email)
	p.Subject, p.Disabled = u.ID, u.Enabled != nil && !*u.Enabled
	if u.ServiceOf != "" {
		p.LeftOut = "the service account of a client: client_credentials needs none here"
		return p
	}
	p.claim("email", u.Email)
	p.verified("email_verified", "email", u.EmailVerified)
	p.claim("given_name", u.FirstName)
	p.claim("family_name", u.LastName)
	p.claim("name", strings.TrimSpace(u.FirstName+" "+u.LastName))
	p.claim("preferred_username", u.Username)
	keycloakAttributes(&p, u.Attributes)
	keycloakRoles(&p, u)
	keycloakCredentials(&p, u.Credentials)
	if u.Federation != "" && p.PasswordHash == "" {
		p.note("federationLink", "the password is in another directory, such as LDAP, and not in the export")
	}
	for i, id := range u.Identities {
		p.note(fmt.Sprintf("federatedIdentities[%d]", i), "sign-in by %q is not taken over", Show(id.Provider))
	}
	for i, action := range u.Actions {
		p.note(fmt.Sprintf("requiredActions[%d]", i), "%s is not asked for here", Show(action))
	}
	return p
}

// keycloakRoles takes realm roles and groups. The roles that every user of a realm has say nothing.
func keycloakRoles(p *Person, u keycloakUser) {
	for i, name := range u.RealmRoles {
		if name == "offline_access" || name == "uma_authorization" || strings.HasPrefix(name, "default-roles-") {
			continue
		}
		p.role(fmt.Sprintf("realmRoles[%d]", i), name)
	}
	for i, path := range u.Groups {
		p.role(fmt.Sprintf("groups[%d]", i), strings.TrimPrefix(path, "/"))
	}
	for _, name := range sorted(u.ClientRoles) {
		if name != "account" {
			p.note("clientRoles."+name, "roles of one client are not taken over")
		}
	}
}

// keycloakAttributes takes those that Keycloak's own mappers make standard claims of, and keeps the others.
func keycloakAttributes(p *Person, attributes map[string]json.RawMessage) {
	claims := map[string]string{
		"locale": "locale", "phoneNumber": "phone_number", "zoneinfo": "zoneinfo", "gender": "gender", "birthdate": "birthdate",
		"nickname": "nickname", "website": "website", "picture": "picture", "profile": "profile", "middleName": "middle_name",
	}
	address := map[string]string{
		"street": "street_address", "locality": "locality", "region": "region", "postal_code": "postal_code",
		"country": "country", "formatted": "formatted",
	}
	parts := map[string]string{}
	var verified *bool
	for _, name := range sorted(attributes) {
		list, err := texts(attributes[name])
		value := strings.Join(list[:min(1, len(list))], "")
		switch {
		case err != nil:
			p.note("attributes."+name, "not a text")
		case claims[name] != "":
			p.claim(claims[name], value)
		case address[name] != "":
			parts[address[name]] = value
		case name == "phoneNumberVerified":
			yes := value == "true"
			verified = &yes
		case value != "":
			p.attribute("attributes."+name, name, list)
		}
	}
	p.address(parts)
	p.verified("phone_number_verified", "phone_number", verified)
}

// texts reads an attribute: a list of texts, of which a claim has the first, or one text.
func texts(raw json.RawMessage) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var one string
	if err := json.Unmarshal(raw, &one); err != nil {
		return nil, errors.New("not a text")
	}
	return []string{one}, nil
}

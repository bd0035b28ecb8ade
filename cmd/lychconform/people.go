// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// person is a user of the driver's configuration.
type person struct {
	Username string `json:"username"`
	Password string `json:"password"`
	TOTP     string `json:"totp,omitempty"`
}

// The accounts: those without a second factor are rarely waited for; six with one let plans go on while the next code of
// a person is due.
const (
	plainPeople = 2
	totpPeople  = 6
)

func people() []person {
	var out []person
	for i := range plainPeople + totpPeople {
		p := person{Username: fmt.Sprintf("plain%d", i+1), Password: rand.Text()}
		if i >= plainPeople {
			secret := make([]byte, 20)
			_, _ = rand.Read(secret) // never fails
			p.Username = totpName(i - plainPeople)
			p.TOTP = base32.StdEncoding.EncodeToString(secret)
		}
		out = append(out, p)
	}
	return out
}

func totpName(i int) string { return fmt.Sprintf("totp%d", i+1) }

// imported is the person as `lychgate account import` reads it, with every claim of OIDC Core §5.1: the suite warns
// about each that a scope asks for and the account lacks.
func (p person) imported() map[string]any {
	at := "https://people.example/" + p.Username
	e := map[string]any{
		"username": p.Username, "password": p.Password,
		"claims": map[string]any{
			"name": "Sam " + p.Username, "given_name": "Sam", "family_name": p.Username, "middle_name": "Lee",
			"nickname": "sammy", "preferred_username": p.Username, "profile": at, "picture": at + "/picture.png",
			"website": at + "/site", "gender": "female", "birthdate": "1984-02-29", "zoneinfo": "Europe/Amsterdam",
			"locale": "en-GB", "updated_at": time.Now().Unix(),
			"email": p.Username + "@people.example", "email_verified": true,
			"phone_number": "+31 20 555 0100", "phone_number_verified": true,
			"address": map[string]string{
				"formatted": "1 Church Lane\n1012 AB Amsterdam\nNetherlands", "street_address": "1 Church Lane",
				"locality": "Amsterdam", "region": "Noord-Holland", "postal_code": "1012 AB", "country": "Netherlands",
			},
		},
	}
	if p.TOTP != "" {
		e["totp_secret"] = p.TOTP
	}
	return e
}

// app is a client of the driver's configuration.
type app struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// staticApps are the clients of the plans without registration, by their names in the suite's configuration.
func staticApps() map[string]app {
	out := map[string]app{}
	for _, name := range []string{"client", "client2", "client_secret_post"} {
		out[name] = app{"conformance-" + name, rand.Text() + rand.Text()}
	}
	return out
}

// registration is the client as `lychgate client add` reads it. Without PKCE, since the modules but one send none.
func (r *rig) registration(name string, a app, d discovery) map[string]any {
	at := r.suiteURL("/test/a/" + r.alias)
	grants := []string{"authorization_code", "refresh_token"}
	if slices.Contains(d.GrantTypes, "implicit") {
		grants = append(grants, "implicit")
	}
	method := "client_secret_basic"
	if name == "client_secret_post" {
		method = name
	}
	return map[string]any{
		"client_id": a.ID, "client_secret": a.Secret, "client_name": "Suite, " + name,
		"redirect_uris":              []string{at + "/callback"},
		"post_logout_redirect_uris":  []string{at + "/post_logout_redirect"},
		"grant_types":                grants,
		"response_types":             d.ResponseTypes,
		"token_endpoint_auth_method": method,
		"lychgate_pkce":              "optional",
		// The suite warns about a claim that it did not ask for; clients that register themselves do not get it either.
		"lychgate_evidence": "off",
	}
}

func (r *rig) suiteURL(path string) string {
	u := *r.suite
	u.Path = path
	return u.String()
}

// seed adds people and clients by the command line, and returns the configuration of a driver.
func (r *rig) seed(ctx context.Context) (driverConfig, error) {
	var d discovery
	if err := r.get(ctx, "/.well-known/openid-configuration", &d); err != nil {
		return driverConfig{}, err
	}
	persons, apps := people(), staticApps()
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	for _, p := range persons {
		if err := enc.Encode(p.imported()); err != nil {
			return driverConfig{}, err
		}
	}
	var clients []map[string]any
	for name, a := range apps {
		clients = append(clients, r.registration(name, a, d))
	}
	list, err := json.Marshal(clients)
	if err != nil {
		return driverConfig{}, err
	}
	if err := r.lychgate(ctx, lines.Bytes(), "account", "import", "-"); err != nil {
		return driverConfig{}, err
	}
	if err := r.lychgate(ctx, list, "client", "add", "--file", "-"); err != nil {
		return driverConfig{}, err
	}
	set, err := r.driverConfig(d, persons, apps)
	if err != nil {
		return driverConfig{}, err
	}
	return set, r.tokens(ctx, set.Plans)
}

// tokens gives each plan whose clients register themselves an initial access token, good for several runs of it.
func (r *rig) tokens(ctx context.Context, plans []plan) error {
	for i, p := range plans {
		if !p.registers() {
			continue
		}
		out, err := r.output(ctx, "--config", r.file(configFile), "client", "initial-token", "--uses", "1000")
		if err != nil {
			return err
		}
		plans[i].Config = map[string]any{}
		for _, name := range []string{"client", "client2"} {
			plans[i].Config[name] = map[string]string{"initial_access_token": strings.TrimSpace(string(out))}
		}
	}
	return nil
}

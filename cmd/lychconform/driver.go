// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"maps"
	"os"
	"slices"
)

// discovery is what decides which plans can be run.
type discovery struct {
	ResponseTypes []string `json:"response_types_supported"`
	ResponseModes []string `json:"response_modes_supported"`
	GrantTypes    []string `json:"grant_types_supported"`
	Registration  string   `json:"registration_endpoint"`
	EndSession    string   `json:"end_session_endpoint"`
	Frontchannel  bool     `json:"frontchannel_logout_supported"`
	Backchannel   bool     `json:"backchannel_logout_supported"`
	CheckSession  string   `json:"check_session_iframe"`
}

// driverConfig is the file that a driver reads.
type driverConfig struct {
	Suite       driverSuite         `json:"suite"`
	OP          map[string]string   `json:"op"`
	Browser     string              `json:"browser"`
	Parallel    int                 `json:"parallel"`
	Users       []person            `json:"users"`
	Hooks       map[string][]string `json:"hooks"`
	SuiteConfig map[string]any      `json:"suite_config"`
	Plans       []plan              `json:"plans"`
}

type driverSuite struct {
	URL string `json:"url"`
	CA  string `json:"ca,omitempty"`
}

type plan struct {
	Label   string            `json:"label"`
	Name    string            `json:"name"`
	Browser string            `json:"browser,omitempty"`
	Users   []string          `json:"users,omitempty"`
	Variant map[string]string `json:"variant,omitempty"`
	Config  map[string]any    `json:"config,omitempty"`
}

// registers says whether the clients of the plan register themselves; config is the one plan that has no client.
func (p plan) registers() bool { return p.Config == nil && p.Label != "config" }

func (c driverConfig) labels() []string {
	var out []string
	for _, p := range c.Plans {
		out = append(out, p.Label)
	}
	return out
}

func (r *rig) driverConfig(d discovery, persons []person, apps map[string]app) (driverConfig, error) {
	self, err := os.Executable()
	if err != nil {
		return driverConfig{}, err
	}
	c := driverConfig{
		Suite: driverSuite{URL: r.suiteURL("/")}, OP: map[string]string{"discovery": r.issueAt + "/.well-known/openid-configuration"},
		Browser: "http", Parallel: 3, Users: persons,
		Hooks: map[string][]string{"rotate_keys": {self, "rotate", "-binary", r.binary, "-dir", r.dir}},
		SuiteConfig: map[string]any{
			"client": map[string]string{"client_name": "Suite, first"}, "client2": map[string]string{"client_name": "Suite, second"},
		},
		Plans: plans(d, r.alias, apps),
	}
	if r.suiteCA != "" {
		c.Suite.CA = r.file(caFile)
	}
	return c, nil
}

// plans are those of the certification profiles that the provider offers what they need for; first the ones with clients
// that were registered beforehand.
func plans(d discovery, alias string, apps map[string]app) []plan {
	out := []plan{{Label: "config", Name: certification("config")}}
	for _, p := range []struct{ label, needs string }{
		{"basic", "code"}, {"implicit", "id_token"}, {"hybrid", "code id_token"},
	} {
		if !slices.Contains(d.ResponseTypes, p.needs) {
			continue
		}
		names := []string{p.label}
		if slices.Contains(d.ResponseModes, "form_post") {
			names = append(names, "formpost-"+p.label)
		}
		for _, name := range names {
			out = append(out, both(name, d, map[string]string{"server_metadata": "discovery"}, alias, apps)...)
		}
	}
	if len(out) > 1 {
		out = append(out, withTOTP(out[1]))
	}
	code := map[string]string{"response_type": "code"}
	if d.EndSession != "" {
		out = append(out, both("rp-initiated-logout", d, code, alias, apps)...)
	}
	if d.Registration == "" {
		return out
	}
	out = append(out, plan{Label: "dynamic", Name: certification("dynamic"), Variant: code},
		plan{Label: "3rdparty-init-login", Name: certification("3rdparty-init-login"), Variant: code})
	return append(out, logoutPlans(d)...)
}

// withTOTP is the plan with nobody but people who give a code at every sign-in.
func withTOTP(p plan) plan {
	p.Label += "-totp"
	for i := range totpPeople {
		p.Users = append(p.Users, totpName(i))
	}
	return p
}

// logoutPlans are those about other apps, which register their own addresses.
func logoutPlans(d discovery) []plan {
	var out []plan
	for _, p := range []struct {
		name, browser string
		offered       bool
	}{
		{"frontchannel-rp-initiated-logout", "", d.Frontchannel},
		{"backchannel-rp-initiated-logout", "", d.Backchannel},
		{"session-management", "chromium", d.CheckSession != ""},
	} {
		if p.offered {
			out = append(out, plan{
				Label: p.name, Name: certification(p.name), Browser: p.browser,
				Variant: map[string]string{"client_registration": "dynamic_client", "response_type": "code"},
			})
		}
	}
	return out
}

// both is the plan with static clients, and with dynamic ones where the provider registers them.
func both(name string, d discovery, variant map[string]string, alias string, apps map[string]app) []plan {
	config := map[string]any{"alias": alias}
	for name, a := range apps {
		config[name] = a
	}
	out := []plan{{Label: name + "-static", Name: certification(name), Variant: with(variant, "static_client"), Config: config}}
	if d.Registration != "" {
		out = append(out, plan{Label: name, Name: certification(name), Variant: with(variant, "dynamic_client")})
	}
	return out
}

func with(variant map[string]string, registration string) map[string]string {
	out := map[string]string{"client_registration": registration}
	maps.Copy(out, variant)
	return out
}

func certification(name string) string { return "oidcc-" + name + "-certification-test-plan" }

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

// environ is a good environment.
func environ(more ...string) []string {
	return append([]string{
		"LYCHGATE_ISSUER=https://login.example.com", "LYCHGATE_SECRETS_KEYS=1:" + key, "LYCHGATE_SECRETS_INDEX_KEY=" + key,
		"LYCHGATE_SECRETS_PAIRWISE_KEY=" + key, "LYCHGATE_SECRETS_PEPPER=" + key,
	}, more...)
}

func write(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoadEnvironment(t *testing.T) {
	cfg, err := Load("", environ("LYCHGATE_REDIS_ADDRESSES=a:1,b:2", "LYCHGATE_REDIS_MODE=cluster", "LYCHGATE_LIFETIMES_SESSION_IDLE=30m", "LYCHGATE_CONFIG=x", "PATH=/bin"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(cfg.Redis.Addresses); got != "[a:1 b:2]" {
		t.Errorf("addresses = %s, want [a:1 b:2]", got)
	}
	if cfg.Lifetimes.SessionIdle != 30*time.Minute || cfg.Lifetimes.SessionEnd != 24*time.Hour {
		t.Errorf("lifetimes = %+v: the environment, then the default", cfg.Lifetimes)
	}
}

func TestEnvironmentWinsOverFile(t *testing.T) {
	file := write(t, "listen: 127.0.0.1:1\nhelp: {email: a@example.com}\n")
	cfg, err := Load(file, environ("LYCHGATE_LISTEN=127.0.0.1:2"))
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listen != "127.0.0.1:2" || cfg.Help.Email != "a@example.com" {
		t.Errorf("listen = %s, help = %s", cfg.Listen, cfg.Help.Email)
	}
}

// TestSC05 is the security case SC-05: unknown, misspelt and case-colliding names, secrets in the file, all at once.
func TestSC05(t *testing.T) {
	tests := []struct{ name, yaml, want string }{
		{"unknown", "nonsense: 1\n", `line 1: "nonsense" is no setting`},
		{"misspelt", "redis:\n  adresses: [a:1]\n", `line 2: "redis.adresses" is no setting; is "redis.addresses" meant?`},
		{"case", "Issuer: x\n", `"Issuer" is no setting; is "issuer" meant?`},
		{"case collides", "issuer: a\nISSUER: b\n", `line 2: "ISSUER" stands in line 1 already`},
		{"twice", "listen: a\nlisten: b\n", `"listen" stands in line 1 already`},
		{"secret inside", "secrets:\n  pepper: abc\n", `"secrets.pepper" is a secret: put it into a file and name that in secrets.pepper_file, or set LYCHGATE_SECRETS_PEPPER`},
		{"mail password inside", "mail:\n  password: abc\n", `"mail.password" is a secret`},
		{"password inside", "redis:\n  password: abc\n", `"redis.password" is a secret`},
		{"group as value", "redis: here\n", `"redis" is a group of settings`},
		{"type", "remember:\n  days: many\n", "not of its type"},
		{"not YAML", "a: [", "not valid YAML"},
		{"list", "- a\n", "settings are expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(write(t, tt.yaml), environ())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load() = %v, want %q in it", err, tt.want)
			}
			if err != nil && strings.Contains(err.Error(), "abc") {
				t.Errorf("the error prints a secret: %v", err)
			}
		})
	}
	if _, err := Load("", environ("LYCHGATE_ISUER=x")); err == nil || !strings.Contains(err.Error(), "LYCHGATE_ISUER") {
		t.Errorf("a misspelt name in the environment: %v", err)
	}
}

func TestAllProblemsAtOnce(t *testing.T) {
	_, err := Load(write(t, "issuer: http://login.example.com/\nredis: {mode: both}\nlog: {level: loud}\nnonsense: 1\n"), []string{"LYCHGATE_NOTHING=1"})
	for _, want := range []string{"issuer:", "line 4: \"nonsense\"", "LYCHGATE_NOTHING", "redis.mode:", "log.level:", "secrets.keys: not set; make one with `lychgate secret new`", "secrets.pepper:"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Load() = %v, want %q in it", err, want)
		}
	}
}

func TestIssuer(t *testing.T) {
	for issuer, good := range map[string]bool{
		"https://login.example.com": true, "https://login.example.com:8443": true, "http://localhost:8080": true, "http://127.0.0.1:1": true,
		"https://login.example.com:443": false, "http://localhost:80": false, "https://login.example.com:": false,
		"http://login.example.com": false, "https://login.example.com/": false, "https://login.example.com/a": false,
		"https://u@login.example.com": false, "https://login.example.com?x": false, "https://Login.example.com": false,
		"ftp://login.example.com": false, "login.example.com": false, "": false, "https://": false, "http://localhost.example.com": false,
	} {
		env := environ()
		env[0] = "LYCHGATE_ISSUER=" + issuer
		if _, err := Load("", env); (err == nil) != good {
			t.Errorf("issuer %q: %v, want good %v", issuer, err, good)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	cfg, err := Load("", environ("LYCHGATE_REDIS_PASSWORD=hunter2hunter2"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), cfg.Redis.Password.String()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, key) {
			t.Errorf("a secret is printed: %s", text)
		}
	}
	if cfg.Redis.Password.Reveal() != "hunter2hunter2" {
		t.Errorf("Reveal() = %q", cfg.Redis.Password.Reveal())
	}
}

func TestSecretFromFileAndEnvironmentIsRefused(t *testing.T) {
	file := write(t, key)
	if _, err := Load("", environ("LYCHGATE_SECRETS_PEPPER_FILE="+file)); err == nil || !strings.Contains(err.Error(), "keep one") {
		t.Errorf("Load() = %v, want a refusal", err)
	}
	env := environ("LYCHGATE_SECRETS_PEPPER_FILE=" + file)
	env = append(env[:4], env[5:]...)
	cfg, err := Load("", env)
	if err != nil || cfg.Secrets.Pepper.Reveal() != key {
		t.Errorf("Load() = %v; the pepper comes from its file", err)
	}
}

// TestExample: the example names every setting, and loads.
func TestExample(t *testing.T) {
	body, err := os.ReadFile("../../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Names() {
		last := name[strings.LastIndex(name, ".")+1:]
		if !strings.Contains(string(body), last+":") && !strings.Contains(string(body), last+",") {
			t.Errorf("config.example.yaml does not name %s", name)
		}
	}
	text := string(body)
	for _, f := range []string{"keys_file", "index_key_file", "pairwise_key_file", "pepper_file"} {
		content := key
		if f == "keys_file" {
			content = "1:" + key
		}
		start := strings.Index(text, "  "+f+": ")
		end := start + strings.Index(text[start:], "\n")
		text = text[:start] + "  " + f + ": " + write(t, content) + text[end:]
	}
	cfg, err := Load(write(t, text), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	if cfg.Lifetimes != want.Lifetimes || cfg.Password != want.Password || cfg.Guesses != want.Guesses || cfg.Remember != want.Remember || cfg.Mail != want.Mail {
		t.Errorf("the example does not show the defaults: %+v", cfg)
	}
}

func TestMail(t *testing.T) {
	smtp := []string{"LYCHGATE_MAIL_MAILER=smtp", "LYCHGATE_MAIL_HOST=mail.example.com", "LYCHGATE_MAIL_FROM=lychgate@example.com"}
	local := "LYCHGATE_ISSUER=http://localhost:8080"
	tests := []struct {
		name, want string
		env        []string
	}{
		{"off", "", nil},
		{"smtp", "", smtp},
		{"signed in", "", append(smtp, "LYCHGATE_MAIL_USERNAME=u", "LYCHGATE_MAIL_PASSWORD=p")},
		{"console on this machine", "", []string{local, "LYCHGATE_MAIL_MAILER=console"}},
		{"console for everybody", "mail.mailer: console shows every message", []string{"LYCHGATE_MAIL_MAILER=console"}},
		{"unknown", `mail.mailer: "pigeon" is not smtp, console or off`, []string{"LYCHGATE_MAIL_MAILER=pigeon"}},
		{"no host", "mail.host: not set", []string{smtp[0], smtp[2]}},
		{"a host with a port", "mail.host:", append(smtp, "LYCHGATE_MAIL_HOST=mail.example.com:25")},
		{"port", "mail.port: 70000", append(smtp, "LYCHGATE_MAIL_PORT=70000")},
		{"no sender", "mail.from:", smtp[:2]},
		{"a sender of two lines", "mail.from:", append(smtp, "LYCHGATE_MAIL_FROM=a@example.com\r\nBcc: b@example.com")},
		{"a name of two lines", "mail.from_name:", append(smtp, "LYCHGATE_MAIL_FROM_NAME=a\nBcc: b@example.com")},
		{"tls", "mail.tls:", append(smtp, "LYCHGATE_MAIL_TLS=maybe")},
		{"no tls to elsewhere", "mail.tls: none is for a mail server on this machine alone", append(smtp, "LYCHGATE_MAIL_TLS=none")},
		{"no tls here", "", append(smtp, "LYCHGATE_MAIL_TLS=none", "LYCHGATE_MAIL_HOST=127.0.0.1")},
		{"half a sign-in", "mail.username and mail.password", append(smtp, "LYCHGATE_MAIL_USERNAME=u")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load("", environ(tt.env...))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("Load() = %v, want %q in it", err, tt.want)
			}
		})
	}
	cfg, err := Load("", environ(append(smtp, "LYCHGATE_MAIL_FROM=Acme <a@example.com>", "LYCHGATE_MAIL_FROM_NAME=")...))
	if err != nil {
		t.Fatal(err)
	}
	if name, address := cfg.Mail.Sender(); name != "Acme" || address != "a@example.com" {
		t.Errorf("Sender() = %q, %q", name, address)
	}
}

func TestOutgoing(t *testing.T) {
	cfg, err := Load(write(t, "outgoing_allow: [\"SSO.example.com:8443\", 10.1.2.3/16, \"[fd00::1]:443\", \"fd00::/8\"]\n"), environ())
	if err != nil {
		t.Fatal(err)
	}
	hosts, ranges, err := cfg.Outgoing()
	if got := fmt.Sprint(hosts, ranges); err != nil || got != "[sso.example.com:8443 [fd00::1]:443] [10.1.0.0/16 fd00::/8]" {
		t.Errorf("Outgoing() = %s, %v", got, err)
	}
	for _, bad := range []string{"sso.example.com", "10.0.0.1", ":443", "a:b", "a:70000", "https://a:443", "*.example.com:443", "a b:1", "10.0.0.0/33"} {
		if _, err := Load(write(t, "outgoing_allow: [\""+bad+"\"]\n"), environ()); err == nil || !strings.Contains(err.Error(), "outgoing_allow: ") {
			t.Errorf("outgoing_allow %q: %v, want a problem", bad, err)
		}
	}
}

func TestDiffer(t *testing.T) {
	a, b := Default(), Default()
	b.Help.Email, b.Log.Level, b.Listen, b.Redis.Prefix = "x@example.com", "debug", ":1", "x:"
	if got := strings.Join(Differ(a, b), " "); got != "listen redis.prefix" {
		t.Errorf("Differ() = %q, want those that need a restart", got)
	}
}

func FuzzCheckNames(f *testing.F) {
	f.Add("issuer: https://a\nredis:\n  mode: cluster\n")
	f.Add("a: &a [*a]\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, p := range checkNames([]byte(text), "file") {
			if !strings.HasPrefix(p, "file: ") {
				t.Errorf("problem %q does not name the file", p)
			}
		}
	})
}

// TestSecondFactors: a list that is set takes the place of the default, whatever its length.
func TestSecondFactors(t *testing.T) {
	for list, want := range map[string]string{"[passkey]": "passkey", "[passkey, totp]": "passkey totp", "[totp]": "totp"} {
		cfg, err := Load(write(t, "second_factors: "+list+"\n"), environ())
		if got := strings.Join(cfg.SecondFactors, " "); err != nil || got != want {
			t.Errorf("second_factors: %s = %q, %v, want %q", list, got, err, want)
		}
	}
	cfg, err := Load("", environ("LYCHGATE_SECOND_FACTORS=passkey"))
	if got := strings.Join(cfg.SecondFactors, " "); err != nil || got != "passkey" {
		t.Errorf("LYCHGATE_SECOND_FACTORS=passkey = %q, %v", got, err)
	}
	for _, list := range []string{"[]", "[totp, totp]", "[totp, recovery]"} {
		if _, err := Load(write(t, "second_factors: "+list+"\n"), environ()); err == nil || !strings.Contains(err.Error(), "second_factors") {
			t.Errorf("second_factors: %s = %v, want a problem", list, err)
		}
	}
}

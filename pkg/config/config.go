// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package config is the viper boundary: settings from a file and the environment, typed, strict and validated.
// Nothing else in Lychgate reads a setting.
package config

import (
	"log/slog"
	"time"
)

// Config is every setting. config.example.yaml says what each one does.
type Config struct {
	Issuer       string   `mapstructure:"issuer"`
	Listen       string   `mapstructure:"listen"`
	HealthListen string   `mapstructure:"health_listen"`
	Proxies      []string `mapstructure:"trusted_proxies"`
	Help         Help     `mapstructure:"help"`
	Redis        Redis    `mapstructure:"redis"`
	Secrets      Secrets  `mapstructure:"secrets"`
	Lifetimes    Lifetime `mapstructure:"lifetimes"`
	// SecondFactors are those that people can set up, the recommended one first; recovery codes come with each of them.
	SecondFactors []string `mapstructure:"second_factors"`
	Remember      Remember `mapstructure:"remember"`
	Password      Password `mapstructure:"password"`
	Guesses       Guesses  `mapstructure:"guesses"`
	Mail          Mail     `mapstructure:"mail"`
	// Places is a file in the MaxMind DB format that names the town of an address; empty: no place is shown.
	Places string `mapstructure:"places_file"`
	// OutgoingAllow are the sources of our own network that may be asked for clients: host:port, or address ranges.
	// OutgoingCAFile holds authorities that are trusted for them beside those of the system.
	OutgoingAllow  []string `mapstructure:"outgoing_allow"`
	OutgoingCAFile string   `mapstructure:"outgoing_ca_file"`
	// Registration says who may register an app without an IT team (RFC 7591).
	Registration Registration `mapstructure:"registration"`
	Log          Log          `mapstructure:"log"`
}

// Registration is off, token (who holds an initial access token) or open (anybody); the rest bounds what is registered.
type Registration struct {
	Mode          string   `mapstructure:"mode"`
	RedirectHosts []string `mapstructure:"redirect_hosts"`
	GrantTypes    []string `mapstructure:"grant_types"`
	Scopes        []string `mapstructure:"scopes"`
	RequirePKCE   bool     `mapstructure:"require_pkce"`
	// StatementKeysFile holds the key sets of issuers whose software statements count, as a JSON object.
	StatementKeysFile string `mapstructure:"statement_keys_file"`
	Most              int    `mapstructure:"most"`
}

// Help is how people reach the help desk where no company says otherwise.
type Help struct {
	Email string `mapstructure:"email"`
	Phone string `mapstructure:"phone"`
}

// Redis says where the store is.
type Redis struct {
	Mode               string   `mapstructure:"mode"`
	Addresses          []string `mapstructure:"addresses"`
	MasterName         string   `mapstructure:"master_name"`
	Username           string   `mapstructure:"username"`
	Password           Secret   `mapstructure:"password"`
	PasswordFile       string   `mapstructure:"password_file"`
	SentinelPassword   Secret   `mapstructure:"sentinel_password"`
	SentinelFile       string   `mapstructure:"sentinel_password_file"`
	Database           int      `mapstructure:"database"`
	Prefix             string   `mapstructure:"prefix"`
	TLS                bool     `mapstructure:"tls"`
	TLSCAFile          string   `mapstructure:"tls_ca_file"`
	TLSServerName      string   `mapstructure:"tls_server_name"`
	RequirePersistence bool     `mapstructure:"require_persistence"`
}

// Secrets are the keys that nobody else may hold.
type Secrets struct {
	Keys         Secret `mapstructure:"keys"`
	KeysFile     string `mapstructure:"keys_file"`
	Index        Secret `mapstructure:"index_key"`
	IndexFile    string `mapstructure:"index_key_file"`
	Pairwise     Secret `mapstructure:"pairwise_key"`
	PairwiseFile string `mapstructure:"pairwise_key_file"`
	Pepper       Secret `mapstructure:"pepper"`
	PepperFile   string `mapstructure:"pepper_file"`
}

// Lifetime is how long things live (decisions.md, Lifetimes).
type Lifetime struct {
	SessionIdle time.Duration `mapstructure:"session_idle"`
	SessionEnd  time.Duration `mapstructure:"session_end"`
	AccessToken time.Duration `mapstructure:"access_token"`
	JWTAccess   time.Duration `mapstructure:"jwt_access_token"`
	IDToken     time.Duration `mapstructure:"id_token"`
	RefreshIdle time.Duration `mapstructure:"refresh_idle"`
	RefreshEnd  time.Duration `mapstructure:"refresh_end"`
	Pushed      time.Duration `mapstructure:"pushed_request"`
}

// Remember is how long a device is remembered.
type Remember struct {
	Days int `mapstructure:"days"`
}

// Password is what a password hash costs.
type Password struct {
	MemoryKiB    int           `mapstructure:"memory_kib"`
	Passes       int           `mapstructure:"passes"`
	LimitMiB     int           `mapstructure:"limit_mib"`
	Queue        int           `mapstructure:"queue"`
	QueueWait    time.Duration `mapstructure:"queue_wait"`
	RefusalFloor time.Duration `mapstructure:"refusal_floor"`
}

// Guesses bounds guesses at the second factor.
type Guesses struct {
	Free      int           `mapstructure:"free"`
	FirstWait time.Duration `mapstructure:"first_wait"`
	LongWait  time.Duration `mapstructure:"longest_wait"`
	Cap       int           `mapstructure:"cap"`
}

// Mail says how messages reach people.
type Mail struct {
	Mailer       string `mapstructure:"mailer"`
	Host         string `mapstructure:"host"`
	Port         int    `mapstructure:"port"`
	TLS          string `mapstructure:"tls"`
	Username     string `mapstructure:"username"`
	Password     Secret `mapstructure:"password"`
	PasswordFile string `mapstructure:"password_file"`
	From         string `mapstructure:"from"`
	FromName     string `mapstructure:"from_name"`
}

// The mailers.
const (
	MailerSMTP    = "smtp"
	MailerConsole = "console"
	MailerOff     = "off"
)

// Log says what the log looks like.
type Log struct {
	Level  string `mapstructure:"level"`
	Format string `mapstructure:"format"`
}

// Secret is a setting that is never printed.
type Secret string

// LogValue keeps the secret out of the logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps the secret out of formatted text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[redacted]"
}

// GoString keeps the secret out of formatted text.
func (s Secret) GoString() string { return s.String() }

// Default returns every setting's default.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Listen: ":8080", HealthListen: "127.0.0.1:8082",
		Redis: Redis{
			Mode: "standalone", Addresses: []string{"127.0.0.1:6379"}, Prefix: "lg:", RequirePersistence: true,
		},
		Lifetimes: Lifetime{
			SessionIdle: time.Hour, SessionEnd: day, AccessToken: time.Hour, JWTAccess: 5 * time.Minute,
			IDToken: time.Hour, RefreshIdle: 14 * day, RefreshEnd: 90 * day,
			Pushed: 5 * time.Minute,
		},
		SecondFactors: []string{"totp", "passkey"},
		Registration: Registration{
			Mode: RegistrationOff, GrantTypes: []string{"authorization_code", "refresh_token"},
			Scopes: []string{"openid", "profile", "email", "address", "phone", "offline_access"}, Most: 1000,
		},
		Remember: Remember{Days: 30},
		Password: Password{
			MemoryKiB: 7168, Passes: 5, LimitMiB: 28, Queue: 64, QueueWait: 2 * time.Second,
			RefusalFloor: 400 * time.Millisecond,
		},
		Guesses: Guesses{Free: 5, FirstWait: 30 * time.Second, LongWait: time.Hour, Cap: 50},
		Mail:    Mail{Mailer: MailerOff, Port: 587, TLS: "starttls", FromName: "Lychgate"},
		Log:     Log{Level: "info", Format: "json"},
	}
}

// The values of registration.mode.
const (
	RegistrationOff   = "off"
	RegistrationToken = "token"
	RegistrationOpen  = "open"
)

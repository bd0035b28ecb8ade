// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"crypto/subtle"
	"encoding/json"
	"log/slog"
	"slices"
	"time"
)

// Secret is one of the secrets of a client: what is kept of it.
type Secret struct {
	// Digest is hex of HMAC-SHA-256 with the pepper.
	Digest string `json:"digest"`
	// Plain is the secret itself, for client_secret_jwt alone, which cannot do without it.
	Plain string `json:"plain,omitempty"`
	// Hint is how it ends: its last four characters, for people who have two to tell apart.
	Hint string `json:"hint,omitempty"`
	// Made and Ends are Unix seconds; Ends is the first second in which it is refused, 0: never.
	Made int64 `json:"made,omitempty"`
	Ends int64 `json:"ends,omitempty"`
}

// UnmarshalJSON reads a secret; records of before there was more to say hold the digest as a text.
func (s *Secret) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		*s = Secret{}
		return json.Unmarshal(b, &s.Digest)
	}
	type plain Secret
	return json.Unmarshal(b, (*plain)(s))
}

// MaxSecrets is how many secrets of a client are in force at once, so that an app can be changed over.
const MaxSecrets = 2

// ID names the secret where people choose among them: 8 characters that open nothing.
func (s Secret) ID() string { return s.Digest[:min(8, len(s.Digest))] }

// Ended says whether the secret is refused at now.
func (s Secret) Ended(now time.Time) bool { return s.Ends != 0 && now.Unix() >= s.Ends }

// LogValue keeps the digest out of the logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue("[redacted] secret") }

// AddSecret puts a secret in front of those in force and leaves at most one beside it, so that an app can be changed
// over; digest is how it is kept.
func (c *Client) AddSecret(secret string, digest func(string) string, now time.Time) {
	s := Secret{Digest: digest(secret), Made: now.Unix(), Hint: hint(secret)}
	if c.AuthMethod == AuthSecretJWT {
		s.Plain = secret
	}
	list := []Secret{s}
	for _, old := range c.Secrets {
		if !old.Ended(now) && len(list) < MaxSecrets {
			list = append(list, old)
		}
	}
	c.Secrets = list
}

// HasSecret says whether one of the secrets in force has the digest.
func (c *Client) HasSecret(digest string, now time.Time) bool {
	return slices.ContainsFunc(c.Secrets, func(s Secret) bool {
		return subtle.ConstantTimeCompare([]byte(s.Digest), []byte(digest)) == 1 && !s.Ended(now)
	})
}

// KeepSecrets takes over the secrets of the description before; the plain ones only where they are needed.
func (c *Client) KeepSecrets(before *Client) {
	c.Secrets = nil
	if !c.KeepsSecret() {
		return
	}
	for _, s := range before.Secrets {
		if c.AuthMethod != AuthSecretJWT {
			s.Plain = ""
		}
		c.Secrets = append(c.Secrets, s)
	}
}

// hint is the end of a secret: four of 43 characters say nothing to who does not have it.
func hint(secret string) string {
	const shown, least = 4, 32
	if len(secret) < least {
		return ""
	}
	return secret[len(secret)-shown:]
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
)

// keycloakCredential is a CredentialRepresentation; secretData and credentialData are JSON in a text.
type keycloakCredential struct {
	Type           string `json:"type"`
	Value          string `json:"value"`
	SecretData     string `json:"secretData"`
	CredentialData string `json:"credentialData"`
}

// LogValue keeps what is in it out of the logs.
func (c keycloakCredential) LogValue() slog.Value { return slog.StringValue("[redacted] credential") }

// keycloakCredentials takes the first password and the first authenticator app that can be taken.
func keycloakCredentials(p *Person, list []keycloakCredential) {
	for i, c := range list {
		field := fmt.Sprintf("credentials[%d]", i)
		switch c.Type {
		case "password":
			hash, err := c.password()
			switch {
			case err != nil:
				p.note(field, "password: %s", err)
			case p.PasswordHash != "":
				p.note(field, "another password; one is taken")
			default:
				p.PasswordHash = hash
			}
		case "password-history":
		case "otp":
			p.HadFactor = true
			key, err := c.totp()
			switch {
			case err != nil:
				p.note(field, "authenticator app: %s", err)
			case p.TOTPSecret != nil:
				p.note(field, "another authenticator app; one is taken")
			default:
				p.TOTPSecret = key
			}
		default:
			p.HadFactor = p.HadFactor || strings.HasPrefix(c.Type, "webauthn")
			p.note(field, "%s: is bound to the provider before, or of a kind that is not here; the person sets up anew", Show(c.Type))
		}
	}
}

// keycloakHash is what secretData and credentialData of a password hold.
type keycloakHash struct {
	Value      string              `json:"value"`
	Salt       string              `json:"salt"`
	Iterations uint64              `json:"hashIterations"`
	Algorithm  string              `json:"algorithm"`
	Parameters map[string][]string `json:"additionalParameters"`
}

// LogValue keeps the hash out of the logs.
func (keycloakHash) LogValue() slog.Value { return slog.StringValue("[redacted] hash") }

// password makes a record of the hash.
func (c keycloakCredential) password() (string, error) {
	if c.Value != "" {
		return "", fmt.Errorf("in plain text; %w", errHashKind)
	}
	var secret, data keycloakHash
	if json.Unmarshal([]byte(c.SecretData), &secret) != nil || json.Unmarshal([]byte(c.CredentialData), &data) != nil {
		return "", errHashForm
	}
	salt, saltErr := base64.StdEncoding.DecodeString(secret.Salt)
	tag, tagErr := base64.StdEncoding.DecodeString(secret.Value)
	if saltErr != nil || tagErr != nil {
		return "", errHashForm
	}
	switch data.Algorithm {
	case "pbkdf2":
		return pbkdf2("pbkdf2-sha1", data.Iterations, salt, tag), nil
	case "pbkdf2-sha256", "pbkdf2-sha512":
		return pbkdf2(data.Algorithm, data.Iterations, salt, tag), nil
	case "argon2":
		return data.argon2(salt, tag)
	}
	return "", errHashKind
}

// argon2 reads the costs. The length of the hash is that of the hash itself.
func (h keycloakHash) argon2(salt, tag []byte) (string, error) {
	if h.parameter("type") != "id" || h.parameter("version") != "1.3" {
		return "", errHashKind
	}
	memory, err := strconv.ParseUint(h.parameter("memory"), 10, 32)
	if err != nil {
		return "", errHashForm
	}
	threads, err := strconv.ParseUint(h.parameter("parallelism"), 10, 32)
	if err != nil {
		return "", errHashForm
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$%s$%s", memory, h.Iterations, threads,
		enc.EncodeToString(salt), enc.EncodeToString(tag)), nil
}

func (h keycloakHash) parameter(name string) string {
	if list := h.Parameters[name]; len(list) == 1 {
		return list[0]
	}
	return ""
}

// totp reads the key of an authenticator app: the bytes of the text itself, or Base32 where it says so.
func (c keycloakCredential) totp() ([]byte, error) {
	var secret struct {
		Value string `json:"value"`
	}
	var data struct {
		SubType, Algorithm, SecretEncoding string
		Digits, Period                     int
	}
	if json.Unmarshal([]byte(c.SecretData), &secret) != nil || json.Unmarshal([]byte(c.CredentialData), &data) != nil {
		return nil, errTOTPForm
	}
	if data.SubType != "totp" || data.Digits != 6 || data.Period != 30 || data.Algorithm != "HmacSHA1" {
		return nil, errTOTPKind
	}
	switch data.SecretEncoding {
	case "":
		return totpKey([]byte(secret.Value))
	case "BASE32":
		return totpText(secret.Value)
	}
	return nil, errTOTPForm
}

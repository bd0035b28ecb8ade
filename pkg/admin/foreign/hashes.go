// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// What can be wrong with a hash. Its bounds are for the directory to check.
var (
	errHashKind = errors.New("a kind of hash that is not taken: argon2id, bcrypt and PBKDF2 with SHA-1, SHA-256 or SHA-512 are")
	errHashForm = errors.New("a hash that cannot be read")
)

// phc reads a hash in one of the forms that password libraries write: PHC, passlib's, crypt(3)'s.
func phc(s string) (string, error) {
	s = strings.TrimPrefix(s, "{CRYPT}")
	name, _, _ := strings.Cut(strings.TrimPrefix(s, "$"), "$")
	switch name {
	case "2a", "2b", "2y", "argon2id":
		return s, nil
	case "pbkdf2", "pbkdf2-sha1", "pbkdf2-sha256", "pbkdf2-sha512":
		return passlib(name, strings.Split(s, "$"))
	}
	return "", errHashKind
}

// passlib reads $pbkdf2-sha256$29000$salt$hash, and i=29000,l=32 in the place of the number. Both write base64 without
// padding; passlib has "." in the place of "+".
func passlib(name string, parts []string) (string, error) {
	if len(parts) != 5 {
		return "", errHashForm
	}
	rounds, length, hasLength := strings.Cut(strings.TrimPrefix(parts[2], "i="), ",l=")
	n, err := strconv.ParseUint(rounds, 10, 32)
	salt, saltErr := loose(parts[3])
	tag, tagErr := loose(parts[4])
	if err != nil || saltErr != nil || tagErr != nil || hasLength && length != strconv.Itoa(len(tag)) {
		return "", errHashForm
	}
	if name == "pbkdf2" {
		name = "pbkdf2-sha1"
	}
	return pbkdf2(name, n, salt, tag), nil
}

// loose reads base64 with or without padding, and with "." for "+".
func loose(s string) ([]byte, error) {
	return base64.RawStdEncoding.DecodeString(strings.ReplaceAll(strings.TrimRight(s, "="), ".", "+"))
}

func pbkdf2(name string, iterations uint64, salt, tag []byte) string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$%s$i=%d$%s$%s", name, iterations, enc.EncodeToString(salt), enc.EncodeToString(tag))
}

// What can be wrong with an authenticator.
var (
	errTOTPKind = errors.New("not SHA-1, 6 digits, 30 s; the person sets up anew")
	errTOTPForm = errors.New("a key that cannot be read; the person sets up anew")
	errTOTPSize = errors.New("a key of less than 20 or more than 64 bytes (RFC 4226 §4); the person sets up anew")
)

// totpKey checks the length of a key.
func totpKey(key []byte) ([]byte, error) {
	if len(key) < 20 || len(key) > 64 {
		return nil, errTOTPSize
	}
	return key, nil
}

// totpText reads a key in Base32.
func totpText(text string) ([]byte, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		return nil, errTOTPForm
	}
	return totpKey(key)
}

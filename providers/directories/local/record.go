// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Bounds of a record, ours or imported: a record of 4 GiB would stop the node that checks it (decisions.md).
const (
	maxMemory  = 64 << 10 // KiB
	maxPasses  = 10
	maxThreads = 4
	minSalt    = 8
	maxSalt    = 64
	minTag     = 16
	maxTag     = maxSalt
	// maxRecord is more than the longest record within those bounds.
	maxRecord = 256
)

var errRecord = errors.New("not a record of argon2id within the bounds: $argon2id$v=19$m=…,t=…,p=…$salt$hash with " +
	"m to 65536, t to 10, p to 4, a salt of 8 to 64 bytes, a hash of 16 to 64 bytes; or one of bcrypt or PBKDF2")

// record is a parsed password record.
type record struct {
	memory, passes uint32
	threads        uint8
	salt, tag      []byte
}

// String returns the PHC form, canonical: one record has one form.
func (r record) String() string {
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, r.memory, r.passes, r.threads,
		enc.EncodeToString(r.salt), enc.EncodeToString(r.tag))
}

// parse reads the PHC form of argon2id, strictly. The error never quotes what it read.
func parse(phc string) (record, error) {
	if len(phc) > maxRecord {
		return record{}, errRecord
	}
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return record{}, errRecord
	}
	costs := strings.Split(parts[3], ",")
	if len(costs) != 3 {
		return record{}, errRecord
	}
	var r record
	var ok [5]bool
	var threads uint32
	r.memory, ok[0] = cost(costs[0], "m=", maxMemory)
	r.passes, ok[1] = cost(costs[1], "t=", maxPasses)
	threads, ok[2] = cost(costs[2], "p=", maxThreads)
	r.threads = uint8(threads) //nolint:gosec // at most maxThreads
	r.salt, ok[3] = bytesOf(parts[4], minSalt)
	r.tag, ok[4] = bytesOf(parts[5], minTag)
	// RFC 9106 §3.1: at least 8 KiB for each lane. The last test refuses a second spelling of the same record.
	if ok != [5]bool{true, true, true, true, true} || r.memory < 8*threads || r.String() != phc {
		return record{}, errRecord
	}
	return r, nil
}

func cost(s, prefix string, limit uint64) (uint32, bool) {
	digits, ok := strings.CutPrefix(s, prefix)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 32)
	return uint32(n), err == nil && n >= 1 && n <= limit
}

func bytesOf(s string, least int) ([]byte, bool) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	return b, err == nil && len(b) >= least && len(b) <= maxTag
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"strings"
	"testing"
)

const good = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"

func TestCheckRecord(t *testing.T) {
	salt, tag := "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	of := func(costs string) string { return "$argon2id$v=19$" + costs + "$" + salt + "$" + tag }
	for _, ok := range []string{good, of("m=65536,t=10,p=4"), of("m=8,t=1,p=1"), of("m=32,t=1,p=4")} {
		if err := CheckRecord(ok); err != nil {
			t.Errorf("CheckRecord(%q) = %v", ok, err)
		}
	}
	for name, bad := range map[string]string{
		"nothing": "", "words": "hunter2", "argon2i": strings.Replace(good, "argon2id", "argon2i", 1),
		"version": strings.Replace(good, "v=19", "v=16", 1), "no version": strings.Replace(good, "$v=19", "", 1),
		"much memory": of("m=65537,t=2,p=1"), "all memory": of("m=4294967295,t=2,p=1"), "more memory": of("m=4294967296,t=2,p=1"),
		"no memory": of("m=0,t=2,p=1"), "little memory": of("m=7,t=1,p=1"), "little memory for threads": of("m=31,t=1,p=4"),
		"many passes": of("m=256,t=11,p=1"), "no passes": of("m=256,t=0,p=1"), "all passes": of("m=256,t=4294967295,p=1"),
		"many threads": of("m=256,t=1,p=5"), "no threads": of("m=256,t=1,p=0"), "threads over a byte": of("m=256,t=1,p=257"),
		"order": of("t=2,m=256,p=1"), "sign": of("m=+256,t=2,p=1"), "minus": of("m=-256,t=2,p=1"), "zeros": of("m=0256,t=2,p=1"),
		"hex": of("m=0x100,t=2,p=1"), "space": of("m= 256,t=2,p=1"), "more": of("m=256,t=2,p=1,keyid=x"), "less": of("m=256,t=2"),
		"padding": good + "=", "newline": good + "\n", "newline inside": strings.Replace(good, "nf65", "nf6\n5", 1),
		"url letters": strings.Replace(good, "/", "_", 1), "loose bits": strings.Replace(good, "c29tZXNhbHQ", "c29tZXNhbHR", 1),
		"short salt": strings.Replace(good, salt, "c29tZXNh", 1), "no salt": strings.Replace(good, salt, "", 1),
		"short hash": strings.Replace(good, tag, "nf65EOgLrQMR", 1), "no hash": strings.TrimSuffix(good, tag),
		"long salt": strings.Replace(good, salt, strings.Repeat("AAAA", 22), 1), "long hash": strings.Replace(good, tag, strings.Repeat("AAAA", 22), 1),
		"prefix": "x" + good, "more parts": good + "$x", "10 KB": good + strings.Repeat("A", 10_000),
	} {
		err := CheckRecord(bad)
		if err == nil {
			t.Errorf("CheckRecord with %s, %.80q = nil, want an error", name, bad)
			continue
		}
		if strings.Contains(err.Error(), tag) {
			t.Errorf("the error quotes the hash: %v", err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, phc string) {
		r, err := parse(phc)
		if err != nil {
			return
		}
		if r.String() != phc {
			t.Errorf("parse(%q).String() = %q", phc, r.String())
		}
		if r.memory > maxMemory || r.passes > maxPasses || r.threads > maxThreads || r.memory < 8*uint32(r.threads) ||
			r.passes < 1 || r.threads < 1 || len(r.salt) < minSalt || len(r.salt) > maxSalt || len(r.tag) < minTag || len(r.tag) > maxTag {
			t.Errorf("parse(%q) is out of bounds", phc)
		}
	})
}

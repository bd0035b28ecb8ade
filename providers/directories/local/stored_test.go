// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package local

import (
	"strings"
	"testing"
)

// foreignVectors are records that other programs made of longPassword.
func foreignVectors() map[string]string {
	return map[string]string{
		// htpasswd -nbBC 6 u 'a quiet morning by the canal'
		"bcrypt 2y": "$2y$06$RmEuGtO2IEbG3qwnwWC/aO5ojDfw38d.ocK1tEDF5.zZhE5H94mhm",
		// python3: bcrypt.hashpw(b'…', bcrypt.gensalt(5, b'2b')), and b'2a'
		"bcrypt 2b": "$2b$05$9t3JlD9n7o5iGc.nmc2fJu6b.6rpAJurM25y1zy8iEtRVUqM5b2BK",
		"bcrypt 2a": "$2a$05$MDEhV/guWy0XVQZ9BhEtxOsoLHWc4BzTXc2PNqlVylcGKRfB4TCfe",
		// python3: passlib.hash.pbkdf2_sha1.using(rounds=1000, salt_size=16).hash('…'), and sha256, sha512; "." is "+" here.
		"pbkdf2 sha1":   "$pbkdf2-sha1$i=1000$yplTCgEAYGyNsZayNobw/g$AkJcDEgPbKNINoMhBk1s6gpqi/I",
		"pbkdf2 sha256": "$pbkdf2-sha256$i=1000$l5Lyvpfy3hsDQEgpZcw5pw$4bfrbP3SpPnCEG6DQDhvJELMnHXdzoVRTENoBCom2kI",
		"pbkdf2 sha512": "$pbkdf2-sha512$i=1000$LyWkFGLMGSPkfG9t7f3//w$S+Faxc9nPQq9UMMu+HxeHljBWeh8s6tGY1wVry62DM/5W7Xm1YlwEIk5vniGgvULPe5tJQc8xkT74YWoukQz9g",
		// python3: hashlib.pbkdf2_hmac('sha1', b'…', salt, 2000, 64), as Keycloak has it: more than one block
		"pbkdf2 sha1, 64 bytes":   "$pbkdf2-sha1$i=2000$dGpEtsOOGtA0VY+ipI/8Sg$F81bchS5SO/ZlDsM59sm9f6PiGiv+x28G8OQtSO/LeyXIwfOuSFM3d8NkVG0vJJPq1PuPPUuESuKr4G+lY+duQ",
		"pbkdf2 sha256, 64 bytes": "$pbkdf2-sha256$i=27500$I56yuWaecQ6O7NMZ/vezLQ$7HYvKp/DOtzgGE3fu55DXfoAVh0te+iNokjLfUe5J7IP5oP/WhaOyp8IoJysSFPfaHtVk55eLnlEizKPRw7sVg",
		// openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt 'pass:…' -kdfopt hexsalt:000102030405060708090a0b0c0d0e0f
		// -kdfopt iter:5000 -binary PBKDF2 | base64
		"pbkdf2 openssl": "$pbkdf2-sha256$i=5000$AAECAwQFBgcICQoLDA0ODw$SJ2IzyoTjLxg5fjwuNq4a9TeeJ69tHIC0+esM3w4Rd0",
		// echo -n '…' | argon2 somesaltsomesalt -id -t 2 -k 1024 -p 2 -l 32 -e
		"argon2": "$argon2id$v=19$m=1024,t=2,p=2$c29tZXNhbHRzb21lc2FsdA$pTKGp8WiKifHCzeur2UcH8c0/2wdiAJq9Phm+IcE6aQ",
	}
}

func TestForeignVectors(t *testing.T) {
	h := newHasher(t, cheap())
	for name, phc := range foreignVectors() {
		if err := CheckRecord(phc); err != nil {
			t.Errorf("CheckRecord of %s = %v", name, err)
			continue
		}
		r, err := parseStored(phc)
		if err != nil {
			t.Fatalf("parseStored of %s = %v", name, err)
		}
		for password, want := range map[string]bool{longPassword: true, longPassword + " ": false, longPassword[1:]: false, "x": false} {
			secret, _ := prepare(password)
			if got, err := h.matches(t.Context(), secret, r); got != want || err != nil {
				t.Errorf("%s matches %q = %v, %v, want %v", name, password, got, err, want)
			}
		}
		if r.current(h.cfg) {
			t.Errorf("%s counts as one that would be made today", name)
		}
	}
}

// TestForeignAmbiguous: a password that only a weak reading takes for the right one is wrong, or it would become the
// new record and lock its person out.
func TestForeignAmbiguous(t *testing.T) {
	h := newHasher(t, cheap())
	seventyTwo := strings.Repeat("x", 72)
	for name, tt := range map[string]struct{ phc, right, wrong string }{
		// python3: bcrypt.hashpw(b'x' * 72, bcrypt.gensalt(4)): bcrypt would not read the 73rd byte.
		"bcrypt, 73 bytes": {"$2b$04$zfmkaxZTetLVB9NCVWSFHudcVRP1Sj.aKl.oWgckT5jxu.XNWFMAi", seventyTwo, seventyTwo + "y"},
		// python3: bcrypt.hashpw(b'abc', bcrypt.gensalt(4)): bcrypt repeats the key with a NUL behind it.
		"bcrypt, NUL": {"$2b$04$yHUwAI5LwSqglVrcBvpnEeUgX2H7cQ1wsFoMYLtV3LM6o0InFCb4i", "abc", "abc\x00abc"},
		// python3: hashlib.pbkdf2_hmac('sha256', b'abc', salt, 100, 32): HMAC fills the key with NULs.
		"pbkdf2, NUL": {"$pbkdf2-sha256$i=100$/6kpeQEzbJgbqbVAFrmNmQ$9w33QYNfHxYq4Tm7oXJ98PI78/l+yPEVbgjnEImNuGo", "abc", "abc\x00"},
	} {
		r, err := parseStored(tt.phc)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for password, want := range map[string]bool{tt.right: true, tt.wrong: false} {
			if got, err := h.matches(t.Context(), []byte(password), r); got != want || err != nil {
				t.Errorf("%s: %q matches = %v, %v, want %v", name, password, got, err, want)
			}
		}
	}
}

// TestForeignBounds: a record that would stop the node, or that has two spellings, is refused before anything is hashed.
func TestForeignBounds(t *testing.T) {
	bcrypt := foreignVectors()["bcrypt 2b"]
	pbkdf2 := foreignVectors()["pbkdf2 sha256"]
	iterations := func(n string) string { return strings.Replace(pbkdf2, "i=1000", "i="+n, 1) }
	for _, ok := range []string{strings.Replace(bcrypt, "$05$", "$13$", 1), strings.Replace(bcrypt, "$05$", "$04$", 1), iterations("1000000"), iterations("1")} {
		if err := CheckRecord(ok); err != nil {
			t.Errorf("CheckRecord(%q) = %v", ok, err)
		}
	}
	for name, bad := range map[string]string{
		"bcrypt cost 14": strings.Replace(bcrypt, "$05$", "$14$", 1), "bcrypt cost 31": strings.Replace(bcrypt, "$05$", "$31$", 1),
		"bcrypt cost 3": strings.Replace(bcrypt, "$05$", "$03$", 1), "bcrypt cost": strings.Replace(bcrypt, "$05$", "$+5$", 1),
		"bcrypt 2x": strings.Replace(bcrypt, "$2b$", "$2x$", 1), "bcrypt 2": strings.Replace(bcrypt, "$2b$", "$2$", 1),
		"bcrypt short": bcrypt[:59], "bcrypt long": bcrypt + "a", "bcrypt letter": bcrypt[:59] + "+", "bcrypt newline": bcrypt[:59] + "\n",
		"pbkdf2 no rounds": iterations("0"), "pbkdf2 many": iterations("1000001"), "pbkdf2 4 billion": iterations("4294967295"),
		"pbkdf2 more": iterations("18446744073709551616"), "pbkdf2 sign": iterations("-1"), "pbkdf2 zeros": iterations("01000"),
		"pbkdf2 md5": strings.Replace(pbkdf2, "sha256", "md5", 1), "pbkdf2 no digest": strings.Replace(pbkdf2, "sha256", "", 1),
		"pbkdf2 length": strings.Replace(pbkdf2, "i=1000", "i=1000,l=32", 1), "pbkdf2 passlib": strings.Replace(pbkdf2, "i=1000", "1000", 1),
		"pbkdf2 no salt": strings.Replace(pbkdf2, "l5Lyvpfy3hsDQEgpZcw5pw", "", 1), "pbkdf2 padding": pbkdf2 + "=", "pbkdf2 more parts": pbkdf2 + "$x",
		"pbkdf2 short hash": pbkdf2[:len(pbkdf2)-30], "10 KB": pbkdf2 + strings.Repeat("A", 10_000),
		"argon2 4 GiB": strings.Replace(foreignVectors()["argon2"], "m=1024", "m=4294967295", 1),
		"sha-crypt":    "$6$rounds=5000$saltsalt$" + strings.Repeat("a", 86), "scrypt": "$scrypt$ln=16,r=8,p=1$" + pbkdf2[len(pbkdf2)-66:],
		"md5-crypt": "$1$saltsalt$aaaaaaaaaaaaaaaaaaaaaa", "plain": "hunter2hunter2",
	} {
		if err := CheckRecord(bad); err == nil {
			t.Errorf("CheckRecord with %s, %.80q = nil, want an error", name, bad)
		}
	}
}

func FuzzStored(f *testing.F) {
	for _, phc := range foreignVectors() {
		f.Add(phc)
	}
	f.Fuzz(func(t *testing.T, phc string) {
		r, err := parseStored(phc)
		if err != nil {
			return
		}
		memory, passes, threads := r.costs()
		if memory > maxMemory || passes > maxIterations || threads > maxThreads || passes < 1 {
			t.Errorf("parseStored(%q) is out of bounds: %d, %d, %d", phc, memory, passes, threads)
		}
		if s, ok := r.(interface{ String() string }); ok && s.String() != phc {
			t.Errorf("parseStored(%q).String() = %q", phc, s.String())
		}
	})
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package keys

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// TestSignaturesVerifyElsewhere: what is put together here is what another library reads, for every algorithm and
// type, with the header that names them and nothing more.
func TestSignaturesVerifyElsewhere(t *testing.T) {
	for _, alg := range Algs() {
		k, err := generate(alg, time.Unix(1, 0))
		if err != nil {
			t.Fatal(err)
		}
		a, err := newActive(k)
		if err != nil {
			t.Fatal(err)
		}
		for _, typ := range typs() {
			// Enough of them that an ES256 number with leading zeros is among them.
			for range 300 {
				checkElsewhere(t, a, typ)
				if alg == "RS256" || alg == "PS256" {
					break
				}
			}
		}
		if _, err := a.sign("other", []byte("{}")); err == nil {
			t.Errorf("%s signed a type it does not know", alg)
		}
	}
}

func checkElsewhere(t *testing.T, a *activeKey, typ Typ) {
	t.Helper()
	payload := []byte(`{"sub":"ä <&>"}`)
	token, err := a.sign(typ, payload)
	if err != nil {
		t.Fatal(err)
	}
	j, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(a.key.Alg)})
	if err != nil {
		t.Fatalf("%s: %v", token, err)
	}
	got, err := j.Verify(a.key.Signer.Public())
	if err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("Verify(%s) = %q, %v", token, got, err)
	}
	h := j.Signatures[0].Protected
	if h.KeyID != a.key.ID || h.ExtraHeaders[jose.HeaderType] != string(typ) || len(h.ExtraHeaders) != 1 {
		t.Errorf("header %+v, want kid %s and typ %s", h, a.key.ID, typ)
	}
}

// odd is a key that answers with the given bytes, as a broken key service might.
type odd struct {
	crypto.Signer
	answer []byte
}

func (o odd) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return o.answer, nil }

// TestOddSignaturesAreRefused: a signature of another form is never sent.
func TestOddSignaturesAreRefused(t *testing.T) {
	long := append([]byte{0x02, 33}, bytes.Repeat([]byte{0x7f}, 33)...)
	for name, der := range map[string][]byte{
		"empty":     {},
		"raw":       make([]byte, 64),
		"zero":      {0x30, 6, 0x02, 1, 0, 0x02, 1, 1},
		"negative":  {0x30, 6, 0x02, 1, 0x80, 0x02, 1, 1},
		"one":       {0x30, 3, 0x02, 1, 1},
		"three":     {0x30, 9, 0x02, 1, 1, 0x02, 1, 1, 0x02, 1, 1},
		"more":      {0x30, 6, 0x02, 1, 1, 0x02, 1, 1, 0},
		"too large": append([]byte{0x30, byte(len(long) + 3)}, append(long, 0x02, 1, 1)...),
	} {
		a, err := newActive(Key{ID: "k", Alg: "ES256", Signer: odd{answer: der}})
		if err != nil {
			t.Fatal(err)
		}
		if token, err := a.sign(TypID, []byte("{}")); !errors.Is(err, errSignature) {
			t.Errorf("%s: sign = %q, %v, want errSignature", name, token, err)
		}
	}
	short, err := fixed([]byte{0x30, 6, 0x02, 1, 1, 0x02, 1, 2}, 32)
	if err != nil || len(short) != 64 || short[31] != 1 || short[63] != 2 {
		t.Errorf("fixed = %x, %v, want each number in 32 bytes", short, err)
	}
}

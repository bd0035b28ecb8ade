// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"
	"time"
)

var b64 = base64.RawURLEncoding

type jwk struct {
	Kty string `json:"kty"`
	Kid string `json:"kid,omitempty"`
	Use string `json:"use,omitempty"`
	Alg string `json:"alg,omitempty"`
	Crv string `json:"crv,omitempty"`
	N   string `json:"n,omitempty"`
	E   string `json:"e,omitempty"`
	X   string `json:"x,omitempty"`
	Y   string `json:"y,omitempty"`
}

func (k jwk) public() (crypto.PublicKey, error) {
	dec := func(s string) *big.Int {
		raw, _ := b64.DecodeString(strings.TrimRight(s, "="))
		return new(big.Int).SetBytes(raw)
	}
	switch k.Kty {
	case "RSA":
		return &rsa.PublicKey{N: dec(k.N), E: int(dec(k.E).Int64())}, nil
	case "EC":
		var c elliptic.Curve
		switch k.Crv {
		case "P-256":
			c = elliptic.P256()
		case "P-384":
			c = elliptic.P384()
		case "P-521":
			c = elliptic.P521()
		default:
			return nil, fmt.Errorf("curve %q", k.Crv)
		}
		return &ecdsa.PublicKey{Curve: c, X: dec(k.X), Y: dec(k.Y)}, nil
	case "OKP":
		raw, err := b64.DecodeString(k.X)
		if err != nil || len(raw) != ed25519.PublicKeySize {
			return nil, errors.New("bad OKP key")
		}
		return ed25519.PublicKey(raw), nil
	}
	return nil, fmt.Errorf("key type %q", k.Kty)
}

type header struct {
	Alg string `json:"alg"`
	Kid string `json:"kid,omitempty"`
	Typ string `json:"typ,omitempty"`
}

func splitJWT(tok string) (h header, payload []byte, signed string, sig []byte, err error) {
	p := strings.Split(tok, ".")
	if len(p) != 3 {
		err = errors.New("not a compact JWS")
		return
	}
	raw, err := b64.DecodeString(p[0])
	if err != nil {
		return
	}
	if err = json.Unmarshal(raw, &h); err != nil {
		return
	}
	if payload, err = b64.DecodeString(p[1]); err != nil {
		return
	}
	sig, err = b64.DecodeString(p[2])
	signed = p[0] + "." + p[1]
	return
}

func verifySig(alg string, pub crypto.PublicKey, signed string, sig []byte) error {
	var hs crypto.Hash
	switch {
	case alg == "EdDSA" || alg == "Ed25519":
		k, ok := pub.(ed25519.PublicKey)
		if !ok || !ed25519.Verify(k, []byte(signed), sig) {
			return errors.New("bad EdDSA signature")
		}
		return nil
	case strings.HasSuffix(alg, "256"):
		hs = crypto.SHA256
	case strings.HasSuffix(alg, "384"):
		hs = crypto.SHA384
	case strings.HasSuffix(alg, "512"):
		hs = crypto.SHA512
	default:
		return fmt.Errorf("alg %q", alg)
	}
	h := hs.New()
	h.Write([]byte(signed))
	sum := h.Sum(nil)
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch {
		case strings.HasPrefix(alg, "RS"):
			return rsa.VerifyPKCS1v15(k, hs, sum, sig)
		case strings.HasPrefix(alg, "PS"):
			return rsa.VerifyPSS(k, hs, sum, sig, nil)
		}
	case *ecdsa.PublicKey:
		if strings.HasPrefix(alg, "ES") && len(sig)%2 == 0 && len(sig) > 0 {
			r, s := new(big.Int).SetBytes(sig[:len(sig)/2]), new(big.Int).SetBytes(sig[len(sig)/2:])
			if ecdsa.Verify(k, sum, r, s) {
				return nil
			}
			return errors.New("bad ECDSA signature")
		}
	}
	return fmt.Errorf("alg %q does not fit the key", alg)
}

func signES256(key crypto.Signer, kid string, claims any) (string, error) {
	k, ok := key.(*ecdsa.PrivateKey)
	if !ok {
		return "", errors.New("private_key_jwt needs a P-256 key")
	}
	h, _ := json.Marshal(header{Alg: "ES256", Kid: kid, Typ: "JWT"})
	p, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := b64.EncodeToString(h) + "." + b64.EncodeToString(p)
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		return "", err
	}
	sig := make([]byte, 64)
	r.FillBytes(sig[:32])
	s.FillBytes(sig[32:])
	return signed + "." + b64.EncodeToString(sig), nil
}

func signRS256(k *rsa.PrivateKey, kid string, claims any) (string, error) {
	h, _ := json.Marshal(header{Alg: "RS256", Kid: kid, Typ: "JWT"})
	p, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := b64.EncodeToString(h) + "." + b64.EncodeToString(p)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(rand.Reader, k, crypto.SHA256, sum[:])
	if err != nil {
		return "", err
	}
	return signed + "." + b64.EncodeToString(sig), nil
}

func publicJWK(k *ecdsa.PrivateKey, kid string) jwk {
	x, y := make([]byte, 32), make([]byte, 32)
	k.X.FillBytes(x)
	k.Y.FillBytes(y)
	return jwk{Kty: "EC", Crv: "P-256", Use: "sig", Alg: "ES256", Kid: kid, X: b64.EncodeToString(x), Y: b64.EncodeToString(y)}
}

// keygen writes a P-256 private key (PEM) and prints its public JWK Set.
func keygen(path string) error {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		return err
	}
	out, _ := json.Marshal(map[string]any{"keys": []jwk{publicJWK(k, keyID(k))}})
	fmt.Println(string(out))
	return nil
}

func keyID(k *ecdsa.PrivateKey) string {
	sum := sha256.Sum256(append(k.X.Bytes(), k.Y.Bytes()...))
	return b64.EncodeToString(sum[:12])
}

func loadKey(path string) (crypto.Signer, string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, "", err
	}
	blk, _ := pem.Decode(raw)
	if blk == nil {
		return nil, "", fmt.Errorf("%s: not PEM", path)
	}
	k, err := x509.ParsePKCS8PrivateKey(blk.Bytes)
	if err != nil {
		return nil, "", err
	}
	ec, ok := k.(*ecdsa.PrivateKey)
	if !ok {
		return nil, "", fmt.Errorf("%s: not an EC key", path)
	}
	return ec, keyID(ec), nil
}

// totp is RFC 6238 with HMAC-SHA-1, 30 s steps and 6 digits.
func totp(secret string, at time.Time) (string, error) {
	s := strings.ToUpper(strings.TrimRight(strings.ReplaceAll(secret, " ", ""), "="))
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(s)
	if err != nil {
		return "", err
	}
	var msg [8]byte
	binary.BigEndian.PutUint64(msg[:], uint64(at.Unix()/30))
	m := hmac.New(sha1.New, key)
	m.Write(msg[:])
	sum := m.Sum(nil)
	o := sum[len(sum)-1] & 15
	v := binary.BigEndian.Uint32(sum[o:o+4]) & 0x7fffffff
	return fmt.Sprintf("%06d", v%1000000), nil
}

func randToken(n int) string {
	b := make([]byte, n)
	rand.Read(b)
	return b64.EncodeToString(b)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"

	"github.com/lychgate/lychgate/pkg/admin/console"
)

// draftPurpose separates the keys of forms that are kept in an address from those of records.
const draftPurpose = "console-draft"

// newConsole returns the pages for admins.
func (s *Server) newConsole() (*console.Pages, error) {
	ring, err := sealRing(s.cfg.Secrets.Keys.Reveal())
	if err != nil {
		return nil, fmt.Errorf("secrets.keys: %w", err)
	}
	return console.New(console.Config{
		Site: s.site, Clerk: s.Office.Clerk, Companies: s.store.Companies(), Engine: s.engine, Issuer: s.cfg.Issuer,
		Seal: func(plain []byte) (string, error) {
			b, err := ring.Seal(s.deps.Now(), draftPurpose, plain, nil)
			return base64.RawURLEncoding.EncodeToString(b), err
		},
		Open: func(sealed string) ([]byte, error) {
			b, err := base64.RawURLEncoding.DecodeString(sealed)
			if err != nil {
				return nil, err
			}
			return ring.Open(draftPurpose, b, nil)
		},
		Audit: s.events, Now: s.deps.Now, Rand: cmp.Or[io.Reader](s.deps.Rand, rand.Reader),
	}), nil
}

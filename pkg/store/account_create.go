// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// idLen is 130 bits of base32.
	idLen = 26
	// maxID is OIDC Core §2, sub.
	maxID = 255
)

var errInput = errors.New("not valid")

// Create implements authn.AccountStore. The name is written last, so a name that can be found always has its
// account; if another takes the name meanwhile, the account that was made for it goes.
func (s accounts) Create(ctx context.Context, n authn.NewAccount) (authn.Account, error) {
	if n.Name == "" || n.PasswordRecord == "" || len(n.ID) > maxID || !printable(n.ID) {
		return authn.Account{}, fmt.Errorf("create account: name, password record or id: %w", errInput)
	}
	if n.State = cmp.Or(n.State, authn.Active); n.State != authn.Active && n.State != authn.Disabled {
		return authn.Account{}, fmt.Errorf("create account: state: %w", errInput)
	}
	index := s.key.name(s.index.Hash("name", n.Name))
	out, err := s.do(ctx, cmd{"exists", index})
	if err != nil {
		return authn.Account{}, fmt.Errorf("create account: %w", err)
	}
	if out[0] != int64(0) {
		return authn.Account{}, fmt.Errorf("create account: name: %w", authn.ErrExists)
	}
	id, err := s.place(ctx, n)
	if err != nil {
		return authn.Account{}, fmt.Errorf("create account: %w", err)
	}
	tag := s.index.Tag(id)
	rec, err := s.record(ctx, tag)
	if err == nil {
		// Before the name: who can sign in can be found.
		err = s.enter(ctx, rec)
	}
	if err != nil {
		return authn.Account{}, fmt.Errorf("create account: %w", err)
	}
	out, err = s.do(ctx, cmd{"set", index, id, "nx"})
	if err != nil {
		return authn.Account{}, fmt.Errorf("create account: write name: %w", err)
	}
	if out[0] == nil {
		_, err := s.do(context.WithoutCancel(ctx), cmd{"unlink", s.key.acct(tag), s.key.prof(tag), s.key.mfa(tag)})
		return authn.Account{}, fmt.Errorf("create account: name: %w", errors.Join(authn.ErrExists, err))
	}
	return rec.Account, nil
}

// place writes the account into its slot and returns its id. A tag that is in use by another id means a new id;
// an id that was given cannot be changed.
func (s accounts) place(ctx context.Context, n authn.NewAccount) (string, error) {
	for range 8 {
		id := n.ID
		if id == "" {
			var err error
			if id, err = s.randomText(idLen, lowerBase32); err != nil {
				return "", err
			}
		}
		ok, err := s.placeAs(ctx, id, n)
		if err != nil || ok {
			return id, err
		}
		if n.ID != "" {
			break
		}
	}
	return "", fmt.Errorf("id: %w", authn.ErrExists)
}

func (s accounts) placeAs(ctx context.Context, id string, n authn.NewAccount) (bool, error) {
	tag := s.index.Tag(id)
	p := profile{Canonical: n.Name, Profile: n.Profile}
	if p.Profile.Name == "" {
		p.Profile.Name = n.Name
	}
	if p.Profile.Created == 0 {
		p.Profile.Created = s.now().Unix()
	}
	prof, err := s.sealJSON("profile", s.key.prof(tag), p)
	if err != nil {
		return false, err
	}
	pw, err := s.seal("password", field(s.key.acct(tag), "pw"), []byte(n.PasswordRecord))
	if err != nil {
		return false, err
	}
	cred, secret := "", ""
	if len(n.TOTPSecret) > 0 {
		if cred, secret, err = s.newCredential(tag, "totp", n.TOTPSecret); err != nil {
			return false, err
		}
	}
	r, err := s.run(ctx, "account_create", []string{s.key.acct(tag), s.key.prof(tag), s.key.mfa(tag), s.key.erased(tag)},
		id, n.Company, pw, prof, cred, secret, string(n.State))
	if err != nil {
		return false, err
	}
	switch r.code() {
	case done:
		return true, nil
	case gone:
		return false, nil
	default:
		return false, refused(r.code())
	}
}

// printable says whether s is ASCII without control characters.
func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e })
}

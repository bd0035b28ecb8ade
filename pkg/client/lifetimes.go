// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"errors"
	"time"
)

// Lifetimes are how long what a client is issued lives: an opaque access token, an at+jwt, an ID token, and a refresh
// token from its last use and from the sign-in. The provider's are the most that a client can have.
type Lifetimes struct {
	Access, AccessJWT, IDToken, RefreshIdle, RefreshEnd time.Duration
}

// minLife is the least that a client can ask for, in seconds: less would end before an app has used it.
const minLife = 60

// Lifetimes are those of the client within the provider's: what the client does not say, or says longer, is the
// provider's.
func (c *Client) Lifetimes(most Lifetimes) Lifetimes {
	for _, l := range []struct {
		own  int64
		life *time.Duration
	}{
		{c.AccessTokenLife, &most.Access},
		{c.AccessTokenLife, &most.AccessJWT},
		{c.IDTokenLife, &most.IDToken},
		{c.RefreshTokenIdle, &most.RefreshIdle},
		{c.RefreshTokenLife, &most.RefreshEnd},
	} {
		if l.own > 0 && l.own < int64(*l.life/time.Second) {
			*l.life = time.Duration(l.own) * time.Second
		}
	}
	return most
}

// ValidateLifetimes reports every lifetime of c that is not within minLife and the provider's, as Validate does.
func ValidateLifetimes(c *Client, most Lifetimes) error {
	k := &checker{c: c}
	access := most.Access
	if c.JWTAccess() {
		access = most.AccessJWT
	}
	for _, l := range []struct {
		field string
		own   int64
		most  time.Duration
	}{
		{"lychgate_access_token_lifetime", c.AccessTokenLife, access},
		{"lychgate_id_token_lifetime", c.IDTokenLife, most.IDToken},
		{"lychgate_refresh_token_idle", c.RefreshTokenIdle, most.RefreshIdle},
		{"lychgate_refresh_token_lifetime", c.RefreshTokenLife, most.RefreshEnd},
	} {
		top := max(minLife, int64(l.most/time.Second))
		if l.own != 0 && (l.own < minLife || l.own > top) {
			k.add(l.field, "must be %d to %d seconds: the provider's own is the most", minLife, top)
		}
	}
	return errors.Join(k.errs...)
}

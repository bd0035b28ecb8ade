// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

func provider() client.Lifetimes {
	return client.Lifetimes{Access: time.Hour, AccessJWT: 5 * time.Minute, IDToken: time.Hour, RefreshIdle: 14 * 24 * time.Hour, RefreshEnd: 90 * 24 * time.Hour}
}

// TestLifetimesOnlyShorten: a client's lifetimes count where they are shorter than the provider's; nothing outlives what
// the provider allows, also where the provider was tightened after the client was described.
func TestLifetimesOnlyShorten(t *testing.T) {
	most := provider()
	if got := (&client.Client{}).Lifetimes(most); got != most {
		t.Errorf("of its own: %+v", got)
	}
	c := client.Client{AccessTokenLife: 120, IDTokenLife: 61, RefreshTokenIdle: 3600, RefreshTokenLife: 7200}
	want := client.Lifetimes{Access: 2 * time.Minute, AccessJWT: 2 * time.Minute, IDToken: 61 * time.Second, RefreshIdle: time.Hour, RefreshEnd: 2 * time.Hour}
	if got := c.Lifetimes(most); got != want {
		t.Errorf("shorter: %+v", got)
	}
	c = client.Client{AccessTokenLife: 1800, IDTokenLife: 1 << 62, RefreshTokenIdle: 1 << 62, RefreshTokenLife: 1 << 62}
	want = most
	want.Access = 30 * time.Minute
	if got := c.Lifetimes(most); got != want {
		t.Errorf("longer: %+v", got)
	}
}

func TestValidateLifetimes(t *testing.T) {
	for name, tt := range map[string]struct {
		c    client.Client
		want string
	}{
		"none":                   {client.Client{}, ""},
		"the most":               {client.Client{AccessTokenLife: 3600, IDTokenLife: 3600, RefreshTokenIdle: 14 * 86400, RefreshTokenLife: 90 * 86400}, ""},
		"the least":              {client.Client{AccessTokenLife: 60, IDTokenLife: 60, RefreshTokenIdle: 60, RefreshTokenLife: 60}, ""},
		"too short":              {client.Client{AccessTokenLife: 59}, "lychgate_access_token_lifetime must be 60 to 3600 seconds"},
		"negative":               {client.Client{IDTokenLife: -1}, "lychgate_id_token_lifetime must be 60 to 3600 seconds"},
		"too long":               {client.Client{RefreshTokenIdle: 14*86400 + 1}, "lychgate_refresh_token_idle must be 60 to 1209600 seconds"},
		"a JWT of ten minutes":   {client.Client{AccessTokenLife: 600, AccessTokenFormat: client.FormatJWT}, "lychgate_access_token_lifetime must be 60 to 300 seconds"},
		"a refresh for ever":     {client.Client{RefreshTokenLife: 1 << 62}, "lychgate_refresh_token_lifetime must be 60 to 7776000 seconds"},
		"an opaque of ten min":   {client.Client{AccessTokenLife: 600}, ""},
		"a JWT of four minutes":  {client.Client{AccessTokenLife: 240, AccessTokenFormat: client.FormatJWT}, ""},
		"everything is reported": {client.Client{AccessTokenLife: 1, RefreshTokenLife: 1}, "lychgate_refresh_token_lifetime"},
	} {
		err := client.ValidateLifetimes(&tt.c, provider())
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(strings.ReplaceAll(err.Error(), ":", ""), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

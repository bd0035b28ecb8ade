// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/lychgate/lychgate/pkg/client"
)

// TestOldRecords: records of before secrets had an age are still read.
func TestOldRecords(t *testing.T) {
	c, err := client.Unmarshal([]byte(`{"client_id":"app","secrets":["abcdef0123",{"digest":"9876543210","hint":"wxyz","made":7}]}`))
	want := []client.Secret{{Digest: "abcdef0123"}, {Digest: "9876543210", Hint: "wxyz", Made: 7}}
	if err != nil || cmp.Diff(want, c.Secrets) != "" {
		t.Errorf("Unmarshal() = %+v, %v", c, err)
	}
}

// TestAddSecret: two are in force at most, one that has ended makes room, and nothing but client_secret_jwt keeps the
// secret itself.
func TestAddSecret(t *testing.T) {
	now := time.Unix(1000, 0)
	digest := func(s string) string { return "d" + s[:9] }
	c := &client.Client{AuthMethod: client.AuthBasic}
	for _, s := range []string{strings.Repeat("a", 40), strings.Repeat("b", 40), strings.Repeat("c", 36) + "tail"} {
		c.AddSecret(s, digest, now)
	}
	want := []client.Secret{{Digest: "dccccccccc", Hint: "tail", Made: 1000}, {Digest: "dbbbbbbbbb", Hint: "bbbb", Made: 1000}}
	if d := cmp.Diff(want, c.Secrets); d != "" {
		t.Errorf("AddSecret() (-want +got):\n%s", d)
	}
	c.Secrets[1].Ends = 1001
	if !c.HasSecret("dbbbbbbbbb", now) || c.HasSecret("dbbbbbbbbb", now.Add(time.Second)) {
		t.Error("a secret does not end in the second that it was said to")
	}
	jwt := &client.Client{AuthMethod: client.AuthSecretJWT}
	jwt.AddSecret(strings.Repeat("x", 40), digest, now)
	if jwt.Secrets[0].Plain == "" {
		t.Error("client_secret_jwt cannot do without the secret")
	}
	basic := &client.Client{AuthMethod: client.AuthBasic}
	if basic.KeepSecrets(jwt); len(basic.Secrets) != 1 || basic.Secrets[0].Plain != "" {
		t.Errorf("KeepSecrets() = %+v", basic.Secrets)
	}
}

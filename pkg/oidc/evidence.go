// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import "github.com/lychgate/lychgate/pkg/grant"

// evidence is an entry of the claim lg_evidence: one thing that the person proved, when, and, for a second factor,
// whether it was shown (fresh) or a remembered device stood for it (device).
type evidence struct {
	Method string `json:"method"`
	At     int64  `json:"at"`
	How    string `json:"how,omitempty"`
}

// evidenceOf lists what stands behind a grant, the password first; nil where a client acts for itself.
func evidenceOf(g grant.Grant) []evidence {
	if g.AuthTime.IsZero() {
		return nil
	}
	out := make([]evidence, 1, 1+len(g.Evidence))
	out[0] = evidence{Method: "pwd", At: g.AuthTime.Unix()}
	for _, e := range g.Evidence {
		how := "fresh"
		if e.Device {
			how = "device"
		}
		out = append(out, evidence{e.Method, e.At.Unix(), how})
	}
	return out
}

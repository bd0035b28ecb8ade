// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"crypto/x509"
	"fmt"
	"os"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/oidc"
	"github.com/lychgate/lychgate/pkg/outgoing"
)

// newOutgoing makes the client for requests to what clients have registered.
func newOutgoing(cfg config.Config, deps Deps) (*outgoing.Client, error) {
	hosts, ranges, err := cfg.Outgoing()
	if err != nil {
		return nil, fmt.Errorf("outgoing_allow: %w", err)
	}
	out := outgoing.Config{Hosts: hosts, Ranges: ranges, Now: deps.Now}
	if cfg.OutgoingCAFile == "" {
		return outgoing.New(out), nil
	}
	pem, err := os.ReadFile(cfg.OutgoingCAFile)
	if err != nil {
		return nil, fmt.Errorf("outgoing_ca_file: %w", err)
	}
	if out.Roots, err = x509.SystemCertPool(); err != nil {
		out.Roots = x509.NewCertPool()
	}
	if !out.Roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("outgoing_ca_file: no certificate in %s", cfg.OutgoingCAFile)
	}
	return outgoing.New(out), nil
}

// newStatements reads the issuers whose software statements count.
func newStatements(file string) (oidc.Statements, error) {
	if file == "" {
		return nil, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("registration.statement_keys_file: %w", err)
	}
	out, err := oidc.ParseStatements(raw)
	if err != nil {
		return nil, fmt.Errorf("registration.statement_keys_file: %w", err)
	}
	return out, nil
}

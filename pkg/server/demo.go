// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"fmt"
	"time"

	"github.com/lychgate/lychgate/pkg/store/embedded"
	"github.com/lychgate/lychgate/providers/totp"
	"github.com/lychgate/lychgate/templates"
)

// Embedded starts the store that keeps everything in this process's memory and forgets it at the end, for the demo.
func Embedded() (addr string, stop func(), err error) {
	e, err := embedded.Start()
	if err != nil {
		return "", nil, fmt.Errorf("embedded store: %w", err)
	}
	return e.Addr(), e.Close, nil
}

// Templates are the pages, for the sample app of the demo.
func (s *Server) Templates() *templates.Set { return s.pages }

// DemoCode is what an authenticator app shows for a secret, for demo accounts alone.
func DemoCode(secret []byte, at time.Time) (string, error) { return totp.Code(secret, at) }

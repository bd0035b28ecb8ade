// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/logout"
)

// crier tells apps that sessions have ended, beside the requests.
type crier struct {
	sender *logout.Sender
	done   sync.WaitGroup
}

func (s *Server) newCrier(events *audit.Log) *crier {
	return &crier{sender: logout.New(logout.Config{
		Queue: s.store.Ends(), Token: s.logoutToken, Now: s.deps.Now, Log: s.deps.Log,
		Post: func(ctx context.Context, uri, contentType string, body []byte) (int, error) {
			status, err := s.outgoing.Post(ctx, uri, contentType, body)
			s.metrics.told(status, err)
			return status, err
		},
		GaveUp: func(ctx context.Context, f logout.Failure) {
			events.Event(ctx, audit.LogoutFailed, slog.String("client", f.ClientID), slog.String("account", f.AccountID),
				slog.Int("tries", f.Tries), slog.String("result", f.Reason))
		},
	})}
}

func (s *Server) logoutToken(ctx context.Context, e logout.Entry) (uri, token string, err error) {
	uri, token, err = s.engine.LogoutToken(ctx, e.ClientID, e.AccountID, e.SID)
	if errors.Is(err, authn.ErrNotFound) {
		err = fmt.Errorf("%w: %w", logout.ErrNobody, err)
	}
	return uri, token, err
}

// FlushEnds tells all apps that are to be told now; for tests, which do not wait for the sender.
func (s *Server) FlushEnds(ctx context.Context) error { return s.crier.sender.Flush(ctx) }

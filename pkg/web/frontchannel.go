// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/lychgate/lychgate/pkg/session"
	"github.com/lychgate/lychgate/templates"
)

// leadOnAfter is how many seconds the frames of a signed-out page have before it leads on by itself.
const leadOnAfter = 3

// frames are the addresses that the browser loads to sign out of the apps of a session that ends (Front-Channel Logout 1.0
// §2, §3): one for each app that registered one, and for each sid that it was given.
func (s *Site) frames(ctx context.Context, v session.View) ([]string, error) {
	served, err := s.cfg.Sessions.Served(ctx, v.Session.Handle)
	if err != nil {
		return nil, fmt.Errorf("apps of the session: %w", err)
	}
	var out []string
	for _, of := range served {
		c, err := s.cfg.Clients.Client(ctx, of.ClientID)
		if err != nil || c.Disabled || c.FrontchannelURI == "" {
			// An app that is gone, or cannot be looked up now, must not keep anybody signed in.
			continue
		}
		uri := c.FrontchannelURI
		if c.FrontchannelSession {
			uri = withQuery(uri, "iss="+url.QueryEscape(s.cfg.Issuer)+"&sid="+url.QueryEscape(of.SID))
		}
		if !slices.Contains(out, uri) {
			out = append(out, uri)
		}
	}
	return out, nil
}

// withQuery adds a query to an address, whose own stays as it was registered.
func withQuery(uri, query string) string {
	if strings.Contains(uri, "?") {
		return uri + "&" + query
	}
	return uri + "?" + query
}

// signedOut shows that the person is signed out. With frames it signs them out of other apps meanwhile, and then leads on
// to next, if there is one: by a header, so that no script is needed, and by its button.
func (s *Site) signedOut(w http.ResponseWriter, r *http.Request, p templates.SignedOut, frames []string, next string) {
	p.SwitchURL, p.Frames = "", frames
	if next != "" {
		p.Back, p.LeadsOn = next, true
		// A quote or a space would end the address early.
		w.Header().Set("Refresh", fmt.Sprintf("%d;url=%s", leadOnAfter, next))
	}
	s.show(w, r, http.StatusOK, p, func(h http.Header) {
		headers(h, nil)
		frameSources(h, frames)
	})
}

// frameSources lets a page load frames from the origins of the given addresses, and from nowhere else.
func frameSources(h http.Header, frames []string) {
	var origins []string
	for _, uri := range frames {
		if o := origin(uri); !slices.Contains(origins, o) {
			origins = append(origins, o)
		}
	}
	if len(origins) > 0 {
		h.Set("Content-Security-Policy", h.Get("Content-Security-Policy")+"; frame-src "+strings.Join(origins, " "))
	}
}

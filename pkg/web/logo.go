// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"
	_ "image/gif"  // the kinds of pictures that are read
	_ "image/jpeg" // likewise
	"image/png"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
)

// The bounds of an app's logo. A page waits for it for logoPatience at most and does without it then.
const (
	maxLogoSide  = 1024
	maxLogoArea  = 512 * 1024
	maxLogos     = 64
	logoPatience = 500 * time.Millisecond
)

var errLogo = errors.New("logo: not a PNG, JPEG or GIF of at most 1024 pixels a side and 524288 in all")

// logos are pictures as we show them: read, and written anew, so that nothing that an app sends reaches a browser as it
// is, and no browser tells the app who looks (decisions.md, dynamic registration).
type logos struct {
	mu  sync.Mutex
	all map[[sha256.Size]byte][]byte
	// one decodes at a time: a picture takes two megabytes.
	one sync.Mutex
}

// picture returns the logo of a client as a PNG.
func (s *Site) picture(ctx context.Context, c *client.Client) ([]byte, error) {
	if c.LogoURI == "" || s.cfg.Fetch == nil {
		return nil, errLogo
	}
	ctx, cancel := context.WithTimeout(ctx, logoPatience)
	defer cancel()
	raw, err := s.cfg.Fetch(ctx, c.LogoURI)
	if err != nil {
		return nil, err
	}
	return s.logos.anew(raw)
}

// anew returns the picture written anew; one that is not good is kept as nothing, so that it is not read again.
func (l *logos) anew(raw []byte) ([]byte, error) {
	key := sha256.Sum256(raw)
	l.mu.Lock()
	out, known := l.all[key]
	l.mu.Unlock()
	if !known {
		out = l.rewrite(raw)
		l.mu.Lock()
		if l.all == nil || len(l.all) >= maxLogos {
			l.all = map[[sha256.Size]byte][]byte{}
		}
		l.all[key] = out
		l.mu.Unlock()
	}
	if out == nil {
		return nil, errLogo
	}
	return out, nil
}

// rewrite decodes a picture after a look at its size, and encodes it; nil for what is none.
func (l *logos) rewrite(raw []byte) []byte {
	size, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil || size.Width < 1 || size.Height < 1 || size.Width > maxLogoSide || size.Height > maxLogoSide ||
		size.Width*size.Height > maxLogoArea {
		return nil
	}
	l.one.Lock()
	defer l.one.Unlock()
	img, _, err := image.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil
	}
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		return nil
	}
	return out.Bytes()
}

// serveLogo shows the logo of an app from our own address.
func (s *Site) serveLogo(w http.ResponseWriter, r *http.Request) error {
	c, err := s.clientOf(r.Context(), nil, r.PathValue("id"))
	if err != nil {
		return &Error{Status: http.StatusNotFound, Kind: "notfound", Err: err}
	}
	b, err := s.picture(r.Context(), c)
	if err != nil {
		return &Error{Status: http.StatusNotFound, Kind: "notfound", Err: err}
	}
	h := w.Header()
	h.Set("Content-Type", "image/png")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'")
	h.Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(b)
	return nil
}

// logoURL is where a page finds the logo of c; empty if there is none to show now.
func (s *Site) logoURL(ctx context.Context, c *client.Client) string {
	if _, err := s.picture(ctx, c); err != nil {
		return ""
	}
	return "/logo/" + url.PathEscape(c.ID)
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/idptest"
)

// An app's logo is read by us, written anew, and shown from our own address; what is no picture, too large, or away
// leaves the page as it is without one.
func TestLogo(t *testing.T) {
	var asked atomic.Int64
	source, file := tlsSource(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/good":
			w.Header().Set("Content-Type", "text/html") // what a source says of itself does not count
			_, _ = w.Write(append(picture(t, 40, 20), "<script>alert(1)</script>"...))
		case "/wide":
			_, _ = w.Write(picture(t, 900, 360))
		case "/long":
			_, _ = w.Write(picture(t, 1025, 10))
		case "/large":
			_, _ = w.Write(picture(t, 1024, 513))
		case "/svg":
			_, _ = w.Write([]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	})
	p := idptest.New(t, idptest.Setup{Change: func(c *config.Config) {
		c.OutgoingAllow, c.OutgoingCAFile = []string{source.Listener.Addr().String()}, file
	}})
	sizes := map[string]image.Rectangle{"good": image.Rect(0, 0, 40, 20), "wide": image.Rect(0, 0, 900, 360)}
	for name, shown := range map[string]bool{"good": true, "wide": true, "long": false, "large": false, "svg": false, "away": false} {
		rp := p.NewRP(t, name, func(c *client.Client) { c.Name, c.LogoURI = "Tide", source.URL+"/"+name })
		page := withLogo(t, p, rp)
		img := page.Find("header img.brand-logo")
		if page.Status != http.StatusOK || (img.Length() == 1) != shown || (page.Find("header svg.brand-logo").Length() == 1) == shown {
			t.Errorf("%s: status %d, page %s", name, page.Status, page.Body)
		}
		if strings.Contains(page.Body, source.URL) || strings.Contains(page.Header.Get("Content-Security-Policy"), source.URL) {
			t.Errorf("%s: the page leads a browser to the app's own picture", name)
		}
		got := p.Browser(t).Get(t, p.Issuer+"/logo/"+name)
		if !shown {
			if got.Status != http.StatusNotFound {
				t.Errorf("%s: /logo answers %d", name, got.Status)
			}
			continue
		}
		img2, err := png.Decode(strings.NewReader(got.Body))
		if err != nil || img2.Bounds() != sizes[name] || strings.Contains(got.Body, "script") || got.Header.Get("Content-Type") != "image/png" {
			t.Errorf("%s: %v, %v", name, err, got.Header)
		}
	}
	before := asked.Load()
	p.Browser(t).Get(t, p.Issuer+"/logo/good")
	if asked.Load() != before {
		t.Error("the source is asked again for a picture that is known")
	}
	if got := p.Browser(t).Get(t, p.Issuer+"/logo/nobody"); got.Status != http.StatusNotFound {
		t.Errorf("/logo of an unknown app answers %d", got.Status)
	}
}

// withLogo is the sign-in page of an app. A page waits half a second for a logo; on a busy machine the next one has it.
func withLogo(t *testing.T, p *idptest.IDP, rp *idptest.RelyingParty) *idptest.Page {
	t.Helper()
	page := p.Browser(t).Get(t, rp.AuthURL())
	if page.Find("header img.brand-logo").Length() == 0 {
		page = p.Browser(t).Get(t, rp.AuthURL())
	}
	return page
}

func picture(t *testing.T, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	img.Set(1, 1, color.RGBA{R: 255, A: 255})
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// A sign-in that ran out of time leads back to where the app begins one (OIDC Core §4).
func TestExpiredLeadsToInitiateLogin(t *testing.T) {
	p := idptest.New(t, idptest.Setup{})
	rp := p.NewRP(t, "tide", func(c *client.Client) { c.InitiateLoginURI = "https://tide.example.com/login" })
	p.AddAccount(t, "ben", "plain")
	page := p.Browser(t).Get(t, rp.AuthURL())
	p.Advance(11 * time.Minute)
	page = page.Login(t, "ben", idptest.Password)
	link, _ := page.Find("main a.button, main a.primary").Attr("href")
	if page.Status != http.StatusBadRequest || link != "https://tide.example.com/login?iss="+url.QueryEscape(p.Issuer) {
		t.Errorf("status %d, link %q: %s", page.Status, link, page.Body)
	}
}

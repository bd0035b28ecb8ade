// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package oidc

import (
	"context"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/client"
)

// Desk registers clients that come by themselves. Errors are *client.FieldError (also several, joined), client.ErrSize,
// client.ErrToken, client.ErrFull, *authn.WaitError, or wrap authn.ErrUnavailable.
type Desk interface {
	// Register adds the described client. An empty initial access token is good for an open desk alone.
	Register(ctx context.Context, initial, source string, raw []byte) (client.SelfRegistered, error)
	// Managed, Update and Delete are RFC 7592, for who holds the registration access token.
	Managed(ctx context.Context, id, token string) (client.SelfRegistered, error)
	Update(ctx context.Context, id, token string, raw []byte) (client.SelfRegistered, error)
	Delete(ctx context.Context, id, token string) error
}

// ServeRegister is the client registration endpoint (RFC 7591 §3); source is where the request comes from.
func (p *Provider) ServeRegister(w http.ResponseWriter, r *http.Request, source string) error {
	if p.cfg.Desk == nil {
		return p.writeStatus(w, r, http.StatusNotFound, newFault(codeInvalidRequest, "registration is off"))
	}
	initial, f := headerToken(r)
	if f != nil {
		return p.writeBearerFault(w, r, f)
	}
	raw, f := readJSON(w, r)
	if f != nil {
		return p.writeDeskFault(w, r, f)
	}
	raw, statement, f := p.withStatement(raw)
	if f != nil {
		return p.writeDeskFault(w, r, f)
	}
	c, err := p.cfg.Desk.Register(r.Context(), initial, source, raw)
	if err != nil {
		return p.writeDeskFault(w, r, err)
	}
	return p.writeClient(w, http.StatusCreated, c, statement)
}

// ServeClient is the client configuration endpoint (RFC 7592 §2).
func (p *Provider) ServeClient(w http.ResponseWriter, r *http.Request) error {
	if p.cfg.Desk == nil {
		return p.writeStatus(w, r, http.StatusNotFound, newFault(codeInvalidRequest, "registration is off"))
	}
	token, f := headerToken(r)
	if f != nil {
		return p.writeBearerFault(w, r, f)
	}
	id := r.PathValue("id")
	var c client.SelfRegistered
	var err error
	switch r.Method {
	case http.MethodDelete:
		if err = p.cfg.Desk.Delete(r.Context(), id, token); err == nil {
			noStore(w.Header())
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
	case http.MethodPut:
		raw, f := readJSON(w, r)
		if f != nil {
			return p.writeDeskFault(w, r, f)
		}
		c, err = p.cfg.Desk.Update(r.Context(), id, token, raw)
	default:
		c, err = p.cfg.Desk.Managed(r.Context(), id, token)
	}
	if err != nil {
		return p.writeDeskFault(w, r, err)
	}
	return p.writeClient(w, http.StatusOK, c, "")
}

// headerToken takes a bearer token from the header alone; empty for none.
func headerToken(r *http.Request) (string, *fault) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return "", nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") || token == "" || len(token) > 512 || !unreserved(token, "-_") {
		return "", newFault(codeInvalidToken, "unreadable authorization header")
	}
	return token, nil
}

// readJSON reads a JSON body of at most 64 KiB. Compressed bodies are not read.
func readJSON(w http.ResponseWriter, r *http.Request) ([]byte, *fault) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/json" || r.Header.Get("Content-Encoding") != "" {
		return nil, &fault{code: codeClientMetadata, reason: reasonJSON, detail: "content type"}
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		return nil, &fault{code: codeClientMetadata, reason: reasonJSON, detail: "body", err: errTooLarge}
	}
	return raw, nil
}

// writeClient answers with everything the client is registered with (RFC 7591 §3.2.1, RFC 7592 §3), and with the software
// statement as it came.
func (p *Provider) writeClient(w http.ResponseWriter, status int, c client.SelfRegistered, statement string) error {
	out, err := c.Metadata()
	if err != nil {
		return err
	}
	own := map[string]any{
		"client_id": c.ID, "client_id_issued_at": c.Dynamic.Issued, "registration_access_token": c.Token,
		"registration_client_uri": p.cfg.Issuer + "/register/" + c.ID,
	}
	if c.Secret != "" {
		own["client_secret"] = c.Secret
	}
	if statement != "" {
		own["software_statement"] = statement
	}
	if c.KeepsSecret() {
		own["client_secret_expires_at"] = 0
	}
	maps.Copy(out, own)
	return writeJSON(w, status, out)
}

// writeDeskFault says what is wrong with a registration (RFC 7591 §3.2.2): the first problem's code, and all of them in
// words, which name fields and never repeat values.
func (p *Provider) writeDeskFault(w http.ResponseWriter, r *http.Request, err error) error {
	var f *fault
	wait, waits := errors.AsType[*authn.WaitError](err)
	switch {
	case errors.As(err, &f):
	case errors.Is(err, client.ErrToken):
		return p.writeBearerFault(w, r, wrapFault(codeInvalidToken, err))
	case isStore(err):
		f = unavailable(err)
	case waits:
		w.Header().Set("Retry-After", strconv.Itoa(max(1, int(wait.For/time.Second))))
		return p.writeStatus(w, r, http.StatusTooManyRequests, wrapFault(codeInvalidRequest, err))
	case errors.Is(err, client.ErrFull):
		return p.writeStatus(w, r, http.StatusForbidden, wrapFault(codeInvalidRequest, err))
	default:
		return p.writeProblems(w, err)
	}
	if errors.Is(f, errTooLarge) {
		return p.writeStatus(w, r, http.StatusRequestEntityTooLarge, f)
	}
	return p.writeFault(w, r, f)
}

func (p *Provider) writeProblems(w http.ResponseWriter, err error) error {
	code := codeClientMetadata
	if field, ok := errors.AsType[*client.FieldError](err); ok {
		code = field.Code
	}
	text := []rune(strings.ReplaceAll(err.Error(), "\n", "; "))
	if len(text) > 2000 {
		text = text[:2000]
	}
	for i, c := range text {
		// RFC 6749 §5.2 allows no others.
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			text[i] = '\''
		}
	}
	return writeJSON(w, http.StatusBadRequest, oauthError{code, string(text)})
}

// writeStatus is a fault under a status of its own.
func (p *Provider) writeStatus(w http.ResponseWriter, _ *http.Request, status int, f *fault) error {
	return writeJSON(w, status, oauthError{f.code, f.text()})
}

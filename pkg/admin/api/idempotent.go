// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

const (
	// answerLife is how long an answer is given again; claimLife how long a request may be under way before another may
	// take its place, far more than any takes.
	answerLife = 24 * time.Hour
	claimLife  = time.Minute
	// keyHeader names a request, so that it is done once however often it is sent.
	keyHeader = "Idempotency-Key"
	maxKey    = 255
)

// Answers remembers what was answered to a request (store.Answers). Every method may answer authn.ErrUnavailable.
type Answers interface {
	// Begin claims id for a request, for hold: of many at once one is told claimed. Else it returns what was answered to
	// the same request, or nil while that is under way; authn.ErrConflict if id was claimed for another request.
	Begin(ctx context.Context, id, request string, hold time.Duration) (answer []byte, claimed bool, err error)
	// Finish keeps the answer for life. Drop gives a claim back.
	Finish(ctx context.Context, id, request string, answer []byte, life time.Duration) error
	Drop(ctx context.Context, id string) error
}

// answer is an HTTP answer under way, or as it is kept: it may hold a secret, so it is sealed there.
type answer struct {
	Status int         `json:"status"`
	Head   http.Header `json:"header"`
	Body   []byte      `json:"body"`
}

// Header implements http.ResponseWriter.
func (a *answer) Header() http.Header { return a.Head }

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.Status == 0 {
		a.Status = status
	}
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	a.Body = append(a.Body, b...)
	return len(b), nil
}

func (a *answer) send(w http.ResponseWriter) {
	maps.Copy(w.Header(), a.Head)
	w.WriteHeader(a.Status)
	_, _ = w.Write(a.Body)
}

// once lets a request with an idempotency key through once. What was refused can be sent again, mended, under its key.
func (a *API) once(w http.ResponseWriter, r *http.Request, c call, next http.Handler) *problemError {
	keys := r.Header.Values(keyHeader)
	if len(keys) == 0 {
		next.ServeHTTP(w, r)
		return nil
	}
	if len(keys) > 1 || !keyText(keys[0]) {
		return invalid(Fault{Detail: "must be 1 to 255 visible ASCII characters", Location: "header." + keyHeader})
	}
	// Another caller's key is another one.
	name, err := json.Marshal([]any{c.by.Kind, c.by.ID, c.by.Company, keys[0]})
	if err != nil {
		return a.explain(r.Context(), err)
	}
	id, request := string(name), r.Method+" "+r.URL.RequestURI()+"\n"+string(c.body)
	kept, claimed, err := a.cfg.Answers.Begin(r.Context(), id, request, claimLife)
	switch {
	case errors.Is(err, authn.ErrConflict):
		return problem(http.StatusUnprocessableEntity, codeKeyReused, "This Idempotency-Key was sent with another request. Choose another one.",
			Fault{Detail: "was used for another request", Location: "header." + keyHeader})
	case err != nil:
		return a.explain(r.Context(), err)
	case claimed:
		a.first(w, r, next, [2]string{id, request})
		return nil
	case kept == nil:
		p := problem(http.StatusConflict, codeInProgress, "The same request is under way. Ask again for its answer.")
		p.header.Set("Retry-After", "1")
		return p
	}
	var again answer
	if err := json.Unmarshal(kept, &again); err != nil {
		return a.explain(r.Context(), err)
	}
	again.send(w)
	return nil
}

// first does the request, and keeps its answer before it is sent: a client that was made and whose secret nobody has
// seen would be of no use.
func (a *API) first(w http.ResponseWriter, r *http.Request, next http.Handler, claim [2]string) {
	got := &answer{Head: http.Header{}}
	next.ServeHTTP(got, r)
	ctx := context.WithoutCancel(r.Context())
	var err error
	if got.Status >= http.StatusOK && got.Status < http.StatusMultipleChoices {
		var kept []byte
		if kept, err = json.Marshal(got); err == nil {
			err = a.cfg.Answers.Finish(ctx, claim[0], claim[1], kept, answerLife)
		}
	} else {
		err = a.cfg.Answers.Drop(ctx, claim[0])
	}
	if err != nil {
		// The answer goes out all the same; who asks again within a minute is told to wait.
		a.cfg.Log.LogAttrs(ctx, slog.LevelError, "answer not kept", slog.String("error", err.Error()))
	}
	got.send(w)
}

func keyText(s string) bool {
	for _, c := range s {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= maxKey
}

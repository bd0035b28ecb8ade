// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
)

// The limits of client metadata as it is read.
const (
	maxObject  = 64 << 10
	maxInput   = 8 << 20
	maxClients = 1000
)

// Registration is a client as it was described from outside.
type Registration struct {
	Client *Client
	// Secret is the secret given at import; empty if none was. It must be digested at once and never kept.
	Secret string
}

// LogValue keeps the secret out of the logs.
func (r Registration) LogValue() slog.Value { return slog.StringValue("[redacted] " + r.Client.ID) }

// ErrSize refuses client metadata over a limit.
var ErrSize = errors.New("client metadata is too large, too deep or has too many parts: at most 64 KiB for a client, 1000 clients, 8 MiB in all")

// Parse reads one client or a list of clients as JSON with the names of RFC 7591 §2. A name that is not honoured is
// refused by name: metadata that is silently ignored is a promise not kept. It neither fills in defaults nor
// validates.
func Parse(r io.Reader) ([]Registration, error) {
	in := &io.LimitedReader{R: r, N: maxInput + 1}
	d := json.NewDecoder(in)
	var raw []json.RawMessage
	err := each(d, func(m json.RawMessage) error {
		if len(m) > maxObject || len(raw) >= maxClients {
			return ErrSize
		}
		raw = append(raw, m)
		return nil
	})
	if in.N <= 0 {
		return nil, ErrSize
	}
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("client metadata: something follows the JSON value")
	}
	var out []Registration
	for i, m := range raw {
		reg, err := parseOne(m)
		if err != nil {
			return nil, fmt.Errorf("client %d: %w", i+1, err)
		}
		out = append(out, reg)
	}
	return out, nil
}

// each hands the one object, or every element of the list, to use.
func each(d *json.Decoder, use func(json.RawMessage) error) error {
	var first json.RawMessage
	if err := d.Decode(&first); err != nil {
		return fmt.Errorf("client metadata is not JSON: %w", err)
	}
	if len(first) == 0 || first[0] != '[' {
		return use(first)
	}
	list := json.NewDecoder(bytes.NewReader(first))
	if _, err := list.Token(); err != nil {
		return fmt.Errorf("client metadata is not JSON: %w", err)
	}
	for list.More() {
		var m json.RawMessage
		if err := list.Decode(&m); err != nil {
			return fmt.Errorf("client metadata is not JSON: %w", err)
		}
		if err := use(m); err != nil {
			return err
		}
	}
	return nil
}

func parseOne(m json.RawMessage) (Registration, error) {
	names, err := members(m)
	if err != nil {
		return Registration{}, err
	}
	if err := checkNames(names); err != nil {
		return Registration{}, err
	}
	in := struct {
		*alias
		Secret string `json:"client_secret"`
	}{alias: &alias{}}
	if err := json.Unmarshal(m, &in); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			field := t.Field[strings.LastIndex(t.Field, ".")+1:]
			return Registration{}, &FieldError{Field: field, Code: "invalid_client_metadata", Problem: "must be a JSON " + t.Type.String()}
		}
		return Registration{}, fmt.Errorf("client metadata is not JSON: %w", err)
	}
	if len(in.Secret) > 256 || !visible(in.Secret) {
		return Registration{}, &FieldError{
			Field: "client_secret", Code: "invalid_client_metadata",
			Problem: "must be at most 256 visible ASCII characters",
		}
	}
	return Registration{Client: (*Client)(in.alias), Secret: in.Secret}, nil
}

// members lists the names of the object. encoding/json would take a name twice, and in any case of its letters: both
// let two readers of one description disagree.
func members(m json.RawMessage) ([]string, error) {
	d := json.NewDecoder(bytes.NewReader(m))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("client metadata must be a JSON object, or a list of them")
	}
	seen := map[string]bool{}
	var names []string
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("client metadata is not JSON: %w", err)
		}
		name, _ := t.(string)
		if seen[name] {
			return nil, &FieldError{Field: clip(name), Code: "invalid_client_metadata", Problem: "stands there twice"}
		}
		seen[name] = true
		names = append(names, name)
		var skip json.RawMessage
		if err := d.Decode(&skip); err != nil {
			return nil, fmt.Errorf("client metadata is not JSON: %w", err)
		}
	}
	return names, nil
}

// checkNames reports all names that are not honoured at once.
func checkNames(names []string) error {
	known := knownNames()
	var errs []error
	for _, n := range names {
		if !known[n] {
			errs = append(errs, &FieldError{
				Field: clip(n), Code: "invalid_client_metadata",
				Problem: "is not known here and would not be honoured: remove it",
			})
		}
	}
	return errors.Join(errs...)
}

// knownNames are the names that can be honoured.
func knownNames() map[string]bool {
	known := map[string]bool{"client_secret": true}
	for f := range reflect.TypeFor[Client]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "-" {
			known[name] = true
		}
	}
	return known
}

// clip bounds a name that goes into a message.
func clip(name string) string {
	if len(name) > 64 {
		name = name[:64]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, name)
}

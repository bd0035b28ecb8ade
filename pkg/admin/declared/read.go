// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// Read reads files as one. All problems are in the answer, each with file and line: names that are not known or stand
// twice, values of the wrong kind, entries that stand twice. secret follows a reference to a secret.
func Read(files []File, secret func(SecretRef) (string, error)) Doc {
	r := &reader{doc: Doc{Lists: map[string]bool{}}, secret: secret, ids: map[string]Place{}}
	size := 0
	for _, f := range files {
		if size += len(f.Text); size > maxText {
			return Doc{Problems: []error{fmt.Errorf("%s: %w", f.Name, errLarge)}}
		}
	}
	for _, f := range files {
		r.file = f.Name
		top, err := parse(f)
		if err != nil {
			r.doc.Problems = append(r.doc.Problems, err)
			continue
		}
		if top != nil {
			r.lists(top)
		}
	}
	return r.doc
}

type reader struct {
	doc    Doc
	secret func(SecretRef) (string, error)
	file   string
	enc    encoder
	ids    map[string]Place
}

func (r *reader) add(line int, err error) {
	if f, ok := errors.AsType[*fault](err); ok {
		line = f.line
	}
	r.doc.Problems = append(r.doc.Problems, fmt.Errorf("%s: %w", Place{r.file, line}, err))
}

func (r *reader) lists(top *yaml.Node) {
	seen := map[string]bool{}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, list := top.Content[i], top.Content[i+1]
		take, known := map[string]func(*yaml.Node){
			ListCompanies: r.company, ListRoles: r.role, ListScopes: r.scope, ListClients: r.client,
		}[key.Value]
		switch {
		case !known:
			r.add(key.Line, fmt.Errorf("%q is not known: write companies, roles, scopes or clients", key.Value))
			continue
		case seen[key.Value]:
			r.add(key.Line, fmt.Errorf("%s stands there twice", key.Value))
			continue
		}
		seen[key.Value], r.doc.Lists[key.Value] = true, true
		if list.ShortTag() == "!!null" {
			continue
		}
		if list.Kind != yaml.SequenceNode {
			r.add(list.Line, fmt.Errorf("%s must be a list", key.Value))
			continue
		}
		for _, n := range list.Content {
			take(n)
		}
	}
}

// entry reads a mapping strictly into v, and answers the places of its fields; ok is false after a problem.
func (r *reader) entry(n *yaml.Node, v any) (fields map[string]int, ok bool) {
	if n.Kind != yaml.MappingNode {
		r.add(n.Line, errors.New("must be a mapping"))
		return nil, false
	}
	fields = lines(n)
	b, err := r.enc.json(n, 0)
	if err != nil {
		r.add(n.Line, err)
		return nil, false
	}
	if unknown := unknownNames(fields, v); len(unknown) > 0 {
		for _, name := range unknown {
			r.add(fields[name], fmt.Errorf("%s is not known here and would not be honoured: remove it", name))
		}
		return nil, false
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		r.add(lineOf(err, fields, n.Line), readable(err))
		return nil, false
	}
	return fields, true
}

// unknownNames are those that v has no field for, in their order.
func unknownNames(fields map[string]int, v any) []string {
	known := map[string]bool{}
	names(reflect.TypeOf(v).Elem(), known)
	var out []string
	for name := range fields {
		if !known[name] {
			out = append(out, name)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return fields[a] - fields[b] })
	return out
}

func names(t reflect.Type, into map[string]bool) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			names(f.Type, into)
		case name != "" && name != "-":
			into[name] = true
		}
	}
}

// lineOf is where the field that JSON stumbled over stands.
func lineOf(err error, fields map[string]int, line int) int {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if at, there := fields[fieldOf(t)]; there {
			return at
		}
	}
	return line
}

// fieldOf is the name in the file of the field that JSON stumbled over: embedded types have names of their own in Go alone.
func fieldOf(t *json.UnmarshalTypeError) string {
	for name := range strings.SplitSeq(t.Field, ".") {
		if name != "" && name[0] >= 'a' {
			return name
		}
	}
	return t.Field
}

func readable(err error) error {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("%s must be %s, not %s", fieldOf(t), kindOf(t.Type), t.Value)
	}
	return err
}

// kindOf names a kind of value as people know it.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return kindOf(t.Elem())
	default:
		return "a mapping"
	}
}

// once refuses an id that stands in the list already.
func (r *reader) once(list, field, id string, of Place) bool {
	if first, twice := r.ids[list+"\x00"+id]; twice && id != "" {
		r.doc.Problems = append(r.doc.Problems, fmt.Errorf("%s: %s: %q stands at %s already", of, field, id, first))
		return false
	}
	r.ids[list+"\x00"+id] = of
	return true
}

func (r *reader) company(n *yaml.Node) {
	var c company.Company
	if fields, ok := r.entry(n, &c); ok {
		if c.Name == "" {
			c.Name = c.ID
		}
		o := Of[company.Company]{c, Place{r.file, n.Line}, fields}
		if r.once(ListCompanies, "id", c.ID, o.At("id")) {
			r.doc.Companies = append(r.doc.Companies, o)
		}
	}
}

func (r *reader) role(n *yaml.Node) {
	var x client.Role
	if fields, ok := r.entry(n, &x); ok {
		o := Of[client.Role]{x, Place{r.file, n.Line}, fields}
		if r.once(ListRoles, "name", x.Name, o.At("name")) {
			r.doc.Roles = append(r.doc.Roles, o)
		}
	}
}

func (r *reader) scope(n *yaml.Node) {
	var s client.Scope
	if fields, ok := r.entry(n, &s); ok {
		o := Of[client.Scope]{s, Place{r.file, n.Line}, fields}
		if r.once(ListScopes, "name", s.Name, o.At("name")) {
			r.doc.Scopes = append(r.doc.Scopes, o)
		}
	}
}

// clientEntry is a client with the two names that only declarative files have.
type clientEntry struct {
	client.Client
	Secret *SecretRef      `json:"client_secret,omitempty"`
	Kept   []client.Secret `json:"client_secret_digests,omitempty"`
}

func (r *reader) client(n *yaml.Node) {
	var e clientEntry
	fields, ok := r.entry(n, &e)
	if !ok {
		return
	}
	o := Of[Client]{Client{Client: e.Client, Kept: e.Kept}, Place{r.file, n.Line}, fields}
	if e.ID == "" {
		r.add(n.Line, errors.New("client_id is missing: a declared client needs one of its own"))
		return
	}
	if !r.once(ListClients, "client_id", e.ID, o.At("client_id")) {
		return
	}
	if e.Secret != nil {
		var err error
		if o.Value.Secret, err = r.follow(*e.Secret); err != nil {
			r.add(fields["client_secret"], fmt.Errorf("client_secret: %w", err))
			return
		}
	}
	r.doc.Clients = append(r.doc.Clients, o)
}

func (r *reader) follow(ref SecretRef) (string, error) {
	if (ref.File == "") == (ref.Env == "") {
		return "", errors.New("must be a reference: {file: PATH} or {env: NAME}, one of them; the secret itself never stands here")
	}
	return r.secret(ref)
}

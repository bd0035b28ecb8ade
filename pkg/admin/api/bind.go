// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// huma makes schemas of types, holds values against them, and writes the document. Its own way of mounting handlers is
// not used: it is copied for every operation, 1.4 MB in all.

// parameter is a field of an input that comes from path, query or header.
type parameter struct {
	*huma.Param
	index []int
	// usual is what counts where it is left out.
	usual string
}

// shape is how an input is read.
type shape struct {
	of     reflect.Type
	params []parameter
	// body is the field of the body; nil: there is none.
	body   []int
	schema *huma.Schema
}

// shapeOf reads the tags of an input.
func shapeOf(r huma.Registry, t reflect.Type) shape {
	in := shape{of: t}
	for _, f := range reflect.VisibleFields(t) {
		if f.Anonymous || !f.IsExported() {
			continue
		}
		if f.Name == "Body" {
			in.body, in.schema = f.Index, huma.SchemaFromField(r, f, t.Name()+"Body")
			in.schema.PrecomputeMessages()
			continue
		}
		for _, place := range []string{"path", "query", "header"} {
			name, ok := f.Tag.Lookup(place)
			if !ok {
				continue
			}
			s := huma.SchemaFromField(r, f, "")
			s.PrecomputeMessages()
			p := &huma.Param{
				Name: name, In: place, Description: s.Description, Required: place == "path" || f.Tag.Get("required") == "true", Schema: s,
			}
			s.Description = ""
			in.params = append(in.params, parameter{p, f.Index, f.Tag.Get("default")})
		}
	}
	return in
}

// read makes an input of a request that the guard has let through.
func (in shape) read(r *http.Request, reg huma.Registry, c call) (any, *problemError) {
	v := reflect.New(in.of)
	query := r.URL.Query()
	var faults []Fault
	for _, p := range in.params {
		faults = append(faults, p.read(r, reg, query, v.Elem().FieldByIndex(p.index))...)
		query.Del(p.queryName())
	}
	for name := range query {
		faults = append(faults, Fault{Detail: "is not known here: remove it", Location: "query." + name})
	}
	if in.body != nil {
		found, p := in.readBody(reg, c.body, v.Elem().FieldByIndex(in.body))
		if p != nil {
			return nil, p
		}
		faults = append(faults, found...)
	}
	if len(faults) > 0 {
		return nil, invalid(faults...)
	}
	return v.Interface(), nil
}

func (p parameter) queryName() string {
	if p.In == "query" {
		return p.Name
	}
	return ""
}

// read sets one field.
func (p parameter) read(r *http.Request, reg huma.Registry, query url.Values, to reflect.Value) []Fault {
	text := p.usual
	var given bool
	switch p.In {
	case "path":
		text, given = r.PathValue(p.Name), true
	case "query":
		if given = query.Has(p.Name); given {
			text = query.Get(p.Name)
		}
	default:
		if values := r.Header.Values(p.Name); len(values) > 0 {
			text, given = values[0], true
		}
	}
	place := p.In + "." + p.Name
	if !given && p.Required {
		return []Fault{{Detail: "is missing", Location: place}}
	}
	if text == "" && !given {
		return nil
	}
	v, problem := parse(text, to)
	if problem != "" {
		return []Fault{{Detail: problem, Location: place}}
	}
	return holds(reg, p.Schema, place, v)
}

// parse sets a field of one of the three kinds that parameters have, and returns the value as schemas see it.
func parse(text string, to reflect.Value) (v any, problem string) {
	switch to.Interface().(type) {
	case string:
		to.SetString(text)
		return text, ""
	case int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return nil, "must be a whole number"
		}
		to.SetInt(int64(n))
		return n, ""
	default:
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return nil, "must be a time as in RFC 3339"
		}
		to.Set(reflect.ValueOf(at))
		return text, ""
	}
}

// readBody holds the body against its schema, and sets the field.
func (in shape) readBody(reg huma.Registry, raw []byte, to reflect.Value) ([]Fault, *problemError) {
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, malformed("The body has a number that is too large.")
	}
	if faults := holds(reg, in.schema, "body", tree); len(faults) > 0 {
		return faults, nil
	}
	if err := json.Unmarshal(raw, to.Addr().Interface()); err != nil {
		if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return []Fault{fault("body."+t.Field, "has a value that cannot be read")}, nil
		}
		return nil, malformed("The body has a value that cannot be read.")
	}
	return nil, nil
}

// holds says where a value does not fit a schema.
func holds(reg huma.Registry, s *huma.Schema, place string, v any) []Fault {
	res, at := &huma.ValidateResult{}, huma.NewPathBuffer(nil, 0)
	at.Push(place)
	huma.Validate(reg, s, at, huma.ModeWriteToServer, v, res)
	var faults []Fault
	for _, err := range res.Errors {
		if d, ok := errors.AsType[*huma.ErrorDetail](err); ok {
			// The value that was sent stays here: it may be a secret.
			f := fault(d.Location, d.Message)
			if rest, inBody := strings.CutPrefix(d.Location, "body."); inBody {
				f.Pointer = pointerIn(v, rest)
			}
			faults = append(faults, f)
		}
	}
	return faults
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package api

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// act is a handler without its types.
type act func(ctx context.Context, c call, in any) (any, error)

// add mounts one operation. Input and output say by tags what they are made of.
func add[I, O any](a *API, s spec, h func(context.Context, call, *I) (*O, error)) {
	a.mount(s, [2]reflect.Type{typeOf[I](), typeOf[O]()}, func(ctx context.Context, c call, in any) (any, error) {
		v, _ := in.(*I) // made by shape.read for this very type
		return h(ctx, c, v)
	})
}

// mount puts an operation into the mux and the document.
func (a *API) mount(s spec, types [2]reflect.Type, do act) {
	schemas := a.openAPI.Components.Schemas
	in := shapeOf(schemas, types[0])
	op := s.operation()
	for _, p := range in.params {
		op.Parameters = append(op.Parameters, p.Param)
	}
	if in.body != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{s.media(): {Schema: in.schema}}}
	}
	op.Responses[strconv.Itoa(s.status)] = success(schemas, s.status, types[1])
	a.openAPI.AddOperation(op)
	a.mux.HandleFunc(s.method+" "+s.path, func(w http.ResponseWriter, r *http.Request) {
		if err := a.run(w, r, s, in, do); err != nil {
			a.explain(r.Context(), err).write(w)
		}
	})
	a.operations = append(a.operations, Operation{
		ID: s.id, Method: s.method, Path: s.path, Scope: s.scope, Slow: s.is(slow),
		Guard: func(next http.Handler) http.Handler { return a.guard(s, next) },
		Serve: func(w http.ResponseWriter, r *http.Request) error {
			a.mux.ServeHTTP(w, r)
			return nil
		},
	})
}

// run does an operation and writes its answer.
func (a *API) run(w http.ResponseWriter, r *http.Request, s spec, in shape, do act) error {
	c, ok := callOf(r.Context())
	if !ok {
		return errUnguarded
	}
	v, p := in.read(r, a.openAPI.Components.Schemas, c)
	if p != nil {
		return p
	}
	out, err := do(r.Context(), c, v)
	if err != nil {
		return err
	}
	return write(w, s.status, reflect.ValueOf(out))
}

// write sends an output: its headers, and its body if it has one.
func write(w http.ResponseWriter, status int, out reflect.Value) error {
	var body []byte
	if !out.IsNil() {
		out = out.Elem()
		for i := range out.NumField() {
			if name := out.Type().Field(i).Tag.Get("header"); name != "" {
				w.Header().Set(name, out.Field(i).String())
			}
		}
		if b := out.FieldByName("Body"); b.IsValid() {
			var err error
			if body, err = json.Marshal(b.Interface()); err != nil {
				return err
			}
			w.Header().Set("Content-Type", mediaJSON)
		}
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // a broken connection is nobody's error here
	return nil
}

// success describes the answer of an output.
func success(r huma.Registry, status int, t reflect.Type) *huma.Response {
	out := &huma.Response{Description: http.StatusText(status), Headers: map[string]*huma.Param{}}
	for f := range t.Fields() {
		if name := f.Tag.Get("header"); name != "" {
			out.Headers[name] = &huma.Param{Schema: &huma.Schema{Type: huma.TypeString}}
		}
		if f.Name == "Body" {
			out.Content = map[string]*huma.MediaType{mediaJSON: {Schema: huma.SchemaFromField(r, f, t.Name()+"Body")}}
		}
	}
	return out
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"go.yaml.in/yaml/v3"
)

// The bounds of declarative files.
const (
	maxText  = 32 << 20
	maxDepth = 12
	maxNodes = 2_000_000
)

var (
	errLarge = fmt.Errorf("over %d bytes in all", maxText)
	errDeep  = fmt.Errorf("deeper than %d levels, or more than %d values", maxDepth, maxNodes)
	errAlias = errors.New("anchors and aliases (& and *) are not taken: write it out")
)

// parse reads a file as YAML (or JSON, which is YAML too): its one mapping, or nil for an empty file.
func parse(f File) (*yaml.Node, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(f.Text))
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, nil //nolint:nilnil // an empty file, or comments alone
		}
		return nil, fmt.Errorf("%s: not YAML: %w", f.Name, err)
	}
	if d.Decode(&more) == nil {
		return nil, fmt.Errorf("%s:%d: a second document: write one", f.Name, more.Line)
	}
	if len(doc.Content) == 0 || doc.Content[0].Kind != yaml.MappingNode {
		if len(doc.Content) == 1 && doc.Content[0].ShortTag() == "!!null" {
			return nil, nil //nolint:nilnil // comments alone
		}
		return nil, fmt.Errorf("%s:%d: must be a mapping of companies, roles, scopes, clients", f.Name, max(1, doc.Line))
	}
	return doc.Content[0], nil
}

// fault is a problem at a line.
type fault struct {
	line int
	err  error
}

// Error implements error.
func (f *fault) Error() string { return f.err.Error() }

// Unwrap leads to what is wrong.
func (f *fault) Unwrap() error { return f.err }

// encoder turns nodes into JSON, within the bounds of all files together.
type encoder struct{ nodes int }

// json returns a node as JSON. The keys of a mapping keep their order; one that stands twice is refused.
func (e *encoder) json(n *yaml.Node, depth int) ([]byte, error) {
	if e.nodes++; depth > maxDepth || e.nodes > maxNodes {
		return nil, &fault{n.Line, errDeep}
	}
	switch n.Kind {
	case yaml.MappingNode:
		return e.object(n, depth)
	case yaml.SequenceNode:
		out := []byte{'['}
		for i, x := range n.Content {
			b, err := e.json(x, depth+1)
			if err != nil {
				return nil, err
			}
			if i > 0 {
				out = append(out, ',')
			}
			out = append(out, b...)
		}
		return append(out, ']'), nil
	case yaml.ScalarNode:
		return scalar(n)
	default:
		return nil, &fault{n.Line, errAlias}
	}
}

func (e *encoder) object(n *yaml.Node, depth int) ([]byte, error) {
	out, seen := []byte{'{'}, map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" {
			return nil, &fault{key.Line, errors.New("a name must be a text")}
		}
		if seen[key.Value] {
			return nil, &fault{key.Line, fmt.Errorf("%s stands there twice", key.Value)}
		}
		seen[key.Value] = true
		b, err := e.json(value, depth+1)
		if err != nil {
			return nil, err
		}
		name, err := json.Marshal(key.Value)
		if err != nil {
			return nil, &fault{key.Line, err}
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, name...), ':'), b...)
	}
	return append(out, '}'), nil
}

// scalar is a value as JSON: a date becomes the text of its time.
func scalar(n *yaml.Node) ([]byte, error) {
	var v any
	switch n.ShortTag() {
	case "!!str", "!!binary":
		v = n.Value
	case "!!timestamp":
		var t time.Time
		if err := n.Decode(&t); err != nil {
			return nil, &fault{n.Line, fmt.Errorf("%s is no date", n.Value)}
		}
		v = t.UTC()
	default:
		if err := n.Decode(&v); err != nil {
			return nil, &fault{n.Line, err}
		}
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &fault{n.Line, errors.New("a value that JSON does not have")}
	}
	return b, nil
}

// lines are where the names of a mapping stand.
func lines(n *yaml.Node) map[string]int {
	out := map[string]int{}
	if n.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(n.Content); i += 2 {
			out[n.Content[i].Value] = n.Content[i].Line
		}
	}
	return out
}

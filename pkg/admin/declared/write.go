// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package declared

import (
	"bytes"
	"encoding/json"
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/company"
)

// header stands on top of an export.
const header = `# What Lychgate has registered, as ` + "`lychgate apply -f`" + ` takes it. It holds no secret: client_secret_digests are keyed
# hashes, which work in a store with the same pepper and count only where a client is added.
`

// Write writes a document as one file that Read reads as the same.
func Write(d Doc) ([]byte, error) {
	out := struct {
		Companies []company.Company `json:"companies"`
		Roles     []client.Role     `json:"roles"`
		Scopes    []client.Scope    `json:"scopes"`
		Clients   []json.RawMessage `json:"clients"`
	}{[]company.Company{}, []client.Role{}, []client.Scope{}, []json.RawMessage{}}
	for _, o := range d.Companies {
		out.Companies = append(out.Companies, o.Value)
	}
	for _, o := range d.Roles {
		out.Roles = append(out.Roles, o.Value)
	}
	for _, o := range d.Scopes {
		out.Scopes = append(out.Scopes, o.Value)
	}
	for _, o := range d.Clients {
		e := clientEntry{Client: o.Value.Client}
		for _, s := range o.Value.Kept {
			s.Plain = ""
			e.Kept = append(e.Kept, s)
		}
		b, err := json.Marshal(e)
		if err != nil {
			return nil, fmt.Errorf("encode client %s: %w", o.Value.ID, err)
		}
		out.Clients = append(out.Clients, b)
	}
	b, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	// YAML reads JSON, and keeps the order of its names.
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	block(&n)
	var text bytes.Buffer
	text.WriteString(header)
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(&n); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return text.Bytes(), enc.Close()
}

// block writes lists and mappings in lines, and texts without quotes where they need none.
func block(n *yaml.Node) {
	n.Style &^= yaml.FlowStyle | yaml.DoubleQuotedStyle
	for _, c := range n.Content {
		block(c)
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
)

// maxDeclared bounds a declarative file.
const maxDeclared = 1 << 20

// Declared is what a declarative file says: companies with their policies, in the names of the JSON API. A company that
// it does not name is left alone.
type Declared struct {
	Companies []company.Company `json:"companies"`
}

// Step is one change that a declarative file asks for.
type Step struct {
	// What is add or change.
	What   string           `json:"what"`
	Before *company.Company `json:"before,omitempty"`
	After  company.Company  `json:"after"`
}

// ReadDeclared reads a declarative file (YAML, or JSON, which is YAML too). A name that is not known, or stands twice, is
// refused: a policy that is ignored in silence is worse than none.
func ReadDeclared(r io.Reader) (Declared, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxDeclared+1))
	if err != nil {
		return Declared{}, fmt.Errorf("read: %w", err)
	}
	if len(b) > maxDeclared {
		return Declared{}, fmt.Errorf("over %d bytes", maxDeclared)
	}
	var tree any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return Declared{}, fmt.Errorf("not YAML: %w", err)
	}
	if tree, err = bounded(tree, 0); err != nil {
		return Declared{}, err
	}
	j, err := json.Marshal(tree)
	if err != nil {
		return Declared{}, fmt.Errorf("not a tree of names and values: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(j))
	dec.DisallowUnknownFields()
	var d Declared
	if err := dec.Decode(&d); err != nil {
		return Declared{}, fmt.Errorf("%w; known are companies with id, name, help_email, help_phone, admin_emails, second_factor, "+
			"second_factor_groups, second_factor_from, second_factor_skips, remember_days, setup_days, reset_admins, reset_wait_hours", err)
	}
	return d, nil
}

// bounded refuses a tree that is too deep. YAML's dates are times already, which JSON writes as RFC 3339.
func bounded(v any, depth int) (any, error) {
	const deepest = 6
	if depth > deepest {
		return nil, fmt.Errorf("deeper than %d levels", deepest)
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			y, err := bounded(x, depth+1)
			if err != nil {
				return nil, err
			}
			v[k] = y
		}
	case []any:
		for i, x := range v {
			y, err := bounded(x, depth+1)
			if err != nil {
				return nil, err
			}
			v[i] = y
		}
	}
	return v, nil
}

// Plan says what Apply would do. The whole file is checked; with a problem nothing is planned.
func (o *Office) Plan(ctx context.Context, d Declared) ([]Step, error) {
	var steps []Step
	var problems []error
	seen := map[string]bool{}
	for i, c := range d.Companies {
		if c.Name == "" {
			c.Name = c.ID
		}
		if seen[c.ID] {
			problems = append(problems, fmt.Errorf("companies[%d]: id: %q stands there twice", i, c.ID))
		}
		seen[c.ID] = true
		if err := checkCompany(c); err != nil {
			problems = append(problems, fmt.Errorf("companies[%d] (%s): %w", i, c.ID, err))
			continue
		}
		before, err := o.Companies.Company(ctx, c.ID)
		switch {
		case errors.Is(err, authn.ErrNotFound):
			steps = append(steps, Step{What: "add", After: c})
		case err != nil:
			return nil, err
		case asJSON(before) != asJSON(c):
			steps = append(steps, Step{What: "change", Before: &before, After: c})
		}
	}
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("nothing was changed:\n%w", err)
	}
	return steps, nil
}

// Carry carries the steps out, and answers how many people were told by mail.
func (o *Office) Carry(ctx context.Context, steps []Step) (int, error) {
	told := 0
	for i, st := range steps {
		n, err := o.SetPolicy(ctx, st.After)
		told += n
		if err != nil {
			return told, fmt.Errorf("company %s: %w; %d steps before it are done", st.After.ID, err, i)
		}
	}
	return told, nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/declared"
	"github.com/lychgate/lychgate/pkg/server"
)

// maxDeclared bounds one declarative file as it is read.
const maxDeclared = 32 << 20

// declaration are the flags of plan and apply.
type declaration struct {
	from  string
	prune bool
}

func (d *declaration) flags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&d.from, "file", "f", "", "a file, a directory of .yaml, .yml and .json files, or - for standard input")
	cmd.Flags().BoolVar(&d.prune, "prune", false, "remove what is registered and stands in none of the lists of the files")
}

func (c *console) planCommand() *cobra.Command {
	var d declaration
	var schema bool
	cmd := &cobra.Command{
		Use: "plan -f FILE|DIR|-", Short: "Say what declarative files would change; nothing is changed",
		Args: exactly(0, "no arguments, but -f"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if schema {
				text, err := declared.Schema()
				if err == nil {
					_, err = c.out.Write(text)
				}
				return err
			}
			return c.planned(cmd, d, func(_ *server.Back, p admin.Plan) error { return c.printPlan(p) })
		},
	}
	d.flags(cmd)
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON Schema of declarative files instead")
	return c.jsonFlag(cmd)
}

func (c *console) applyCommand() *cobra.Command {
	var d declaration
	cmd := &cobra.Command{
		Use: "apply -f FILE|DIR|-", Short: "Carry out what declarative files say, all of it or nothing",
		Long: "What the files do not name is left alone, unless --prune is given. A client that needs a secret and names none\n" +
			"is given one, which is printed once.",
		Args: exactly(0, "no arguments, but -f"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.planned(cmd, d, func(b *server.Back, p admin.Plan) error {
				done, err := b.Office.Clerk(admin.CommandLine()).Apply(cmd.Context(), p)
				if err != nil {
					return err
				}
				return c.printApplied(p, done)
			})
		},
	}
	d.flags(cmd)
	return c.jsonFlag(cmd)
}

func (c *console) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use: "export", Short: "Write what is registered as a declarative file; it holds no secret",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				doc, err := b.Office.Clerk(admin.CommandLine()).Export(cmd.Context())
				if err != nil {
					return err
				}
				text, err := declared.Write(doc)
				if err != nil {
					return err
				}
				_, err = c.out.Write(text)
				return err
			})
		},
	}
}

// planned reads declarative files and hands their plan on.
func (c *console) planned(cmd *cobra.Command, d declaration, use func(b *server.Back, p admin.Plan) error) error {
	if d.from == "" {
		return fmt.Errorf("%w: -f is missing; name a file, a directory, or - for standard input", errUsage)
	}
	files, err := c.declaredFiles(d.from)
	if err != nil {
		return err
	}
	doc := declared.Read(files, func(ref declared.SecretRef) (string, error) { return c.secretAt(d.from, ref) })
	prune := admin.PruneNone
	if d.prune {
		prune = admin.PruneListed
	}
	return c.office(cmd, func(b *server.Back) error {
		p, err := b.Office.Clerk(admin.CommandLine()).Plan(cmd.Context(), doc, prune)
		if err != nil {
			return err
		}
		return use(b, p)
	})
}

// declaredFiles reads a file, or those of a directory in the order of their names.
func (c *console) declaredFiles(from string) ([]declared.File, error) {
	names := []string{from}
	if info, err := os.Stat(from); err == nil && info.IsDir() {
		names = nil
		entries, err := os.ReadDir(from)
		if err != nil {
			return nil, fmt.Errorf("-f: %w", err)
		}
		for _, e := range entries {
			if ext := filepath.Ext(e.Name()); !e.IsDir() && slices.Contains([]string{".yaml", ".yml", ".json"}, ext) {
				names = append(names, filepath.Join(from, e.Name()))
			}
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("-f: %s holds no .yaml, .yml or .json file", from)
		}
	}
	var files []declared.File
	for _, name := range names {
		in, err := c.input(name)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(in, maxDeclared+1))
		_ = in.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files = append(files, declared.File{Name: name, Text: text})
	}
	return files, nil
}

// secretAt follows a reference. A relative path begins where the declarative file is.
func (c *console) secretAt(from string, ref declared.SecretRef) (string, error) {
	if ref.Env != "" {
		if v := c.env(ref.Env); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the variable %s is empty or not set", ref.Env)
	}
	path := ref.File
	if !filepath.IsAbs(path) {
		dir := from
		if info, err := os.Stat(from); err != nil || !info.IsDir() {
			dir = filepath.Dir(from)
		}
		path = filepath.Join(dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimRight(line, "\r"); line == "" {
		return "", errors.New(path + " is empty")
	}
	return line, nil
}

// applied is what apply prints as JSON.
type applied struct {
	Steps []admin.Step `json:"steps"`
	// Secrets are shown this once, by client_id.
	Secrets map[string]string `json:"client_secrets,omitempty"`
	Told    int               `json:"told"`
}

func (c *console) printApplied(p admin.Plan, done admin.Applied) error {
	if c.json {
		return c.print(applied{append([]admin.Step{}, p.Steps...), done.Secrets, done.Told}, nil)
	}
	if err := c.printPlan(p); err != nil {
		return err
	}
	return c.print(nil, func(w io.Writer) {
		for _, s := range p.Steps {
			if secret := done.Secrets[s.ID]; secret != "" && s.Kind == "client" {
				fmt.Fprintf(w, "client_secret of %s\t%s\t(shown this once)\n", s.ID, secret)
			}
		}
		if done.Told > 0 {
			fmt.Fprintf(w, "told %d people by mail\n", done.Told)
		}
	})
}

func (c *console) printPlan(p admin.Plan) error {
	steps := p.Steps
	if steps == nil {
		steps = []admin.Step{}
	}
	return c.print(steps, func(w io.Writer) {
		for _, s := range steps {
			fmt.Fprintf(w, "%s\t%s %s\t%s\n", s.What, s.Kind, s.ID, strings.Join(s.Fields, " "))
		}
		if len(steps) == 0 {
			fmt.Fprintln(w, "nothing to change")
		}
		if p.Kept > 0 {
			fmt.Fprintf(w, "%d more are registered and stand in no file; --prune removes them\n", p.Kept)
		}
	})
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/admin/foreign"
	"github.com/lychgate/lychgate/pkg/server"
)

// jsonLines is the form of import that is no other product's.
const jsonLines = "lychgate"

// importing is what the flags of an import say.
type importing struct {
	from                      string
	passwords, totp, subjects string
	move                      admin.Move
	options                   foreign.Options
}

func (c *console) accountImport() *cobra.Command {
	var i importing
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Import people, from JSON lines or from another provider; checks everything before it writes",
		Long: "Without --from each line is an object: username, password or password_hash (argon2id or PBKDF2 in PHC form, or\n" +
			"bcrypt), and optionally totp_secret (Base32), claims (standard OIDC claims), roles, company, sub, disabled.\n\n" +
			"With --from keycloak, auth0 or authelia FILE is what that product exports; docs/import.md says how to get it and\n" +
			"what moves. The report names everybody of whom something could not be taken over, and why.",
		Args: exactly(1, "a file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if i.from != jsonLines {
				return c.importForeign(cmd, args[0], i)
			}
			if i.onlyForeign(cmd) {
				return fmt.Errorf("%w: --json alone goes with JSON lines; the other flags want --from", errUsage)
			}
			return c.importLines(cmd, args[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&i.from, "from", jsonLines, "what FILE is: "+strings.Join(append([]string{jsonLines}, foreign.Products()...), ", "))
	f.StringVar(&i.passwords, "passwords", "", "the file of password hashes that Auth0's support sends")
	f.StringVar(&i.totp, "totp", "", "the file of `authelia storage user totp export`")
	f.StringVar(&i.subjects, "subjects", "", "the file of `authelia storage user identifiers export`")
	f.StringVar(&i.options.SignInName, "sign-in-name", "", "what people sign in with: username or email; empty: what is usual for the product")
	f.StringVar(&i.move.Company, "company", "", "id of the company of all of them")
	f.BoolVar(&i.move.Clients, "clients", false, "take the clients too")
	f.BoolVar(&i.move.DryRun, "dry-run", false, "write nothing, only report")
	f.BoolVar(&i.move.SkipExisting, "skip-existing", false, "leave out who is here already, such as after an import that was cut short")
	f.BoolVar(&i.move.SkipRefused, "skip-refused", false, "leave out who cannot be taken, instead of importing nobody")
	return c.jsonFlag(cmd)
}

// onlyForeign says whether a flag was given that means nothing without --from.
func (importing) onlyForeign(cmd *cobra.Command) bool {
	names := []string{"passwords", "totp", "subjects", "sign-in-name", "company", "clients", "dry-run", "skip-existing", "skip-refused"}
	return slices.ContainsFunc(names, func(name string) bool { return cmd.Flags().Changed(name) })
}

func (c *console) importLines(cmd *cobra.Command, file string) error {
	in, err := c.input(file)
	if err != nil {
		return err
	}
	defer in.Close()
	return c.office(cmd, func(b *server.Back) error {
		n, err := b.Office.Import(cmd.Context(), in)
		if err != nil {
			return err
		}
		return c.print(map[string]int{"imported": n}, func(w io.Writer) { fmt.Fprintf(w, "imported %d accounts\n", n) })
	})
}

func (c *console) importForeign(cmd *cobra.Command, file string, i importing) error {
	var files foreign.Files
	for _, one := range []struct {
		name string
		into *io.ReadSeeker
	}{{file, &files.Main}, {i.passwords, &files.Passwords}, {i.totp, &files.TOTP}, {i.subjects, &files.Subjects}} {
		if one.name == "" {
			continue
		}
		if one.name == "-" {
			return fmt.Errorf("%w: an export is read twice: name a file, not standard input", errUsage)
		}
		f, err := os.Open(one.name)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		defer f.Close()
		*one.into = f
	}
	export, err := foreign.Open(i.from, files, i.options)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return c.office(cmd, func(b *server.Back) error {
		p := &printer{w: c.out, json: c.json}
		moved, err := b.Office.Clerk(admin.CommandLine()).Move(cmd.Context(), export, i.move, p.line)
		if err != nil && p.lines == 0 {
			return err
		}
		return errors.Join(err, p.end(moved, i.move))
	})
}

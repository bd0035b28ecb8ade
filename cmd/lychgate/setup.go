// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/server"
)

// setupCommand is the first start: whoever has the configuration makes the first of the IT team.
func (c *console) setupCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "setup EMAIL", Short: "Prepare an empty store and make a link for the first of the IT team",
		Long: "It writes the identity of the store and its signing keys, and prints one link. Whoever opens it within a week\n" +
			"chooses a password, sets a second factor up, and is of the IT team at /admin. A store is set up once.",
		Args: exactly(1, "an e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				link, err := b.Office.SetUp(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(map[string]string{"link": link}, func(w io.Writer) {
					fmt.Fprintf(w, "Open this address within 7 days, while `lychgate serve` runs; it works once:\n%s\n", link)
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

func (c *console) accountInvite() *cobra.Command {
	var p admin.Invitee
	var companyID string
	var show bool
	cmd := &cobra.Command{
		Use: "invite EMAIL", Short: "Invite a person by mail to an account of a company, or print the link",
		Args: exactly(1, "an e-mail address"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Email = args[0]
			return c.office(cmd, func(b *server.Back) error {
				clerk := b.Office.Clerk(admin.CommandLine())
				if !show {
					i, err := clerk.Invite(cmd.Context(), companyID, p)
					if err != nil {
						return err
					}
					fmt.Fprintf(c.out, "invited %s until %s\n", i.Email, date(i.Ends))
					return nil
				}
				link, err := clerk.InviteByLink(cmd.Context(), companyID, p)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, link)
				return nil
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&companyID, "company", "", "id of the company")
	f.StringVar(&p.Person, "name", "", "the person's name")
	f.StringVar(&p.Lang, "language", "", "language of the mail: en or nl")
	f.StringSliceVar(&p.Groups, "group", nil, "a group of the company; may be given several times")
	f.StringSliceVar(&p.Roles, "role", nil, "a role; may be given several times")
	f.StringVar((*string)(&p.Admin), "admin", "", "what the person administrates: company or it")
	f.BoolVar(&show, "print", false, "print the link instead of mailing it")
	return cmd
}

// accountReindex puts the accounts of a store from before there was an index of people into it.
func (c *console) accountReindex() *cobra.Command {
	return &cobra.Command{
		Use: "reindex", Short: "Write the index of people anew, after an upgrade or a loss; it can be run at any time",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				n := 0
				var failed error
				err := b.Office.Accounts.List(cmd.Context(), func(r authn.Record) bool {
					if failed = b.Office.People.Reindex(cmd.Context(), r.ID); failed == nil {
						n++
					}
					return failed == nil
				})
				if err = errors.Join(err, failed); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "%d accounts are in the index\n", n)
				return nil
			})
		},
	}
}

func (c *console) accountAdmin() *cobra.Command {
	return &cobra.Command{
		Use: "admin USERNAME it|company|none", Short: "Say what an account may administrate", Args: exactly(2, "a user name and it, company or none"),
		RunE: func(cmd *cobra.Command, args []string) error {
			role := authn.AdminRole(args[1])
			if role == "none" {
				role = authn.AdminNone
			}
			return c.office(cmd, func(b *server.Back) error {
				rec, err := b.Office.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if _, err := b.Office.Clerk(admin.CommandLine()).EditPerson(cmd.Context(), rec.ID, "", admin.PersonEdit{Admin: &role}); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "account %s administrates: %s\n", args[0], args[1])
				return nil
			})
		},
	}
}

func (c *console) accountDelete() *cobra.Command {
	return &cobra.Command{
		Use: "delete USERNAME", Short: "Delete an account with all that is kept of its person; its id is never used again",
		Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				rec, err := b.Office.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if err := b.Office.Clerk(admin.CommandLine()).DeletePerson(cmd.Context(), rec.ID); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "deleted account %s\n", rec.ID)
				return nil
			})
		},
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/server"
)

// companyDomain shows that a mail domain is a company's own.
func (c *console) companyDomain() *cobra.Command {
	var check, drop bool
	cmd := &cobra.Command{
		Use: "domain ID DOMAIN", Short: "Show that a mail domain is a company's own: print the DNS record, or look for it",
		Long: "Only the company whose domain it is can then invite people of it. Without a flag it prints the TXT record.",
		Args: exactly(2, "the id of a company and a domain"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				clerk := b.Office.Clerk(admin.CommandLine())
				switch {
				case drop:
					if err := clerk.DropDomain(cmd.Context(), args[0], "", args[1]); err != nil {
						return err
					}
					fmt.Fprintf(c.out, "%s is no domain of %s any more\n", args[1], args[0])
				case check:
					if err := clerk.VerifyDomain(cmd.Context(), args[0], "", args[1]); err != nil {
						return err
					}
					fmt.Fprintf(c.out, "%s is a domain of %s\n", args[1], args[0])
				default:
					rec, err := clerk.DomainRecord(cmd.Context(), args[0], args[1])
					if err != nil {
						return err
					}
					fmt.Fprintf(c.out, "%s. TXT \"%s\"\n", rec.Name, rec.Value)
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "look for the record, and note the domain if it is there")
	cmd.Flags().BoolVar(&drop, "drop", false, "take the domain from the company")
	return cmd
}

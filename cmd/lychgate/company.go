// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) companyCommand() *cobra.Command {
	return group("company", "Add, list and set companies", c.companyAdd(), c.companyList(), c.companySet(), c.companyPolicy(), c.companyRemind(),
		c.companyDomain())
}

// companyFlags are the settings of a company.
func companyFlags(cmd *cobra.Command, co *company.Company) {
	cmd.Flags().StringVar(&co.Name, "name", "", "name shown to people and in authenticator apps; the id if left out")
	cmd.Flags().StringVar(&co.HelpEmail, "help-email", "", "e-mail address of the help desk")
	cmd.Flags().StringVar(&co.HelpPhone, "help-phone", "", "phone number of the help desk")
	cmd.Flags().StringVar((*string)(&co.SecondFactor), "second-factor", "", "off, optional (default), required or always")
}

func (c *console) companyAdd() *cobra.Command {
	var co company.Company
	cmd := &cobra.Command{
		Use: "add ID", Short: "Add a company", Args: exactly(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			co.ID = args[0]
			if co.Name == "" {
				co.Name = co.ID
			}
			return c.office(cmd, func(b *server.Back) error {
				_, err := b.Office.Companies.Company(cmd.Context(), co.ID)
				if err == nil {
					return fmt.Errorf("company %q %w; change it with `lychgate company set %s`", co.ID, authn.ErrExists, co.ID)
				}
				if !errors.Is(err, authn.ErrNotFound) {
					return err
				}
				if err := b.Office.AddCompany(cmd.Context(), co); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "added company %s\n", co.ID)
				return nil
			})
		},
	}
	companyFlags(cmd, &co)
	return cmd
}

func (c *console) companySet() *cobra.Command {
	var set company.Company
	cmd := &cobra.Command{
		Use: "set ID", Short: "Change a company; what is not named stays", Args: exactly(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				co, err := b.Office.Companies.Company(cmd.Context(), args[0])
				if err != nil {
					return fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", args[0], err)
				}
				for flag, apply := range map[string]func(){
					"name":          func() { co.Name = set.Name },
					"help-email":    func() { co.HelpEmail = set.HelpEmail },
					"help-phone":    func() { co.HelpPhone = set.HelpPhone },
					"second-factor": func() { co.SecondFactor = set.SecondFactor },
				} {
					if cmd.Flags().Changed(flag) {
						apply()
					}
				}
				if _, err := b.Office.SetPolicy(cmd.Context(), co); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "company %s: second factor %s\n", co.ID, flow.Strictest(co.SecondFactor))
				return nil
			})
		},
	}
	companyFlags(cmd, &set)
	return cmd
}

func (c *console) companyList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the companies", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				list, err := b.Office.Companies.Companies(cmd.Context())
				if err != nil {
					return err
				}
				return c.print(list, func(w io.Writer) {
					fmt.Fprintln(w, "ID\tNAME\tSECOND FACTOR\tHELP")
					for _, co := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s %s\n", co.ID, co.Name, flow.Strictest(co.SecondFactor), co.HelpEmail, co.HelpPhone)
					}
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

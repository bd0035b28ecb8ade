// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/authn"
	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) accountCommand() *cobra.Command {
	return group("account", "Add, import, list and change accounts",
		c.accountAdd(), c.accountImport(), c.accountList(), c.accountShow(),
		c.accountChange("disable", "End every session, token and device of an account and refuse its sign-in", authn.Disable),
		c.accountChange("enable", "Let a disabled account sign in again", authn.Enable),
		c.accountReset(), c.accountPassword(), c.accountInvite(), c.accountAdmin(), c.accountDelete(), c.accountReindex())
}

func (c *console) accountAdd() *cobra.Command {
	var e admin.Entry
	var email, name string
	cmd := &cobra.Command{
		Use: "add USERNAME", Short: "Add an account; the password is read from standard input",
		Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			e.Username, e.Claims = args[0], map[string]any{}
			if name != "" {
				e.Claims["name"] = name
			}
			if email != "" {
				e.Claims["email"] = email
			}
			password, err := c.readPassword()
			if err != nil {
				return err
			}
			e.Password = password
			return c.office(cmd, func(b *server.Back) error {
				a, err := b.Office.Add(cmd.Context(), e)
				if err != nil {
					return err
				}
				return c.print(map[string]string{"sub": a.ID, "username": e.Username}, func(w io.Writer) {
					fmt.Fprintf(w, "added\t%s\t%s\n", e.Username, a.ID)
				})
			})
		},
	}
	cmd.Flags().StringVar(&e.Company, "company", "", "id of the account's company")
	cmd.Flags().StringVar(&name, "name", "", "the person's full name (claim name)")
	cmd.Flags().StringVar(&email, "email", "", "the person's e-mail address (claim email)")
	cmd.Flags().StringSliceVar(&e.Roles, "role", nil, "a role; may be given several times")
	return c.jsonFlag(cmd)
}

// readPassword takes the first line of standard input: never an argument, which other users of the machine see.
func (c *console) readPassword() (string, error) {
	fmt.Fprintln(c.errs, "password (one line):")
	line, err := bufio.NewReader(io.LimitReader(c.in, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read password: %w", err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", fmt.Errorf("%w: no password on standard input", errUsage)
	}
	return line, nil
}

// input opens a file, or standard input for "-".
func (c *console) input(name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(c.in), nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return f, nil
}

// accountView is what listings show of an account; never a hash or a secret.
type accountView struct {
	Username     string            `json:"username"`
	Subject      string            `json:"sub"`
	Company      string            `json:"company,omitempty"`
	State        authn.State       `json:"state"`
	SecondFactor authn.FactorState `json:"second_factor"`
	Roles        []string          `json:"roles,omitempty"`
	Claims       map[string]any    `json:"claims,omitempty"`
}

func viewAccount(r authn.Record) accountView {
	return accountView{r.Profile.Name, r.ID, r.Company, r.State, r.Factor, r.Profile.Roles, r.Profile.Claims}
}

func (c *console) accountList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the accounts", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				list := []accountView{}
				err := b.Office.Accounts.List(cmd.Context(), func(r authn.Record) bool {
					v := viewAccount(r)
					v.Claims = nil
					list = append(list, v)
					return true
				})
				if err != nil {
					return err
				}
				return c.print(list, func(w io.Writer) {
					fmt.Fprintln(w, "USERNAME\tCOMPANY\tSTATE\tSECOND FACTOR\tSUB")
					for _, a := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", a.Username, a.Company, a.State, a.SecondFactor, a.Subject)
					}
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

func (c *console) accountShow() *cobra.Command {
	cmd := &cobra.Command{
		Use: "show USERNAME", Short: "Show one account", Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				r, err := b.Office.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return c.print(viewAccount(r), func(w io.Writer) {
					v := viewAccount(r)
					fmt.Fprintf(w, "username\t%s\nsub\t%s\ncompany\t%s\nstate\t%s\nsecond factor\t%s\nroles\t%s\n",
						v.Username, v.Subject, v.Company, v.State, v.SecondFactor, strings.Join(v.Roles, " "))
					for name, value := range v.Claims {
						fmt.Fprintf(w, "%s\t%v\n", name, value)
					}
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

func (c *console) accountChange(use, short string, act authn.Change) *cobra.Command {
	return &cobra.Command{
		Use: use + " USERNAME", Short: short, Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				rec, err := b.Office.Find(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if _, err := b.Office.Clerk(admin.CommandLine()).ChangePerson(cmd.Context(), rec.ID, act); err != nil {
					return fmt.Errorf("account %q: %s does not fit its state (%s, second factor %s): %w", args[0], act, rec.State, rec.Factor, err)
				}
				fmt.Fprintf(c.out, "%s: %sd\n", args[0], use)
				return nil
			})
		},
	}
}

func (c *console) accountReset() *cobra.Command {
	var by string
	cmd := &cobra.Command{
		Use: "reset-factor USERNAME", Short: "Take an account's authenticators away and mail a one-time set-up link",
		Long: "The old authenticators are dead at once; sessions, tokens and remembered devices end. The person gets a\n" +
			"one-time link by mail; the ticket that is printed does the same, typed on the set-up page after the password.\n" +
			"Where the company's policy wants two admins or a waiting time, the first call only asks for it.",
		Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				done, err := b.Office.ResetFactor(cmd.Context(), args[0], by)
				if err != nil {
					return err
				}
				return c.printReset(args[0], done)
			})
		},
	}
	cmd.Flags().StringVar(&by, "admin", "", "who asks for it; for the audit log, and for companies that want two admins")
	return c.jsonFlag(cmd)
}

func (c *console) printReset(name string, done admin.Reset) error {
	if !done.Done {
		view := map[string]any{"username": name, "asked_by": done.By, "not_before": done.After, "another_admin": done.Another}
		return c.print(view, func(w io.Writer) {
			fmt.Fprintf(w, "asked\t%s\nby\t%s\nnot before\t%s\n\n", name, done.By, done.After.Format(time.RFC3339))
			if done.Another {
				fmt.Fprintln(w, "Another admin runs the same command with --admin and the own name.")
				return
			}
			fmt.Fprintln(w, "Run the same command again then.")
		})
	}
	return c.print(map[string]any{"username": name, "ticket": done.Ticket, "mailed": done.Mailed}, func(w io.Writer) {
		fmt.Fprintf(w, "reset\t%s\nset-up ticket\t%s\nmailed to\t%d addresses\n\n", name, done.Ticket, done.Mailed)
		fmt.Fprintln(w, "Without a mail, give the ticket to the person over a channel that proves who they are. It works once, for\n"+
			"24 hours, together with the password; a change of the password ends it.")
	})
}

func (c *console) accountPassword() *cobra.Command {
	return &cobra.Command{
		Use: "set-password USERNAME", Short: "Set a new password, read from standard input; ends every session and device",
		Args: exactly(1, "a user name"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := c.readPassword()
			if err != nil {
				return err
			}
			return c.office(cmd, func(b *server.Back) error {
				if err := b.Office.Clerk(admin.CommandLine()).SetPassword(cmd.Context(), args[0], password); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "%s: password set\n", args[0])
				return nil
			})
		},
	}
}

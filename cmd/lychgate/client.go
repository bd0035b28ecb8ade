// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/client"
	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) clientCommand() *cobra.Command {
	return group("client", "Register, list and remove clients (the apps that use Lychgate)",
		c.clientAdd(), c.clientList(), c.clientShow(), c.clientRemove(), c.clientRotate(), c.clientInitial())
}

// clientInitial makes an initial access token (RFC 7591 §1.2).
func (c *console) clientInitial() *cobra.Command {
	var uses, days int
	cmd := &cobra.Command{
		Use: "initial-token", Short: "Make a token with which apps can register themselves (RFC 7591)",
		Long: "Who holds the token can register as many apps as it has uses, within its days, if registration.mode is token.\n" +
			"It is printed once and kept as a digest alone.",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				token, err := b.Desk.InitialToken(cmd.Context(), uses, time.Duration(days)*24*time.Hour)
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, token)
				return nil
			})
		},
	}
	cmd.Flags().IntVar(&uses, "uses", 1, "how many apps can be registered with it, 1 to 1000")
	cmd.Flags().IntVar(&days, "days", 7, "how long it is good, 1 to 366 days")
	return cmd
}

func (c *console) clientAdd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "add --file FILE|-", Short: "Register clients from RFC 7591 metadata: one JSON object or a list",
		Long: "The names are those of RFC 7591 and OpenID Connect Registration, and ours with the prefix lychgate_.\n" +
			"A name that is not known is refused. The secret is printed once and kept as a digest alone.",
		Args: exactly(0, "no arguments, but --file"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return fmt.Errorf("%w: --file is missing; name a JSON file, or - for standard input", errUsage)
			}
			in, err := c.input(file)
			if err != nil {
				return err
			}
			defer in.Close()
			list, err := client.Parse(in)
			if err != nil {
				return err
			}
			return c.office(cmd, func(b *server.Back) error {
				added, err := b.Office.Clerk(admin.CommandLine()).CreateClients(cmd.Context(), list)
				if err != nil {
					return err
				}
				return c.print(added, func(w io.Writer) { printRegistered(w, added) })
			})
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "file with the metadata, or - for standard input")
	return c.jsonFlag(cmd)
}

func printRegistered(w io.Writer, added []admin.Registered) {
	for _, r := range added {
		fmt.Fprintf(w, "client_id\t%s\n", r.ID)
		if r.Secret != "" {
			fmt.Fprintf(w, "client_secret\t%s\t(shown this once)\n", r.Secret)
		}
	}
}

func (c *console) clientList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the clients", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				list, err := b.Office.Clients.Clients(cmd.Context())
				if err != nil {
					return err
				}
				if list == nil {
					list = []*client.Client{}
				}
				return c.print(list, func(w io.Writer) {
					fmt.Fprintln(w, "CLIENT ID\tNAME\tOWN APP OF\tGRANTS\tREDIRECT URIS")
					for _, cl := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", cl.ID, cl.Name, cl.Company,
							strings.Join(cl.GrantTypes, " "), strings.Join(cl.RedirectURIs, " "))
					}
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

func (c *console) clientShow() *cobra.Command {
	return &cobra.Command{
		Use: "show CLIENT_ID", Short: "Show one client as the JSON that `client add` takes", Args: exactly(1, "a client id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				cl, err := b.Office.Clerk(admin.CommandLine()).Client(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				c.json = true
				return c.print(cl, nil)
			})
		},
	}
}

func (c *console) clientRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove CLIENT_ID", Short: "Remove a client; its tokens are refused within a second",
		Args: exactly(1, "a client id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				if err := b.Office.Clerk(admin.CommandLine()).RemoveClient(cmd.Context(), args[0], ""); err != nil {
					return err
				}
				fmt.Fprintf(c.out, "removed client %s\n", args[0])
				return nil
			})
		},
	}
}

func (c *console) clientRotate() *cobra.Command {
	cmd := &cobra.Command{
		Use: "rotate-secret CLIENT_ID", Short: "Give a client a new secret; the one before stays valid until the next rotation",
		Args: exactly(1, "a client id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				r, err := b.Office.Clerk(admin.CommandLine()).NewSecret(cmd.Context(), args[0], time.Time{})
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) { printRegistered(w, []admin.Registered{r}) })
			})
		},
	}
	return c.jsonFlag(cmd)
}

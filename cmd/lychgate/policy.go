// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/company"
	"github.com/lychgate/lychgate/pkg/flow"
	"github.com/lychgate/lychgate/pkg/server"
)

// policyFlags are the settings of a policy as they are typed.
type policyFlags struct {
	mode, from, remember, setup string
	groups, admins              []string
	skips, resetAdmins          int
	resetWait                   int
}

func (c *console) companyPolicy() *cobra.Command {
	var f policyFlags
	cmd := &cobra.Command{
		Use: "policy ID", Short: "Show a company's second-factor policy, or change what is named",
		Long: "Everybody who has to set a second factor up is told by mail. Until --from set-up is offered and can be put off\n" +
			"--skips times; nobody is locked out half-way. The strictest of company and client wins.",
		Args: exactly(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				co, err := b.Office.Companies.Company(cmd.Context(), args[0])
				if err != nil {
					return fmt.Errorf("company %q: %w; `lychgate company list` shows the ids", args[0], err)
				}
				changed, err := f.apply(cmd, &co)
				if err != nil {
					return err
				}
				told := 0
				if changed {
					if told, err = b.Office.SetPolicy(cmd.Context(), co); err != nil {
						return err
					}
				}
				return c.printPolicy(co, told)
			})
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&f.mode, "second-factor", "", "off, optional, required or always")
	fl.StringSliceVar(&f.groups, "groups", nil, "roles that it is for; all: everybody")
	fl.StringVar(&f.from, "from", "", "day on which it begins, 2026-12-31, or now")
	fl.IntVar(&f.skips, "skips", 0, "how often a person may put the set-up off before")
	fl.StringVar(&f.remember, "remember-days", "", "days for which a device may be remembered, never, or default")
	fl.StringVar(&f.setup, "setup-days", "", "days for which a first set-up by password alone stays open, or default (14)")
	fl.IntVar(&f.resetAdmins, "reset-admins", 1, "admins that a reset of a person's factor takes, 1 or 2")
	fl.IntVar(&f.resetWait, "reset-wait-hours", 0, "hours between asking for a reset and doing it")
	fl.StringSliceVar(&f.admins, "admin-emails", nil, "addresses that are told of resets")
	return c.jsonFlag(cmd)
}

// apply changes what was named on the command line.
func (f *policyFlags) apply(cmd *cobra.Command, co *company.Company) (bool, error) {
	changed := false
	for name, set := range map[string]func() error{
		"second-factor": func() error { co.SecondFactor = flow.FactorMode(f.mode); return nil },
		"groups": func() error {
			if co.FactorGroups = f.groups; strings.Join(f.groups, "") == "all" {
				co.FactorGroups = nil
			}
			return nil
		},
		"from":             func() error { return f.setFrom(co) },
		"skips":            func() error { co.Skips = f.skips; return nil },
		"remember-days":    func() error { return days(f.remember, "never", &co.RememberDays) },
		"setup-days":       func() error { return days(f.setup, "", &co.SetupDays) },
		"reset-admins":     func() error { co.ResetAdmins = f.resetAdmins; return nil },
		"reset-wait-hours": func() error { co.ResetWait = f.resetWait; return nil },
		"admin-emails":     func() error { co.AdminEmails = f.admins; return nil },
	} {
		if !cmd.Flags().Changed(name) {
			continue
		}
		changed = true
		if err := set(); err != nil {
			return false, fmt.Errorf("%w: --%s: %w", errUsage, name, err)
		}
	}
	return changed, nil
}

func (f *policyFlags) setFrom(co *company.Company) error {
	if f.from == "now" || f.from == "" {
		co.From = time.Time{}
		return nil
	}
	day, err := time.Parse(time.DateOnly, f.from)
	if err != nil {
		return fmt.Errorf("%q is no day, write 2026-12-31", f.from)
	}
	co.From = day
	return nil
}

// days reads a number of days; never is 0, default leaves it to the server.
func days(text, never string, to **int) error {
	switch {
	case text == "default":
		*to = nil
		return nil
	case text == never && never != "":
		*to = new(int)
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return fmt.Errorf("%q is no number of days", text)
	}
	*to = &n
	return nil
}

func (c *console) printPolicy(co company.Company, told int) error {
	return c.print(co, func(w io.Writer) {
		fmt.Fprintf(w, "company\t%s\nsecond factor\t%s\n", co.ID, flow.Strictest(co.SecondFactor))
		if len(co.FactorGroups) > 0 {
			fmt.Fprintf(w, "for groups and roles\t%s\n", strings.Join(co.FactorGroups, ", "))
		}
		if !co.From.IsZero() {
			fmt.Fprintf(w, "from\t%s\n", co.From.Format(time.DateOnly))
		}
		fmt.Fprintf(w, "skips before\t%d\nremembered devices\t%s\nfirst set-up open for\t%s days\n", co.Skips,
			inWords(co.RememberDays, "as the server says", " days"), inWords(co.SetupDays, "14", ""))
		fmt.Fprintf(w, "admins for a reset\t%d\nwait before a reset\t%d hours\n", max(1, co.ResetAdmins), co.ResetWait)
		if told > 0 {
			fmt.Fprintf(w, "told by mail\t%d people\n", told)
		}
	})
}

func inWords(n *int, without, unit string) string {
	switch {
	case n == nil:
		return without
	case *n == 0 && unit != "":
		return "never"
	default:
		return strconv.Itoa(*n) + unit
	}
}

func (c *console) companyRemind() *cobra.Command {
	return &cobra.Command{
		Use: "remind ID", Short: "Write to everybody of a company who has to set a second factor up and has not", Args: exactly(1, "an id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.office(cmd, func(b *server.Back) error {
				told, err := b.Office.Clerk(admin.CommandLine()).Remind(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				fmt.Fprintf(c.out, "told %d people\n", told)
				return nil
			})
		},
	}
}

func (c *console) planCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "plan FILE|-", Short: "Say what a declarative file would change; nothing is changed", Args: exactly(1, "a file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.declared(cmd, args[0], func(_ *server.Back, steps []admin.Step) error { return c.printSteps(steps) })
		},
	}
	return c.jsonFlag(cmd)
}

func (c *console) applyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "apply FILE|-", Short: "Carry out what a declarative file says; what it does not name is left alone",
		Args: exactly(1, "a file, or - for standard input"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.declared(cmd, args[0], func(b *server.Back, steps []admin.Step) error {
				if _, err := b.Office.Carry(cmd.Context(), steps); err != nil {
					return err
				}
				return c.printSteps(steps)
			})
		},
	}
	return c.jsonFlag(cmd)
}

// declared reads a declarative file and hands its plan on.
func (c *console) declared(cmd *cobra.Command, name string, use func(b *server.Back, steps []admin.Step) error) error {
	in, err := c.input(name)
	if err != nil {
		return err
	}
	defer in.Close()
	d, err := admin.ReadDeclared(in)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return c.office(cmd, func(b *server.Back) error {
		steps, err := b.Office.Plan(cmd.Context(), d)
		if err != nil {
			return err
		}
		return use(b, steps)
	})
}

func (c *console) printSteps(steps []admin.Step) error {
	if steps == nil {
		steps = []admin.Step{}
	}
	return c.print(steps, func(w io.Writer) {
		for _, s := range steps {
			fmt.Fprintf(w, "%s\tcompany %s\tsecond factor %s\n", s.What, s.After.ID, flow.Strictest(s.After.SecondFactor))
		}
		if len(steps) == 0 {
			fmt.Fprintln(w, "nothing to change")
		}
	})
}

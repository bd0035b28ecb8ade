// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/audit"
	"github.com/lychgate/lychgate/pkg/server"
)

// errBroken is a journal that somebody has changed, or that has lost writes.
var errBroken = errors.New("the journal of security events does not hold")

func (c *console) auditCommand() *cobra.Command {
	return group("audit", "Read and check the journal of security events", c.auditList(), c.auditVerify())
}

func (c *console) auditList() *cobra.Command {
	var account, event string
	var since time.Duration
	cmd := &cobra.Command{
		Use: "list", Short: "Print security events, the oldest first; --json prints one object a line", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				id := account
				if account != "" {
					rec, err := b.Office.Find(cmd.Context(), account)
					if err != nil {
						return err
					}
					id = rec.ID
				}
				enc := json.NewEncoder(c.out)
				return b.History().Read(cmd.Context(), func(r audit.Record, _ string) bool {
					late := since > 0 && time.Since(r.At) > since
					if late || r.Event == "" || id != "" && r.Account != id || event != "" && r.Event != event {
						return true
					}
					if c.json {
						return enc.Encode(r) == nil
					}
					c.auditLine(r)
					return true
				})
			})
		},
	}
	cmd.Flags().StringVar(&account, "account", "", "events of this user name alone")
	cmd.Flags().StringVar(&event, "event", "", "events of this name alone, e.g. factor.enrolled")
	cmd.Flags().DurationVar(&since, "since", 0, "events of the last so long, e.g. 24h")
	return c.jsonFlag(cmd)
}

// auditLine prints one event. Values hold no control characters, so that none can forge a line.
func (c *console) auditLine(r audit.Record) {
	fmt.Fprintf(c.out, "%s %s", r.At.Format(time.RFC3339), r.Event)
	for _, f := range [][2]string{
		{"account", r.Account},
		{"actor", r.Actor},
		{"client", r.Client},
		{"company", r.Company},
		{"result", r.Result},
		{"source", r.Source},
		{"browser", r.Browser},
		{"request_id", r.RequestID},
	} {
		if f[1] != "" {
			fmt.Fprintf(c.out, " %s=%q", f[0], f[1])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Detail)) {
		fmt.Fprintf(c.out, " %s=%q", name, r.Detail[name])
	}
	fmt.Fprintln(c.out)
}

func (c *console) auditVerify() *cobra.Command {
	cmd := &cobra.Command{
		Use: "verify", Short: "Check that no security event was changed, dropped or added", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				count := 0
				var first string
				err := b.History().Read(cmd.Context(), func(r audit.Record, broken string) bool {
					count++
					if broken != "" && first == "" {
						first = fmt.Sprintf("entry %d (%s): %s", count, r.At.Format(time.RFC3339), broken)
					}
					return true
				})
				if err != nil {
					return err
				}
				if first != "" {
					return fmt.Errorf("%w: %s; compare with the log, and see who can write to Redis", errBroken, first)
				}
				return c.print(map[string]int{"verified": count}, func(w io.Writer) { fmt.Fprintf(w, "verified %d security events\n", count) })
			})
		},
	}
	return c.jsonFlag(cmd)
}

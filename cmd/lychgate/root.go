// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/server"
)

var (
	errUsage    = errors.New("wrong use")
	errNotReady = errors.New("the store is not ready")
)

// console is what the commands share.
type console struct {
	in        io.Reader
	out, errs io.Writer
	environ   []string
	file      string
	json      bool
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use: "lychgate", Short: "OpenID Connect provider with a second factor", SilenceUsage: true, SilenceErrors: true,
		Long: "Lychgate checks a password and a code from an authenticator app, remembers the device if asked,\n" +
			"and issues the tokens that your apps rely on. `lychgate demo` shows it in one command.",
	}
	root.PersistentFlags().StringVarP(&c.file, "config", "c", c.env("LYCHGATE_CONFIG"), "configuration file")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.AddCommand(c.serveCommand(), c.setupCommand(), c.demoCommand(), c.accountCommand(), c.companyCommand(), c.clientCommand(),
		c.keyCommand(), c.secretCommand(), c.auditCommand(),
		c.planCommand(), c.applyCommand(), c.configCommand(), c.doctorCommand())
	return root
}

func (c *console) env(name string) string {
	for _, e := range c.environ {
		if len(e) > len(name) && e[:len(name)] == name && e[len(name)] == '=' {
			return e[len(name)+1:]
		}
	}
	return ""
}

// config loads the settings.
func (c *console) config() (config.Config, error) { return config.Load(c.file, c.environ) }

// exactly is cobra.ExactArgs with our exit code and a next action.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("%w: `%s` takes %s; see `%s --help`", errUsage, cmd.CommandPath(), what, cmd.CommandPath())
		}
		return nil
	}
}

// group returns a command that only holds others; without one of them it is an error, not silence.
func group(use, short string, sub ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{Use: use, Short: short, RunE: func(cmd *cobra.Command, args []string) error {
		_ = cmd.Help()
		if len(args) > 0 {
			return fmt.Errorf("%w: %q is no command of `lychgate %s`", errUsage, args[0], use)
		}
		return fmt.Errorf("%w: name one of the commands above", errUsage)
	}}
	cmd.AddCommand(sub...)
	return cmd
}

// office opens the store for one command and closes it after f.
func (c *console) office(cmd *cobra.Command, f func(b *server.Back) error) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	back, err := server.OpenBack(cmd.Context(), cfg, c.quietDeps(cfg))
	if err != nil {
		return err
	}
	defer back.Close()
	if reasons := back.Reasons(cmd.Context()); len(reasons) > 0 {
		return notReady(reasons)
	}
	return f(back)
}

func notReady(reasons []server.Reason) error {
	err := errNotReady
	for _, r := range reasons {
		err = fmt.Errorf("%w\n  - %s: %s", err, r.Text, r.Remedy)
	}
	return err
}

// quietDeps are deps for a command that ends by itself: what is wrong and what was changed is logged, as text.
func (c *console) quietDeps(cfg config.Config) server.Deps {
	cfg.Log = config.Log{Level: "info", Format: "text"}
	return c.deps(cfg)
}

// deps are the real clock and a log on the error stream, whose level can be changed while running.
func (c *console) deps(cfg config.Config) server.Deps {
	level := new(server.Level)
	var l slog.Level
	if l.UnmarshalText([]byte(cfg.Log.Level)) == nil {
		level.Set(l)
	}
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(c.errs, opts)
	if cfg.Log.Format == "text" {
		h = slog.NewTextHandler(c.errs, opts)
	}
	return server.Deps{Now: time.Now, Log: slog.New(h), Level: level}
}

// jsonFlag adds --json.
func (c *console) jsonFlag(cmd *cobra.Command) *cobra.Command {
	cmd.Flags().BoolVar(&c.json, "json", false, "print JSON")
	return cmd
}

// print writes v as JSON with --json, else what text writes.
func (c *console) print(v any, text func(w io.Writer)) error {
	if c.json {
		enc := json.NewEncoder(c.out)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	}
	tw := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	text(tw)
	return tw.Flush()
}

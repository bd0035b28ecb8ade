// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func (c *console) demoCommand() *cobra.Command {
	var d demoFlags
	cmd := &cobra.Command{
		Use: "demo", Short: "Run provider and sample app in one process, with sign-in data printed",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.demo(cmd.Context(), d) },
	}
	cmd.Flags().StringVar(&d.listen, "listen", "localhost:8080", "address of the provider, on loopback; port 0 takes a free one")
	cmd.Flags().StringVar(&d.appListen, "app-listen", "localhost:8081", "address of the sample app, on loopback")
	cmd.Flags().StringVar(&d.facts, "facts", "", "file to write addresses and sign-in data to, as JSON, once both answer")
	cmd.Flags().StringVar(&d.redis, "redis", "", "run on this Redis (redis://host:port/db): an empty one, or the demo's own")
	var app string
	code := &cobra.Command{
		Use: "code USERNAME", Short: "Print the current code of a demo account", Args: exactly(1, "a user name"),
		RunE: func(_ *cobra.Command, args []string) error { return c.demoCode(app, args[0]) },
	}
	code.Flags().StringVar(&app, "app", "http://localhost:8081", "address of the running sample app")
	cmd.AddCommand(code)
	return cmd
}

// demoFlags are the flags of `lychgate demo`.
type demoFlags struct{ listen, appListen, facts, redis string }

// demoCode asks the running demo; it is for those who have no phone at hand.
func (c *console) demoCode(app, user string) error {
	client := http.Client{Timeout: 5 * time.Second}
	res, err := client.Get(app + "/demo/code?user=" + url.QueryEscape(user)) //nolint:noctx // a command line of one request
	if err != nil {
		return fmt.Errorf("no demo answers at %s: start it with `lychgate demo`, or name it with --app", app)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1024))
	if err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s", strings.TrimSpace(string(body)))
	}
	fmt.Fprint(c.out, string(body))
	return nil
}

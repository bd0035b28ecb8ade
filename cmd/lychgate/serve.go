// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) serveCommand() *cobra.Command {
	return &cobra.Command{
		Use: "serve", Short: "Run the provider", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.serve(cmd.Context()) },
	}
}

// serve listens at once and says on /readyz what is missing; SIGHUP reloads what can be reloaded; SIGTERM
// finishes what is under way.
func (c *console) serve(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	deps := c.deps(cfg)
	srv, err := server.New(ctx, cfg, deps)
	if err != nil {
		return err
	}
	defer srv.Close()
	public, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; set listen to a free address", err)
	}
	health, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.HealthListen)
	if err != nil {
		return fmt.Errorf("health_listen: %w; set it to a free address", err)
	}
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go c.reload(ctx, srv, hup)
	return srv.Run(ctx, public, health)
}

// reload applies the configuration anew at each SIGHUP. A bad one changes nothing.
func (c *console) reload(ctx context.Context, srv *server.Server, hup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			cfg, err := c.config()
			srv.Reload(ctx, cfg, err)
		}
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/config"
	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) configCommand() *cobra.Command {
	check := &cobra.Command{
		Use: "check", Short: "Check the configuration and report every problem at once", Args: exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if _, err := c.config(); err != nil {
				return err
			}
			fmt.Fprintln(c.out, "the configuration is good")
			return nil
		},
	}
	return group("config", "Check the configuration", check)
}

// finding is one line of the doctor.
type finding struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

func (c *console) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "doctor", Short: "Look for what is wrong: configuration, files, store, keys, clients",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := c.examine(cmd)
			bad := 0
			for _, f := range list {
				if !f.OK {
					bad++
				}
			}
			if perr := c.print(list, func(w io.Writer) { printFindings(w, list) }); perr != nil {
				return perr
			}
			if err != nil {
				return err
			}
			if bad > 0 {
				return fmt.Errorf("%d of %d checks failed", bad, len(list))
			}
			return nil
		},
	}
	return c.jsonFlag(cmd)
}

func printFindings(w io.Writer, list []finding) {
	for _, f := range list {
		mark := "ok"
		if !f.OK {
			mark = "BAD"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", mark, f.Check, f.Detail)
		if f.Remedy != "" {
			fmt.Fprintf(w, "\t\t-> %s\n", f.Remedy)
		}
	}
}

// examine goes from the outside in and stops where the rest makes no sense.
func (c *console) examine(cmd *cobra.Command) ([]finding, error) {
	var list []finding
	cfg, err := c.config()
	if err != nil {
		return append(list, finding{"configuration", false, err.Error(), "mend each line; `lychgate config check` looks again"}), nil
	}
	list = append(list, finding{"configuration", true, cfg.Issuer, ""})
	list = append(list, secretFiles(cfg)...)
	back, err := server.OpenBack(cmd.Context(), cfg, c.quietDeps(cfg))
	if err != nil {
		return append(list, finding{"store", false, err.Error(), "see redis.* in config.example.yaml"}), nil
	}
	defer back.Close()
	if reasons := back.Reasons(cmd.Context()); len(reasons) > 0 {
		for _, r := range reasons {
			list = append(list, finding{"store", false, r.Text, r.Remedy})
		}
		return list, nil
	}
	list = append(list, finding{"store", true, strings.Join(cfg.Redis.Addresses, " "), ""})
	list = append(list, finding{"signing keys", len(back.SigningKeys()) > 0, fmt.Sprintf("%d keys", len(back.SigningKeys())), ""})
	clients, err := back.Office.Clients.Clients(cmd.Context())
	if err != nil {
		return list, err
	}
	f := finding{"clients", true, fmt.Sprintf("%d clients", len(clients)), ""}
	if len(clients) == 0 {
		f.Remedy = "register one with `lychgate client add --file client.json`"
	}
	return append(list, f), nil
}

// secretFiles: a secret that others on the machine can read is none.
func secretFiles(cfg config.Config) []finding {
	var list []finding
	for _, name := range []string{cfg.Secrets.KeysFile, cfg.Secrets.IndexFile, cfg.Secrets.PairwiseFile, cfg.Secrets.PepperFile, cfg.Redis.PasswordFile, cfg.Redis.SentinelFile} {
		if name == "" {
			continue
		}
		info, err := os.Stat(name)
		if err != nil {
			continue
		}
		f := finding{"secret file", info.Mode().Perm()&0o007 == 0, name, ""}
		if !f.OK {
			f.Remedy = "chmod 0640 " + name
		}
		list = append(list, f)
	}
	return list
}

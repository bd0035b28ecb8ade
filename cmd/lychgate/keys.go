// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/lychgate/lychgate/pkg/keys"
	"github.com/lychgate/lychgate/pkg/server"
)

func (c *console) keyCommand() *cobra.Command {
	return group("key", "List and rotate the signing keys", c.keyList(), c.keyRotate())
}

func (c *console) keyList() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Short: "List the signing keys", Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				list := b.SigningKeys()
				return c.print(list, func(w io.Writer) {
					fmt.Fprintln(w, "KID\tALG\tSTATE\tMADE\tIN USE SINCE\tLEAVES")
					for _, k := range list {
						fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Alg, k.State, date(k.Made), date(k.Activated), date(k.Leaves))
					}
				})
			})
		},
	}
	return c.jsonFlag(cmd)
}

func date(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func (c *console) keyRotate() *cobra.Command {
	var now bool
	var alg string
	cmd := &cobra.Command{
		Use: "rotate", Short: "Put the next signing keys into use and make new next ones",
		Long: "The next keys have to be published for 24 hours first, so that every app has seen them. --now skips that\n" +
			"wait for an emergency: apps that keep the key set for hours refuse sign-ins until they ask again.",
		Args: exactly(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.office(cmd, func(b *server.Back) error {
				rotate := b.RotateKeys
				if now {
					rotate = b.RotateKeysNow
				}
				err := rotate(cmd.Context(), alg)
				if errors.Is(err, keys.ErrUnknownAlg) {
					return fmt.Errorf("%w: --alg has to be one of %s", errUsage, strings.Join(keys.Algs(), ", "))
				}
				if err != nil {
					return err
				}
				fmt.Fprintln(c.out, "rotated; nodes that are running use the new keys within 30 seconds")
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "do not wait until the next keys have been published for 24 hours")
	cmd.Flags().StringVar(&alg, "alg", "", "the key of this algorithm alone, such as RS256")
	return cmd
}

func (c *console) secretCommand() *cobra.Command {
	var single bool
	var id int
	cmd := &cobra.Command{
		Use: "new", Short: "Make a key for secrets.keys, or with --single for index_key, pairwise_key or pepper",
		Args: exactly(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			if id < 1 || id > 255 {
				return fmt.Errorf("%w: --id has to be 1 to 255", errUsage)
			}
			b := make([]byte, 32)
			if _, err := rand.Read(b); err != nil {
				return fmt.Errorf("random bytes: %w", err)
			}
			key := base64.StdEncoding.EncodeToString(b)
			if !single {
				key = fmt.Sprintf("%d:%s", id, key)
			}
			fmt.Fprintln(c.out, key)
			return nil
		},
	}
	cmd.Flags().BoolVar(&single, "single", false, "32 bytes in base64, without an id")
	cmd.Flags().IntVar(&id, "id", 1, "the key's id in the ring; another one for each key")
	return group("secret", "Make secrets", cmd)
}

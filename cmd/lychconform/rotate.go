// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"
)

// rotate puts a new signing key into use and returns when the running provider publishes it: a driver goes on at once.
// It is that of RS256, which the suite's clients use, since the suite refuses to look at a new key of EdDSA.
func rotate(ctx context.Context, o options) error {
	r := &rig{options: o}
	raw, err := os.ReadFile(r.file(configFile))
	if err != nil {
		return err
	}
	var c struct {
		Issuer string `json:"issuer"`
		Listen string `json:"listen"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	before, err := keyIDs(ctx, c.Issuer, c.Listen)
	if err != nil {
		return err
	}
	if err := r.lychgate(ctx, nil, "key", "rotate", "--now", "--alg", "RS256"); err != nil {
		return err
	}
	for range 90 {
		after, err := keyIDs(ctx, c.Issuer, c.Listen)
		if err == nil && !slices.Equal(before, after) {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
	}
	return errors.New("the provider publishes the keys of before after 45 s")
}

// keyIDs reads the key set without TLS: this is the machine it runs on.
func keyIDs(ctx context.Context, issuer, listen string) ([]string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+listen+"/jwks", http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Host = strings.TrimPrefix(issuer, "https://")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	var set struct {
		Keys []struct {
			ID string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&set); err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range set.Keys {
		ids = append(ids, k.ID)
	}
	slices.Sort(ids)
	return ids, nil
}

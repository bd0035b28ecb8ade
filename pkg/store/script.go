// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"crypto/sha1" //nolint:gosec // the name by which Redis knows a script, not a protection
	"embed"
	"encoding/hex"
	"fmt"
	"strings"
)

//go:embed scripts/*.lua
var scriptFiles embed.FS

// script is one Lua script with the name Redis gives it.
type script struct{ text, sha string }

func loadScripts() (map[string]script, error) {
	dir, err := scriptFiles.ReadDir("scripts")
	if err != nil {
		return nil, fmt.Errorf("read scripts: %w", err)
	}
	all := make(map[string]script, len(dir))
	for _, f := range dir {
		b, err := scriptFiles.ReadFile("scripts/" + f.Name())
		if err != nil {
			return nil, fmt.Errorf("read scripts: %w", err)
		}
		sum := sha1.Sum(b) //nolint:gosec // as above
		all[strings.TrimSuffix(f.Name(), ".lua")] = script{text: string(b), sha: hex.EncodeToString(sum[:])}
	}
	return all, nil
}

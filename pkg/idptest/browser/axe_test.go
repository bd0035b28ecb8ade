// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package browser_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// The rules of accessibility, pinned: the same pages must pass tomorrow.
const (
	axeVersion = "4.14.1"
	axeSum     = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
)

// finding is a rule that a page breaks.
type finding struct {
	ID     string   `json:"id"`
	Impact string   `json:"impact"`
	Help   string   `json:"help"`
	At     []string `json:"at"`
}

// String implements fmt.Stringer.
func (f finding) String() string {
	return fmt.Sprintf("%s %s: %s, at %s", f.Impact, f.ID, f.Help, strings.Join(f.At, " | "))
}

// audit runs the rules on the page as it is.
func (b *tab) audit() []finding {
	b.Helper()
	if eval[bool](b, `typeof axe === 'undefined'`) {
		eval[chromedp.Void](b, axe(b.T)+"; undefined")
	}
	return eval[[]finding](b, `axe.run(document, {
		preload: false, resultTypes: ['violations'],
		runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
	}).then(r => r.violations.map(v => ({id: v.id, impact: v.impact, help: v.help, at: v.nodes.map(n => n.target.join(' ') + ' (' + n.any.concat(n.all, n.none).map(c => c.message).join('; ') + ')')})))`)
}

// accessible ends in an error for each serious finding, and tells the others.
func (b *tab) accessible(how string) {
	b.Helper()
	for _, f := range b.audit() {
		if f.Impact == "serious" || f.Impact == "critical" {
			b.Errorf("%s: %v", how, f)
			continue
		}
		b.Logf("%s: %v", how, f)
	}
}

// axe returns axe-core's script, installed from npm once for each version.
func axe(t *testing.T) string {
	t.Helper()
	script, err := axeScript()
	if err != nil {
		t.Fatal(err)
	}
	return script
}

var axeScript = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "lychgate", "axe-core-"+axeVersion)
	file := filepath.Join(dir, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		if err := installAxe(dir); err != nil {
			return "", err
		}
	}
	script, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeSum {
		return "", fmt.Errorf("%s is not axe-core %s (SHA-256 %x); remove %s", file, axeVersion, sum, dir)
	}
	return string(script), nil
})

// installAxe installs into a folder beside dir, then renames it, so that nobody finds half of it.
func installAxe(dir string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dir), ".axe-core-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	cmd := exec.Command("npm", "install", "--prefix", tmp, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "axe-core@"+axeVersion)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm install axe-core: %w: %s", err, out)
	}
	if err := os.Rename(tmp, dir); err != nil && !os.IsExist(err) {
		if _, there := os.Stat(dir); there != nil {
			return err
		}
	}
	return nil
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// secretNames are the settings that a file must not hold: from a file of their own or the environment only.
func secretNames() []string {
	return []string{
		"secrets.keys", "secrets.index_key", "secrets.pairwise_key", "secrets.pepper",
		"redis.password", "redis.sentinel_password", "mail.password",
	}
}

// checkNames refuses names that are no setting, names that differ from a setting by case alone (viper would take
// either, and the last one would win), and secrets written into the file.
func checkNames(body []byte, file string) Problems {
	var doc yaml.Node
	if err := yaml.Unmarshal(body, &doc); err != nil {
		return Problems{file + ": not valid YAML: " + err.Error()}
	}
	if len(doc.Content) == 0 {
		return nil
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		return Problems{file + ": line 1: settings are expected, name: value"}
	}
	c := checker{file: file, names: Names()}
	c.walk(doc.Content[0], "")
	return c.problems
}

type checker struct {
	file     string
	names    []string
	problems Problems
}

func (c *checker) add(line int, format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf("%s: line %d: ", c.file, line)+fmt.Sprintf(format, args...))
}

func (c *checker) walk(n *yaml.Node, prefix string) {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		name := prefix + key.Value
		if line, twice := seen[strings.ToLower(name)]; twice {
			c.add(key.Line, "%q stands in line %d already", name, line)
			continue
		}
		seen[strings.ToLower(name)] = key.Line
		section := slices.ContainsFunc(c.names, func(s string) bool { return strings.HasPrefix(s, name+".") })
		switch {
		case section && value.Kind == yaml.MappingNode:
			c.walk(value, name+".")
		case section && value.Tag == "!!null":
		case section:
			c.add(key.Line, "%q is a group of settings", name)
		case !slices.Contains(c.names, name):
			c.add(key.Line, "%q is no setting%s", name, c.hint(name))
		case slices.Contains(secretNames(), name):
			c.add(key.Line, "%q is a secret: put it into a file and name that in %s_file, or set %s", name, name, EnvName(name))
		}
	}
}

// hint names the setting that was probably meant.
func (c *checker) hint(name string) string {
	last := name[strings.LastIndex(name, ".")+1:]
	for _, s := range c.names {
		if strings.EqualFold(s, name) || strings.HasSuffix(s, "."+strings.ToLower(last)) || near(s, name) {
			return fmt.Sprintf("; is %q meant?", s)
		}
	}
	return "; see config.example.yaml"
}

// near says whether a and b differ by one letter, added, left out or changed.
func near(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	if len(a)-len(b) > 1 {
		return false
	}
	i := 0
	for i < len(b) && a[i] == b[i] {
		i++
	}
	if i == len(b) {
		return true
	}
	return a[i+1:] == b[i:] || a[i+1:] == b[i+1:]
}

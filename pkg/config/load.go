// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/viper"
)

// envPrefix is in front of every setting's name in the environment; LYCHGATE_CONFIG names the file.
const envPrefix = "LYCHGATE_"

const maxFile = 1 << 20

// Problems are all that is wrong with a configuration, each with its setting, its line and what to do.
type Problems []string //nolint:errname // they are what it says, all at once

// Error implements error.
func (p Problems) Error() string {
	return "the configuration has problems:\n  - " + strings.Join(p, "\n  - ")
}

// Load reads file (if not empty), then the environment, which wins, then the secrets' files. It answers Problems
// with everything that is wrong at once, and then nothing else.
func Load(file string, environ []string) (Config, error) {
	var problems Problems
	v := viper.New()
	v.SetConfigType("yaml")
	if file != "" {
		problems = append(problems, readFile(v, file)...)
	}
	problems = append(problems, readEnviron(v, environ)...)
	cfg := Default()
	hook := mapstructure.ComposeDecodeHookFunc(
		mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(","))
	if err := v.Unmarshal(&cfg, viper.DecodeHook(hook)); err != nil {
		return Config{}, append(problems, "a value is not of its type: "+strings.ReplaceAll(err.Error(), "\n", " "))
	}
	problems = append(problems, cfg.readSecrets()...)
	problems = append(problems, cfg.validate()...)
	if len(problems) > 0 {
		return Config{}, problems
	}
	return cfg, nil
}

func readFile(v *viper.Viper, file string) Problems {
	f, err := os.Open(file)
	if err != nil {
		return Problems{fmt.Sprintf("%s: cannot be read: %v", file, errors.Unwrap(err))}
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil || len(body) > maxFile {
		return Problems{file + ": cannot be read, or is over 1 MiB"}
	}
	problems := checkNames(body, file)
	if err := v.ReadConfig(bytes.NewReader(body)); err != nil && len(problems) == 0 {
		problems = Problems{file + ": " + err.Error()}
	}
	return problems
}

// readEnviron takes LYCHGATE_A_B for the setting a.b. One that fits no setting is refused: it was misspelt, and
// its writer believes that it is in force.
func readEnviron(v *viper.Viper, environ []string) Problems {
	var problems Problems
	byName := map[string]string{}
	for _, key := range Names() {
		byName[EnvName(key)] = key
	}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, envPrefix) || name == envPrefix+"CONFIG" {
			continue
		}
		key, ok := byName[name]
		if !ok {
			problems = append(problems, name+": no setting has this name; see config.example.yaml")
			continue
		}
		v.Set(key, value)
	}
	return problems
}

// EnvName returns the name of a setting in the environment.
func EnvName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Names returns the names of all settings, sorted.
func Names() []string {
	names := fields(reflect.TypeFor[Config](), "")
	sort.Strings(names)
	return names
}

func fields(t reflect.Type, prefix string) []string {
	var names []string
	for f := range t.Fields() {
		name := prefix + f.Tag.Get("mapstructure")
		if f.Type.Kind() == reflect.Struct {
			names = append(names, fields(f.Type, name+".")...)
			continue
		}
		names = append(names, name)
	}
	return names
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"strings"
)

// reloadable are the settings that SIGHUP applies.
func reloadable(name string) bool { return strings.HasPrefix(name, "help.") || name == "log.level" }

// Differ returns the names of the settings that differ and need a restart.
func Differ(a, b Config) []string {
	var names []string
	differ(reflect.ValueOf(a), reflect.ValueOf(b), "", &names)
	return names
}

func differ(a, b reflect.Value, prefix string, names *[]string) {
	for i := range a.NumField() {
		name := prefix + a.Type().Field(i).Tag.Get("mapstructure")
		switch {
		case a.Field(i).Kind() == reflect.Struct:
			differ(a.Field(i), b.Field(i), name+".", names)
		case !reloadable(name) && !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()):
			*names = append(*names, name)
		}
	}
}

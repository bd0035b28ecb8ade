// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

func keyVariants(f Frame) []variant {
	c := consoleFrame(f)
	c.Section = "keys"
	page := ConsoleKeys{Console: c, Active: "kid", Rows: []ConsoleKey{
		{ID: "kid", Alg: "RS256", State: "active", Since: someday(), Until: someday()},
		{ID: "kid-next", Alg: "RS256", State: "next", Since: someday()},
		{ID: "kid-old", Alg: "RS256", State: "retired", Since: someday(), Until: someday()},
	}}
	all := []variant{{"console-keys", page}, {"console-rotate", ConsoleRotate{Console: c, Active: "kid", Hours: 24}}}
	page.From = someday()
	for _, d := range []string{"rotated", "now", "young", "stale"} {
		page.Done = d
		all = append(all, variant{"console-keys/" + d, page})
	}
	return all
}

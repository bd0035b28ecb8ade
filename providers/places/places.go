// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

// Package places names the town and the country of an address, from a database file in the MaxMind DB format that the
// operator brings. It is a word in a message, never a decision.
package places

import (
	"fmt"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Book looks addresses up in one database.
type Book struct{ db *maxminddb.Reader }

// Open opens a database file, which stays open.
func Open(file string) (*Book, error) {
	db, err := maxminddb.Open(file)
	if err != nil {
		return nil, fmt.Errorf("open database of places: %w", err)
	}
	return &Book{db}, nil
}

// maxWord bounds a name of the database, in bytes.
const maxWord = 60

// Place returns the town and the country of an address in English, as far as they are known: "Utrecht, Netherlands",
// "Netherlands", or "".
func (b *Book) Place(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return ""
	}
	var found struct {
		City struct {
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"city"`
		Country struct {
			Names map[string]string `maxminddb:"names"`
		} `maxminddb:"country"`
	}
	if b.db.Lookup(ip.Unmap().WithZone("")).Decode(&found) != nil {
		return ""
	}
	town, country := word(found.City.Names["en"]), word(found.Country.Names["en"])
	if town == "" || country == "" {
		return town + country
	}
	return town + ", " + country
}

func word(s string) string {
	if len(s) > maxWord {
		return ""
	}
	return s
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package client_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lychgate/lychgate/pkg/client"
)

// TestKeepPolicy: a client that changes its own description (RFC 7592) leaves every field of our own as others have set it;
// a new field is no exception.
func TestKeepPolicy(t *testing.T) {
	before, after := &client.Client{AuthMethod: client.AuthBasic}, &client.Client{AuthMethod: client.AuthBasic}
	own := 0
	for f := range reflect.TypeFor[client.Client]().Fields() {
		if !strings.HasPrefix(f.Tag.Get("json"), "lychgate_") {
			continue
		}
		own++
		v := reflect.ValueOf(before).Elem().FieldByIndex(f.Index)
		switch v.Kind() {
		case reflect.String:
			v.SetString("kept")
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int64:
			v.SetInt(90)
		case reflect.Slice:
			v.Set(reflect.ValueOf([]string{"kept"}))
		default:
			t.Fatalf("%s is of a kind that this test does not know", f.Name)
		}
	}
	if own < 15 {
		t.Fatalf("%d fields of our own", own)
	}
	after.KeepPolicy(before)
	if !reflect.DeepEqual(before, after) {
		t.Errorf("kept %+v\nof   %+v", after, before)
	}
}

// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package store

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/lychgate/lychgate/pkg/authn"
)

// The bounds of a decoded record. Nothing honest comes near them; a broken record must not make us allocate.
const (
	maxText = 16 << 10
	maxList = 256
)

var errRecord = errors.New("record does not decode")

// encoder writes a record: texts with their length, numbers as varints.
type encoder struct{ b []byte }

func (e *encoder) byte(v byte) { e.b = append(e.b, v) }

func (e *encoder) int(v int64) { e.b = binary.AppendVarint(e.b, v) }

func (e *encoder) text(v string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) list(v []string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	for _, s := range v {
		e.text(s)
	}
}

// time writes milliseconds; the zero time is 0.
func (e *encoder) time(t time.Time) {
	if t.IsZero() {
		e.int(0)
		return
	}
	e.int(t.UnixMilli())
}

func (e *encoder) evidence(v []authn.Evidence) {
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	for _, x := range v {
		e.text(x.Method)
		e.time(x.At)
		e.byte(bit(x.Device))
	}
}

func bit(v bool) byte { //nolint:revive // a conversion, not a flag
	if v {
		return 1
	}
	return 0
}

// decoder reads what encoder wrote. The first error sticks; what follows is zero. Bytes left over are fields of a
// later version and skipped.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) fail() {
	d.b, d.err = nil, errRecord
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) int() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// size reads a length of at most limit.
func (d *decoder) size(limit uint64) int {
	v, n := binary.Uvarint(d.b)
	if n <= 0 || v > limit {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return int(v) //nolint:gosec // at most limit
}

func (d *decoder) text() string {
	n := d.size(maxText)
	if n > len(d.b) {
		d.fail()
		return ""
	}
	v := string(d.b[:n])
	d.b = d.b[n:]
	return v
}

func (d *decoder) list() []string {
	n := d.size(maxList)
	if n == 0 || n > len(d.b) {
		if n > 0 {
			d.fail()
		}
		return nil
	}
	v := make([]string, 0, n)
	for range n {
		v = append(v, d.text())
	}
	return v
}

func (d *decoder) time() time.Time {
	ms := d.int()
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func (d *decoder) evidence() []authn.Evidence {
	n := d.size(maxList)
	if n == 0 || n > len(d.b) {
		if n > 0 {
			d.fail()
		}
		return nil
	}
	v := make([]authn.Evidence, 0, n)
	for range n {
		v = append(v, authn.Evidence{Method: d.text(), At: d.time(), Device: d.byte() == 1})
	}
	return v
}

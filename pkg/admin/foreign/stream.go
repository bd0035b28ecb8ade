// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package foreign

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// meter ends a stream that goes on past what it was allowed.
type meter struct {
	r    io.Reader
	left int64
}

// Read implements io.Reader.
func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, ErrSize
	}
	n, err := m.r.Read(p[:min(int64(len(p)), m.left)])
	m.left -= int64(n)
	return n, err
}

// stream reads JSON part by part: of a file of any size one part is in memory.
type stream struct {
	meter *meter
	dec   *json.Decoder
}

func newStream(r io.Reader) *stream {
	m := &meter{r: r, left: maxPart}
	return &stream{meter: m, dec: json.NewDecoder(m)}
}

// token reads one token.
func (s *stream) token() (json.Token, error) {
	s.meter.left = maxPart
	return s.dec.Token()
}

// open reads the beginning of an object or a list.
func (s *stream) open(want json.Delim) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t != want {
		return fmt.Errorf("%w: %s is expected", ErrFormat, want)
	}
	return nil
}

// skip passes over the next value.
func (s *stream) skip() error {
	for depth := 0; ; {
		t, err := s.token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth > maxDepth {
			return ErrSize
		}
		if depth == 0 {
			return nil
		}
	}
}

// each hands every element of the list that comes next to use.
func (s *stream) each(name string, use func(where string, part json.RawMessage) error) error {
	if err := s.open('['); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for i := 0; s.dec.More(); i++ {
		where := fmt.Sprintf("%s[%d]", name, i)
		s.meter.left = maxPart
		var part json.RawMessage
		if err := s.dec.Decode(&part); err != nil {
			return fmt.Errorf("%s: %w", where, readable(err))
		}
		if err := use(where, part); err != nil {
			return err
		}
	}
	_, err := s.token()
	return err
}

// readable says what is wrong with JSON without quoting it.
func readable(err error) error {
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("not JSON at byte %d: %w", s.Offset, ErrFormat)
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends too early: %w", ErrFormat)
	}
	return err
}

// lines hands every line of a file that is not blank to use.
func lines(r io.Reader, use func(where string, line []byte) error) error {
	scan := bufio.NewScanner(r)
	scan.Buffer(make([]byte, 0, 64<<10), maxPart)
	n := 0
	for scan.Scan() {
		n++
		line := bytes.TrimSpace(scan.Bytes())
		if len(line) == 0 {
			continue
		}
		if err := use(fmt.Sprintf("line %d", n), line); err != nil {
			return err
		}
	}
	if err := scan.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = ErrSize
		}
		return fmt.Errorf("line %d: %w", n+1, err)
	}
	return nil
}

// rewind goes back to the beginning of a file.
func rewind(f io.Seeker) error {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return fmt.Errorf("read the file again: %w", err)
	}
	return nil
}

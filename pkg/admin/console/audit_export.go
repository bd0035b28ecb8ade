// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package console

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/lychgate/lychgate/pkg/admin"
	"github.com/lychgate/lychgate/pkg/audit"
)

const (
	// maxExport bounds the entries of an export, maxExportPages how far back it looks for them.
	maxExport      = 10_000
	maxExportPages = 100
	// exportPage is how many entries are read at once.
	exportPage = 200
	// cutShort is the event of a last line that says that more entries follow.
	cutShort = "export.cut_short"
)

// sheet takes records one after another.
type sheet interface {
	write(r audit.Record) error
	flush() error
}

// serveExport answers what was searched for as a file, line by line as it is read.
func serveExport(v *visit) error {
	search, wrong, err := v.trail()
	if err != nil {
		return err
	}
	if len(wrong) > 0 {
		// The page says what is wrong.
		return v.see(v.searched(auditPage, "", ""))
	}
	search.Limit = exportPage
	page, err := v.clerk.Trail(v.r.Context(), search)
	if err != nil {
		return err
	}
	out, err := v.sheet()
	if err != nil {
		return err
	}
	n := v.pour(out, search, page)
	v.clerk.TrailExported(v.r.Context(), search, n)
	return nil
}

// sheet begins the answer in the format that is asked for.
func (v *visit) sheet() (sheet, error) {
	name, kind := "audit.csv", "text/csv; charset=utf-8"
	if v.r.URL.Query().Get("format") == "jsonl" {
		name, kind = "audit.jsonl", "application/jsonl"
	}
	h := v.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	v.w.WriteHeader(http.StatusOK)
	if name == "audit.jsonl" {
		return jsonLines{json.NewEncoder(v.w), v.w}, nil
	}
	c := csvLines{csv.NewWriter(v.w), v.w}
	return c, c.Write(csvHeader())
}

// pour writes page and what follows it, and answers how many entries were written. Where it ends before the search does,
// by its bounds or because the store is away, a last line says so: an export never looks whole that is not.
func (v *visit) pour(out sheet, search admin.TrailQuery, page audit.Page) int {
	n := 0
	for range maxExportPages {
		for _, r := range page.Records {
			if n == maxExport {
				return cut(out, r.At, n)
			}
			if out.write(r) != nil {
				return n
			}
			n++
		}
		if out.flush() != nil || page.Next == "" {
			return n
		}
		search.After = page.Next
		next, err := v.clerk.Trail(v.r.Context(), search)
		if err != nil {
			break
		}
		page = next
	}
	return cut(out, placeTime(search.After), n)
}

// cut writes the last line of an export that more would follow.
func cut(out sheet, at time.Time, n int) int {
	_ = out.write(audit.Record{At: at, Event: cutShort})
	_ = out.flush()
	return n
}

// flushed sends on what was written.
func flushed(w io.Writer) error {
	if f, ok := w.(http.ResponseWriter); ok {
		// What cannot be flushed is sent at the end.
		_ = http.NewResponseController(f).Flush()
	}
	return nil
}

type jsonLines struct {
	*json.Encoder
	w io.Writer
}

func (j jsonLines) write(r audit.Record) error { return j.Encode(r) }
func (j jsonLines) flush() error               { return flushed(j.w) }

type csvLines struct {
	*csv.Writer
	w io.Writer
}

func csvHeader() []string {
	return []string{"time", "event", "actor", "by", "account", "client", "company", "result", "source", "browser", "request_id", "detail"}
}

func (c csvLines) write(r audit.Record) error {
	detail := ""
	if len(r.Detail) > 0 {
		b, err := json.Marshal(r.Detail)
		if err != nil {
			return err
		}
		detail = string(b)
	}
	row := []string{
		r.At.Format(time.RFC3339Nano), r.Event, r.Actor, r.Detail["by"], r.Account, r.Client, r.Company, r.Result, r.Source, r.Browser,
		r.RequestID, detail,
	}
	for i := range row {
		row[i] = harmless(row[i])
	}
	return c.Write(row)
}

func (c csvLines) flush() error {
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return flushed(c.w)
}

// harmless keeps a spreadsheet from taking a cell for a formula: many take what begins with one of these signs.
func harmless(cell string) string {
	if strings.ContainsAny(cell[:min(1, len(cell))], "=+-@\t\r") || strings.HasPrefix(cell, "＝") || strings.HasPrefix(cell, "＋") ||
		strings.HasPrefix(cell, "－") || strings.HasPrefix(cell, "＠") {
		return "'" + cell
	}
	return cell
}

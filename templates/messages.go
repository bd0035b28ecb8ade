// Copyright The Lychgate Authors.
// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/nicksnyder/go-i18n/v2/i18n"
	i18ntemplate "github.com/nicksnyder/go-i18n/v2/i18n/template"
	"golang.org/x/text/language"
)

//go:embed messages/*.json
var messageFiles embed.FS

func loadMessages() (*i18n.Bundle, error) {
	bundle := i18n.NewBundle(language.MustParse(fallback))
	bundle.RegisterUnmarshalFunc("json", json.Unmarshal)
	for _, lang := range languages() {
		files, err := messagesOf(lang)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if _, err := bundle.LoadMessageFileFS(messageFiles, name); err != nil {
				return nil, fmt.Errorf("messages in %s: %w", lang, err)
			}
		}
	}
	return bundle, nil
}

// messagesOf lists the files of a language: one for each subject, named subject.lang.json.
func messagesOf(lang string) ([]string, error) {
	return fs.Glob(messageFiles, "messages/*."+lang+".json")
}

// catalogue says the sentences of one language. A message that is missing, or lacks one of its words, is an error.
type catalogue struct {
	localizer *i18n.Localizer
	parser    i18ntemplate.Parser
}

func newCatalogue(bundle *i18n.Bundle, lang string) catalogue {
	return catalogue{
		localizer: i18n.NewLocalizer(bundle, lang),
		parser:    &i18ntemplate.TextParser{Option: "missingkey=error"},
	}
}

// words pairs names and values: "Client", "Example Cases".
func words(kv []string) (map[string]string, error) {
	if len(kv)%2 != 0 {
		return nil, errors.New("a word without its value")
	}
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m, nil
}

func (c catalogue) say(id string, data map[string]string, count any) (string, error) {
	return c.localizer.Localize(&i18n.LocalizeConfig{
		MessageID: id, TemplateData: data, PluralCount: count, TemplateParser: c.parser,
	})
}

// text returns a sentence without markup. html/template escapes it.
func (c catalogue) text(id string, kv ...string) (string, error) {
	data, err := words(kv)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", id, err)
	}
	return c.say(id, data, nil)
}

// markup returns a sentence whose message holds markup. The message is ours; every word put into it is escaped
// here, so that a name never becomes markup (security.md FZ-08).
func (c catalogue) markup(id string, kv ...string) (template.HTML, error) {
	data, err := words(kv)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", id, err)
	}
	return c.marked(id, data, nil)
}

func (c catalogue) marked(id string, data map[string]string, count any) (template.HTML, error) {
	for name, value := range data {
		data[name] = template.HTMLEscapeString(value)
	}
	s, err := c.say(id, data, count)
	return template.HTML(s), err //nolint:gosec // the message is embedded, its words are escaped above
}

// number returns a sentence with a number in it, in the right plural (CLDR).
func (c catalogue) number(id string, count int, kv ...string) (string, error) {
	data, err := words(kv)
	if err != nil {
		return "", fmt.Errorf("message %s: %w", id, err)
	}
	data["Count"] = strconv.Itoa(count)
	return c.say(id, data, count)
}

// wait returns a sentence that names d in whole seconds, minutes or hours, rounded up so that nobody comes too
// soon. Its messages are id.seconds, id.minutes and id.hours.
func (c catalogue) wait(id string, d time.Duration) (template.HTML, error) {
	unit, name := time.Second, ".seconds"
	switch {
	case d > time.Hour-time.Minute:
		unit, name = time.Hour, ".hours"
	case d > time.Minute-time.Second:
		unit, name = time.Minute, ".minutes"
	}
	count := max(1, int((d+unit-1)/unit))
	return c.marked(id+name, map[string]string{"Count": strconv.Itoa(count)}, count)
}

// about returns a sentence that names the length of d roughly: in seconds below two minutes, then in the nearest
// minutes. Its messages are id.seconds and id.minutes.
func (c catalogue) about(id string, d time.Duration) (string, error) {
	unit, name := time.Second, ".seconds"
	if d = d.Abs(); d >= 2*time.Minute {
		unit, name = time.Minute, ".minutes"
	}
	return c.number(id+name, int(d.Round(unit)/unit))
}

// named returns the words of what a program calls name, which stand under prefix and name; what has none is called by
// its name, since a journal outlives the versions that wrote it.
func (c catalogue) named(prefix, name string) (string, error) {
	s, err := c.text(prefix + name)
	if _, missing := errors.AsType[*i18n.MessageNotFoundErr](err); missing {
		return name, nil
	}
	return s, err
}

// event, result and detail are the words for what stands in the journal.
func (c catalogue) event(name string) (string, error)  { return c.named("event.", name) }
func (c catalogue) result(name string) (string, error) { return c.named("result.", name) }
func (c catalogue) detail(name string) (string, error) { return c.named("detail.", name) }

// events pairs the names of events with their words, in the order of the words.
func (c catalogue) events(names []string) ([][2]string, error) {
	var out [][2]string
	for _, name := range names {
		s, err := c.event(name)
		if err != nil {
			return nil, err
		}
		out = append(out, [2]string{name, s})
	}
	slices.SortFunc(out, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[1], b[1]), cmp.Compare(a[0], b[0])) })
	return out, nil
}

// date returns the day in full, 22 December 2026.
func (c catalogue) date(t time.Time) (string, error) {
	month, err := c.say("month."+strconv.Itoa(int(t.Month())), nil, nil)
	if err != nil {
		return "", err
	}
	return c.text("date", "Day", strconv.Itoa(t.Day()), "Month", month, "Year", strconv.Itoa(t.Year()))
}

// day returns the day without its year, 22 December.
func (c catalogue) day(t time.Time) (string, error) { return c.dayOf("month.", t) }

// shortDay is day in few letters, 22 Dec, for the axis of a chart.
func (c catalogue) shortDay(t time.Time) (string, error) { return c.dayOf("month.short.", t) }

func (c catalogue) dayOf(months string, t time.Time) (string, error) {
	month, err := c.say(months+strconv.Itoa(int(t.Month())), nil, nil)
	if err != nil {
		return "", err
	}
	return c.text("overview.daymonth", "Day", strconv.Itoa(t.Day()), "Month", month)
}

// datetime returns day and time with the zone, for those who look things up in a log.
func (c catalogue) datetime(t time.Time) (string, error) {
	day, err := c.date(t)
	if err != nil {
		return "", err
	}
	return c.text("datetime", "Date", day, "Time", t.Format("15:04:05"), "Zone", t.Format("MST"))
}

package doctor

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// Level is the weight of a finding.
type Level int

// The levels. A problem keeps Fluent Bit from starting, records from being scored, or something else that was asked for
// from working.
const (
	OK Level = iota
	Warning
	Problem
)

func (l Level) String() string { return [...]string{"ok", "warning", "problem"}[l] }

// MarshalText implements encoding.TextMarshaler.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Finding is the result of one check.
type Finding struct {
	Level Level    `json:"level"`
	Topic string   `json:"topic"` // one of the Topic constants
	At    string   `json:"at,omitempty"`
	Text  string   `json:"text"`
	More  []string `json:"more,omitempty"` // lines that belong to the text: records, what a program wrote
	Fix   string   `json:"fix,omitempty"`  // what to do; set unless Level is OK
}

// The topics of findings.
const (
	TopicConfiguration = "configuration"
	TopicSettings      = "settings"
	TopicRoute         = "route"
	TopicPlugin        = "plugin"
	TopicFluentBit     = "fluent-bit"
	TopicSample        = "sample"
	TopicState         = "state"
	TopicFleet         = "fleet"
	TopicDevice        = "device"
	TopicMemory        = "memory"
	TopicMetrics       = "metrics"
	TopicReload        = "reload"
	TopicElasticsearch = "elasticsearch"
)

// Findings are those of one examination, in the order in which they were made.
type Findings []Finding

// Count is how many there are of a level.
func (f Findings) Count(level Level) (n int) {
	for i := range f {
		if f[i].Level == level {
			n++
		}
	}
	return n
}

// Print writes the findings as text, each with its details and its remedy on lines of their own.
func (f Findings) Print(w io.Writer) error {
	const margin = 24 // where texts begin: the columns of level and topic
	for i := range f {
		x := &f[i]
		text := x.Text
		if x.At != "" {
			text = x.At + ": " + text
		}
		if _, err := fmt.Fprintf(w, "%-8s %-14s %s\n", x.Level, x.Topic, text); err != nil {
			return err
		}
		below := x.More
		if x.Fix != "" {
			below = append(slices.Clone(below), "-> "+x.Fix)
		}
		for _, line := range below {
			if _, err := fmt.Fprintf(w, "%s%s\n", strings.Repeat(" ", margin), line); err != nil {
				return err
			}
		}
	}
	return nil
}

// add appends a finding. It escapes what the finding quotes from files and programs.
func (f *Findings) add(level Level, topic, at, text, fix string) {
	*f = append(*f, Finding{Level: level, Topic: topic, At: graphic(at), Text: graphic(text), Fix: graphic(fix)})
}

// more appends lines to the last finding.
func (f Findings) more(lines ...string) {
	last := &f[len(f)-1]
	for _, l := range lines {
		last.More = append(last.More, graphic(l))
	}
}

// graphic replaces invisible characters and terminal controls by question marks.
func graphic(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
}

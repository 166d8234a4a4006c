package config

import (
	"strconv"
	"strings"
)

// Summary is what the filter looks for in one line: the file, the preset and the fields it leads to, and every setting
// that differs from its default.
func (c Config) Summary() string {
	changed, _ := c.effective()
	return strings.Join(changed, " ")
}

// maxSummaryLine bounds a line of SummaryLines, in bytes. The log cuts lines of 1024.
const maxSummaryLine = 900

// SummaryLines are the effective settings, in lines that the log shows whole: those of Summary first, then those that
// have their defaults.
func (c Config) SummaryLines() []string {
	changed, rest := c.effective()
	return append(wrap("settings: ", changed), wrap("defaults: ", rest)...)
}

// effective returns all settings as a property would give them: those that tell something, and those that have their
// defaults.
func (c Config) effective() (changed, rest []string) {
	if c.File != "" {
		changed = append(changed, "config_file="+plain(c.File))
	}
	for i := range options {
		o := &options[i]
		value := o.get(&c)
		item := o.Property() + "=" + plain(value)
		switch {
		case value == "" && o.Type == typeFields:
			// Nothing to say: no such field.
		case o.Section == "fields" && o.Type == typeFields, o.Key == "preset", value != o.Default:
			changed = append(changed, item)
		default:
			rest = append(rest, item)
		}
	}
	return changed, rest
}

// wrap joins items to lines that begin with a word, each as long as maxSummaryLine allows. An item of a longer one has
// a line for itself.
func wrap(begin string, items []string) (lines []string) {
	line := ""
	for _, item := range items {
		if line != "" && len(begin)+len(line)+1+len(item) > maxSummaryLine {
			lines, line = append(lines, begin+line), ""
		}
		if line != "" {
			line += " "
		}
		line += item
	}
	if line != "" {
		lines = append(lines, begin+line)
	}
	return lines
}

// plain quotes a value where leaving it bare would blur where it ends.
func plain(value string) string {
	if value == "" || strings.ContainsFunc(value, func(r rune) bool {
		return r <= ' ' || r == ';' || r == '"' || !strconv.IsPrint(r)
	}) {
		return strconv.Quote(value)
	}
	return value
}

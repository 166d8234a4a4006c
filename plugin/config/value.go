package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"flb-filter-rgcn/plugin/record"
)

// fromText turns a property's text into the value that TOML would have given; text that is none
// stays text, for set to refuse.
func (o *Option) fromText(text string) any {
	text = strings.TrimSpace(text)
	switch o.Type {
	case typeBoolean:
		switch strings.ToLower(text) {
		case "true", "on", "yes":
			return true
		case "false", "off", "no":
			return false
		}
	case typeInteger:
		if n, ok := parseInteger(text); ok {
			return n
		}
	case typeNumber:
		if v, err := strconv.ParseFloat(text, 64); err == nil {
			return v
		}
	case typeFields:
		if text != "" {
			var list []any
			for _, key := range strings.Split(text, ",") {
				list = append(list, strings.TrimSpace(key))
			}
			return list
		}
	}
	return text
}

// parseInteger takes 500000, 500_000, 500k and 5M; k and M are powers of ten, as in the host.
func parseInteger(text string) (int64, bool) {
	factor := int64(1)
	switch {
	case strings.HasSuffix(text, "k"), strings.HasSuffix(text, "K"):
		factor = 1_000
	case strings.HasSuffix(text, "m"), strings.HasSuffix(text, "M"):
		factor = 1_000_000
	}
	if factor > 1 {
		text = text[:len(text)-1]
	}
	n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
	product := n * factor
	return product, err == nil && product/factor == n
}

// ParseDuration reads a duration as the settings have it: 90s, 10m, 1d12h, or a number of seconds. Its
// caller tells what of that is allowed: no more than LongestDuration ever is.
func ParseDuration(text string) (time.Duration, bool) { return parseDuration(strings.TrimSpace(text)) }

// parseDuration takes Go's durations, days before them ("1d12h"), and a bare number of seconds.
func parseDuration(text string) (time.Duration, bool) {
	if seconds, err := strconv.ParseUint(text, 10, 63); err == nil {
		text = strconv.FormatUint(seconds, 10) + "s"
	}
	days, rest, found := strings.Cut(text, "d")
	if !found {
		days, rest = "0", text
	}
	n, err := strconv.ParseUint(days, 10, 16) // 65535 days are 179 years: no overflow
	if err != nil || rest == "" && !found || rest != "" && (rest[0] < '0' || rest[0] > '9') {
		return 0, false
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest == "" {
		return d, true
	}
	more, err := time.ParseDuration(rest)
	return d + more, err == nil && d+more >= d
}

// float takes TOML's floats and integers.
func float(raw any) (float64, bool) {
	switch v := raw.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	}
	return 0, false
}

// readKeys takes one key or a list of keys; the empty text stands for none.
func readKeys(raw any) ([]string, bool) {
	var keys []string
	switch raw := raw.(type) {
	case string:
		if raw == "" {
			return nil, true
		}
		keys = []string{raw}
	case []any:
		for _, r := range raw {
			s, ok := r.(string)
			if !ok {
				return nil, false
			}
			keys = append(keys, s)
		}
	}
	for _, k := range keys {
		if !isKey(k) {
			return nil, false
		}
	}
	return keys, len(keys) >= 1 && len(keys) <= maxListKeys
}

// orElse stands between alternatives.
const orElse = " else "

// readPlainKeys is readKeys where a list tells the alternatives: with orElse in it, a path would be one of a key that no
// record has.
func readPlainKeys(raw any) ([]string, bool) {
	keys, ok := readKeys(raw)
	return keys, ok && !slices.ContainsFunc(keys, func(k string) bool { return strings.Contains(k, orElse) })
}

// isQuoted tells a text in quotes: the classic format of the host takes them as part of the value.
func isQuoted(s string) bool {
	return len(s) >= 2 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0]
}

// isKey tells the path of a field.
func isKey(s string) bool {
	return s != "" && !isQuoted(s) && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, unicode.IsControl) && record.CheckPath(s) == nil
}

// isName tells the name of a field that is added: a plain key, not a path.
func isName(s string) bool {
	return s != "" && s == strings.TrimSpace(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// ParseConditions reads conditions as the property only has them: key=value|value,key!=value.
func ParseConditions(text string) ([]Condition, bool) {
	var texts []any
	for t := range strings.SplitSeq(text, ",") {
		texts = append(texts, t)
	}
	return readConditions(texts)
}

// readConditions takes one condition or a list of them; the empty text stands for none.
func readConditions(raw any) ([]Condition, bool) {
	var texts []any
	switch raw := raw.(type) {
	case string:
		if raw == "" {
			return nil, true
		}
		texts = []any{raw}
	case []any:
		texts = raw
	}
	var out []Condition
	for _, t := range texts {
		s, ok := t.(string)
		if !ok {
			return nil, false
		}
		key, values, ok := strings.Cut(s, "=")
		key, not := strings.CutSuffix(strings.TrimSpace(key), "!")
		c := Condition{Path: strings.TrimSpace(key), Not: not}
		ok = ok && !isQuoted(strings.TrimSpace(s))
		for v := range strings.SplitSeq(values, "|") {
			v = strings.TrimSpace(v)
			c.Values = append(c.Values, v)
			ok = ok && v != "" && v[0] != '=' && !isQuoted(v)
		}
		if !ok || !isKey(c.Path) {
			return nil, false
		}
		out = append(out, c)
	}
	return out, len(out) >= 1 && len(out) <= maxListKeys
}

// conditionsMeant are the conditions that a refused value most likely means, with one = and without quotes; "" where that
// is not known.
func conditionsMeant(raw any) string {
	var texts []string
	switch raw := raw.(type) {
	case string:
		texts = strings.Split(raw, ",")
	case []any:
		for _, t := range raw {
			s, _ := t.(string)
			texts = append(texts, s)
		}
	}
	meant := make([]any, len(texts))
	for i, t := range texts {
		key, values, _ := strings.Cut(bare(t), "=")
		parts := strings.Split(values, "|")
		for i, v := range parts {
			parts[i] = bare(strings.TrimLeft(strings.TrimSpace(v), "= "))
		}
		meant[i] = key + "=" + strings.Join(parts, "|")
	}
	c, ok := readConditions(meant)
	if !ok {
		return ""
	}
	return render(c)
}

// bare is a text without spaces and quotes around it.
func bare(s string) string {
	if s = strings.TrimSpace(s); isQuoted(s) {
		return strings.TrimSpace(s[1 : len(s)-1])
	}
	return s
}

// numbered reports whether s is prefix and a plain number from lo to hi.
func numbered(s, prefix string, lo, hi int) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	n, err := strconv.Atoi(digits)
	return ok && err == nil && digits == strconv.Itoa(n) && n >= lo && n <= hi
}

// render is the inverse of reading a property: what it returns reads as the same value.
func render(value any) string {
	switch v := value.(type) {
	case time.Duration:
		return FormatDuration(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []string:
		return strings.Join(v, ",")
	case [][]string:
		keys := make([]string, len(v))
		for i, alternatives := range v {
			keys[i] = strings.Join(alternatives, orElse)
		}
		return strings.Join(keys, ",")
	case []Condition:
		texts := make([]string, len(v))
		for i, c := range v {
			sign := "="
			if c.Not {
				sign = "!="
			}
			texts[i] = c.Path + sign + strings.Join(c.Values, "|")
		}
		return strings.Join(texts, ",")
	}
	return fmt.Sprint(value)
}

// FormatDuration writes 30d, 10m and 1d12h where Go would write 720h0m0s, 10m0s and 36h0m0s.
func FormatDuration(d time.Duration) string {
	const day = 24 * time.Hour
	text := ""
	if d >= day {
		text = strconv.Itoa(int(d/day)) + "d"
		d %= day
	}
	if d == 0 {
		if text == "" {
			return "0"
		}
		return text
	}
	rest := d.String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	return text + rest
}

// maxShown bounds an offending value in an error.
const maxShown = 80

// show writes an offending value the way TOML does, so that the reader finds it in the file.
func show(value any) string {
	text := ""
	switch v := value.(type) {
	case string:
		text = strconv.Quote(v)
	case float64:
		text = strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".eIN") { // 4.0 is no integer, and must not look like one
			text += ".0"
		}
	case []any:
		items := make([]string, 0, len(v))
		for _, item := range v[:min(len(v), maxShown)] {
			items = append(items, show(item))
		}
		text = "[" + strings.Join(items, ", ") + "]"
	case map[string]any, []map[string]any:
		text = "a table"
	case time.Time:
		text = v.Format(time.RFC3339)
	default:
		text = fmt.Sprint(v)
	}
	if len(text) > maxShown {
		text = strings.ToValidUTF8(text[:maxShown], "") + "..."
	}
	return text
}

// withoutUser takes user and password out of an address, whatever else is wrong with it.
func withoutUser(text string) string {
	at := strings.LastIndex(text, "@")
	if at < 0 {
		return text
	}
	scheme := ""
	if i := strings.Index(text[:at], "://"); i >= 0 {
		scheme = text[:i+len("://")]
	}
	return scheme + "..." + text[at:]
}

// withoutAddress is a line of a file, and of one with an address the key alone: where quotes are missing, no option tells
// whether a user and a password stand there.
func withoutAddress(line string) string {
	if !mayBeAddress(line) {
		return line
	}
	key, _, ok := strings.Cut(line, "=")
	isKey := func(r rune) bool {
		return r == '_' || r == '.' || r == ' ' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	if !ok || strings.ContainsFunc(key, func(r rune) bool { return !isKey(r) }) {
		return "..."
	}
	return key + "= ..."
}

func mayBeAddress(text string) bool {
	return strings.Contains(text, "://") || strings.Contains(text, "@")
}

// hidden is a value that is refused where an address is wanted, without user and password.
func hidden(value any) any {
	switch v := value.(type) {
	case string:
		return withoutUser(v)
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			if text, ok := item.(string); ok && mayBeAddress(text) {
				item = "..."
			}
			out[i] = hidden(item)
		}
		return out
	}
	return value
}

// oneLine keeps control characters of names and paths out of the host's log.
func oneLine(err error) error {
	text := err.Error()
	if !strings.ContainsFunc(text, unicode.IsControl) {
		return err
	}
	return errors.New(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '?'
		}
		return r
	}, text))
}

// enumerate writes "a, b or c".
func enumerate(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

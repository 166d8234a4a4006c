package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/fleet"
)

// option ties a key to its place in Config; read turns a TOML value into T or refuses it.
func option[T any](section, key, kind, def, allowed, text string, place func(*Config) *T, read func(any) (T, bool)) Option {
	return Option{
		Section: section, Key: key, Type: kind, Default: def, Allowed: allowed, Text: text,
		set: func(c *Config, raw any) bool {
			v, ok := read(raw)
			if ok {
				*place(c) = v
			}
			return ok
		},
		get: func(c *Config) string { return render(*place(c)) },
	}
}

// text takes any text.
func text(raw any) (string, bool) { s, ok := raw.(string); return s, ok }

// path is the path of a file.
func path(section, key, allowed, meaning string, place func(*Config) *string) Option {
	return option(section, key, typeText, "", allowed, meaning, place, text)
}

// place is where a published state lies. What is no place is refused later, in words that do not repeat a password.
func place(section, key, meaning string, place func(*Config) *string) Option {
	o := option(section, key, typeText, "", "the path of a directory or a file, http://..., https://... or s3://BUCKET/KEY, without a password, or \"\" for none",
		meaning, place, text)
	o.get = func(c *Config) string { return fleet.PlaceName(*place(c)) }
	return userHidden(o)
}

// endpoint is the URL of a server. What is none, or has a user, is refused when it is used; until then nobody is shown the
// user and the password.
func endpoint(section, key, allowed, meaning string, place func(*Config) *string) Option {
	o := option(section, key, typeText, "", allowed, meaning, place, text)
	o.get = func(c *Config) string { return withoutUser(fleet.PlaceName(*place(c))) }
	return userHidden(o)
}

func boolean(section, key, def, text string, place func(*Config) *bool) Option {
	return option(section, key, typeBoolean, def, "true or false", text, place,
		func(raw any) (bool, bool) { v, ok := raw.(bool); return v, ok })
}

func integer(section, key, def string, lo, hi int64, text string, place func(*Config) *int) Option {
	return option(section, key, typeInteger, def, fmt.Sprintf("an integer from %d to %d", lo, hi), text, place,
		func(raw any) (int, bool) { n, ok := raw.(int64); return int(n), ok && n >= lo && n <= hi })
}

// number has its lower end outside the range where open is true.
func number(section, key, def string, open bool, lo, hi float64, text string, place func(*Config) *float64) Option {
	form := "a number from %s to %s"
	if open {
		form = "a number above %s, up to %s"
	}
	allowed := fmt.Sprintf(form, strconv.FormatFloat(lo, 'f', -1, 64), strconv.FormatFloat(hi, 'f', -1, 64))
	return option(section, key, typeNumber, def, allowed, text, place, func(raw any) (float64, bool) {
		v, ok := float(raw)
		return v, ok && (v > lo || v == lo && !open) && v <= hi // false for NaN
	})
}

// LongestDuration is the most that a duration may be: a hundred years. With more of them, sums of durations and times
// would be too large for nanoseconds since 1970, which end in 2262.
const LongestDuration = 36500 * 24 * time.Hour

// duration allows 0 with the meaning that zero gives.
func duration(section, key, def string, least time.Duration, zero, text string, place func(*Config) *time.Duration) Option {
	allowed := fmt.Sprintf("a duration such as \"90s\", \"10m\", \"1d12h\" or a number of seconds, at least %s, at most %s, or 0 %s",
		render(least), render(LongestDuration), zero)
	return option(section, key, typeDuration, def, allowed, text, place, func(raw any) (time.Duration, bool) {
		var d time.Duration
		ok := false
		switch raw := raw.(type) {
		case int64:
			d, ok = time.Duration(raw)*time.Second, raw >= 0 && raw <= math.MaxInt64/int64(time.Second)
		case string:
			d, ok = parseDuration(raw)
		}
		return d, ok && (d == 0 || d >= least && d <= LongestDuration)
	})
}

func choice(section, key, def string, allowed []string, text string, place func(*Config) *string) Option {
	return option(section, key, typeText, def, enumerate(allowed), text, place, func(raw any) (string, bool) {
		for _, a := range allowed {
			if raw == any(a) {
				return a, true
			}
		}
		return "", false
	})
}

func layer(key, text string, place func(*Config) *string) Option {
	return option("model", key, typeText, "diagonal", "diagonal, basis:N with N from 1 to 64, or full", text, place,
		func(raw any) (string, bool) {
			s, ok := raw.(string)
			return s, ok && (s == "diagonal" || s == "full" || numbered(s, "basis:", 1, 64))
		})
}

func joined(key, text string, place func(*Config) *[][]string) Option {
	allowed := fmt.Sprintf("the path of a field (key, key.sub or $key['sub']), several as \"a else b\", or 1 to %d of these with \"|\" between, or a list "+
		"(in a property: with commas between)", maxListKeys)
	return option("fields", key, typeFields, "", allowed, text, place, func(raw any) ([][]string, bool) {
		keys, ok := readKeys(raw)
		var each [][]string
		for _, k := range keys {
			for part := range strings.SplitSeq(k, "|") {
				var alternatives []string
				for a := range strings.SplitSeq(part, orElse) {
					a = strings.TrimSpace(a)
					ok = ok && isKey(a) && !strings.HasPrefix(a, "else ") && !strings.HasSuffix(a, " else")
					alternatives = append(alternatives, a)
				}
				ok = ok && len(alternatives) <= maxListKeys
				each = append(each, alternatives)
			}
		}
		ok = ok && len(each) <= maxListKeys
		return each, ok
	})
}

// conditions are those of readConditions.
func conditions(key, allowed, text string, place func(*Config) *[]Condition) Option {
	o := option("fields", key, typeFields, "", allowed, text, place, readConditions)
	o.meant = conditionsMeant
	return o
}

func name(key, text string, place func(*Config) *string) Option {
	return option("fields", key, typeText, key, "a field's name", text, place, func(raw any) (string, bool) {
		s, ok := raw.(string)
		return s, ok && isName(s)
	})
}

package record

import (
	"strings"
	"testing"
	"time"
)

func TestFieldTime(t *testing.T) {
	const invalid = -1
	header := int64(testSeconds)*1e9 + 5
	for name, c := range map[string]struct {
		value any
		want  int64
	}{
		"zeek text":           {"1331901011.840000", 1331901011840000000},
		"exact":               {"1331901011.123456789", 1331901011123456789},
		"digits beyond nanos": {"1331901011.1234567899", 1331901011123456789},
		"whole text":          {"1331901011", 1331901011000000000},
		"text in ms":          {"1331901011840.5", 1331901011840500000},
		"unset":               {"XXXXXXXXXX.XXXXXX", invalid},
		"dash":                {"-", invalid},
		"empty":               {"", invalid},
		"negative text":       {"-5.0", invalid},
		"point alone":         {"5.", invalid},
		"no whole part":       {".5", invalid},
		"text after":          {"1331901011.84x", invalid},
		"twenty digits":       {"13319010118400000000", invalid},
		"out of range":        {"9999999999999999999", invalid},
		"integer":             {1331901011, 1331901011000000000},
		"unsigned":            {uint64(1331901011), 1331901011000000000},
		"milliseconds":        {int64(1331901011840), 1331901011840000000},
		"microseconds":        {int64(1331901011840001), 1331901011840001000},
		"nanoseconds":         {int64(1331901011840001002), 1331901011840001002},
		"last of seconds":     {int64(9223372035), 9223372035000000000},
		"beyond 2262":         {int64(9223372037), invalid},
		"negative":            {-1, invalid},
		"float":               {1331901011.84, 1331901011840000000},
		"float rounds up":     {1331901011.9999999, 1331901012000000000},
		"float in ms":         {1331901011840.0, 1331901011840000000},
		"float negative":      {-1.5, invalid},
		"bool":                {true, invalid},
		"nil":                 {nil, invalid},
		"array":               {[]any{1331901011}, invalid},
		"event time":          {extTime(1331901011, 840000001), 1331901011840000001},
		"bad event time":      {extTime(1331901011, 1e9), invalid},
	} {
		t.Run(name, func(t *testing.T) {
			e := one(t, Spec{Time: []string{"t"}, Blank: []string{"-"}}, logEvent(object{"t", c.value}))
			want := c.want
			if want == invalid {
				want = header
			}
			if e.Time != want {
				t.Fatalf("time %d, want %d", e.Time, want)
			}
			none := name == "dash" || name == "empty" || name == "nil"
			if e.Timed != (c.want != invalid) || e.Unread != (!e.Timed && !none) {
				t.Fatalf("timed %t, unread %t", e.Timed, e.Unread)
			}
		})
	}
	t.Run("alternatives", func(t *testing.T) {
		e := one(t, Spec{Time: []string{"a", "b.c"}}, logEvent(object{"b", object{"c", 7}, "a", "-"}))
		if e.Time != 7e9 {
			t.Fatalf("time %d, want 7e9", e.Time)
		}
	})
	for name, c := range map[string]struct {
		body      object
		path, was string
	}{
		"the first that has a value": {object{"b", object{"c", "today"}, "a", "-"}, "b.c", "today"},
		"a flat key":                 {object{"b.c", "today"}, "b.c", "today"},
		"a number":                   {object{"a", -5, "b", object{"c", "today"}}, "a", "-5"},
		"an object":                  {object{"a", object{}}, "a", ""},
		"a list":                     {object{"a", []any{7}}, "a", ""},
		"an empty list":              {object{"a", []any{}, "b.c", "-"}, "", ""},
		"one that can be read":       {object{"a", "today", "b.c", 7}, "", ""},
	} {
		t.Run("unread: "+name, func(t *testing.T) {
			e := one(t, Spec{Time: []string{"a", "b.c"}, Blank: []string{"-"}}, logEvent(c.body))
			if e.Unread != (c.path != "") {
				t.Fatalf("unread %t", e.Unread)
			}
			if !e.Unread {
				return
			}
			if path, value := e.w.UnreadTime(); path != c.path || string(value) != c.was {
				t.Fatalf("%q in %s, want %q in %s", value, path, c.was, c.path)
			}
		})
	}
}

// parseISO agrees with the standard library, and refuses what is no time.
func TestParseISO(t *testing.T) {
	for _, s := range []string{
		"2018-03-24T17:16:39.739898Z", "2018-03-24T17:16:39Z", "1970-01-01T00:00:00Z", "2000-02-29T23:59:59.5+02:00",
		"2024-12-31T23:59:59.999999999-11:30", "2261-12-31T23:59:59Z", "2018-03-24t17:16:39z",
	} {
		want, err := time.Parse(time.RFC3339, s)
		if err != nil {
			want, err = time.Parse("2006-01-02t15:04:05z", s)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parseISO([]byte(s)); !ok || got != want.UnixNano() {
			t.Errorf("%s: %d, %v, want %d", s, got, ok, want.UnixNano())
		}
	}
	base := time.Date(2018, 3, 24, 17, 16, 39, 0, time.UTC)
	for s, want := range map[string]time.Time{
		"2018-03-24 17:16:39":          base,
		"2018-03-24T17:16:39":          base,
		"2018-03-24T17:16:39,25":       base.Add(250 * time.Millisecond),
		"2018-03-24T17:16:39+0130":     base.Add(-90 * time.Minute),
		"2018-03-24T17:16:39-01":       base.Add(time.Hour),
		"2018-03-24 17:16:39 +0000":    base,
		"2018-03-24T17:16:39 Z":        base,
		"2018-03-24T17:16:39.1-01:00":  base.Add(time.Hour + 100*time.Millisecond),
		"2016-12-31T23:59:60Z":         time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC),
		"2018-03-24T17:16:39.7398981Z": base.Add(739898100),
	} {
		if got, ok := parseISO([]byte(s)); !ok || got != want.UnixNano() {
			t.Errorf("%s: %d, %v, want %d", s, got, ok, want.UnixNano())
		}
	}
	for _, s := range []string{
		"", "2018-03-24", "2018-03-24T17:16", "2018-02-29T00:00:00Z", "2018-13-01T00:00:00Z", "2018-00-01T00:00:00Z", "2018-01-00T00:00:00Z",
		"2018-03-24T24:00:00Z", "2018-03-24T17:60:39Z", "2018-03-24T17:16:61Z", "2018-03-24T17:16:39.Z", "2018-03-24T17:16:39 ", "2018-03-24T17:16:39  Z",
		"2018-03-24T17:16:39+1", "2018-03-24T17:16:39+01:0", "2018-03-24T17:16:39+24:00", "2018-03-24T17:16:39+01:00x", "2018-03-24T17:16:39ZZ",
		"2018/03/24T17:16:39Z", "20a8-03-24T17:16:39Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00",
	} {
		if got, ok := parseISO([]byte(s)); ok {
			t.Errorf("%s: %d, want none", s, got)
		}
	}
}

// A time of syslog is the newest of its name that is not ahead of the clock by more than a day.
func TestParseSyslog(t *testing.T) {
	zone := time.FixedZone("", 3600)
	now := time.Date(2025, 1, 2, 12, 0, 0, 0, zone)
	for s, want := range map[string]time.Time{
		"Jan  2 11:00:00": now.Add(-time.Hour),
		"Jan 02 11:00:00": now.Add(-time.Hour),
		"Jan  3 11:59:59": now.Add(24*time.Hour - time.Second),
		"Jan  3 12:00:01": time.Date(2024, 1, 3, 12, 0, 1, 0, zone),
		"Dec 31 23:59:59": time.Date(2024, 12, 31, 23, 59, 59, 0, zone),
		"Dec 31 23:59:60": time.Date(2025, 1, 1, 0, 0, 0, 0, zone), "Dec 31 2016 23:59:60": time.Date(2017, 1, 1, 0, 0, 0, 0, zone),
		"Dec 31 23:59:61": {}, "Sat Dec 31 23:59:60 2016": time.Date(2017, 1, 1, 0, 0, 0, 0, zone),
		"Feb 29 00:00:00":    time.Date(2024, 2, 29, 0, 0, 0, 0, zone),
		"Feb 30 00:00:00":    {},
		"Jan  2 11:00:00.25": now.Add(-time.Hour + 250*time.Millisecond), "Jan  2 11:00:00,5": now.Add(-time.Hour + 500*time.Millisecond),
		"Jan  2 11:00:00.": {}, "Jan  2 11:00:00.x": {}, "Jan  2 11:00:00x": {},
		"Sat Nov 30 06:39:00 2019": time.Date(2019, 11, 30, 6, 39, 0, 0, zone),
		"Nov 30 2019 06:39:00":     time.Date(2019, 11, 30, 6, 39, 0, 0, zone), "Nov 30 2019 06:39:00.5": time.Date(2019, 11, 30, 6, 39, 0, 5e8, zone),
		"Nov 30 2019 06:39:0": {}, "Nov 30 1969 06:39:00": {}, "Nov 30 2262 06:39:00": {}, "Nov 30 2019": {}, "Nov 30 2019 ": {},
		"Sat Nov 30 06:39:00 9999": {}, "Sat Nov 30 06:39:00 2300": {}, "Sat Nov 30 06:39:00 1700": {}, "Sat Nov 30 06:39:00 1960": {}, "Sat Nov 30 06:39:00 0000": {},
		"Sat Nov 31 06:39:00 2019": {}, "Sat Nov 30 06:39:00 201x": {}, "SatxNov 30 06:39:00 2019": {},
		"Jan  0 00:00:00": {}, "Jan 2  00:00:00": {}, "Xyz  2 00:00:00": {}, "anF  2 00:00:00": {}, "Jan  2 24:00:00": {},
		"Jan  2 00:60:00": {}, "Jan  2 00:00:0": {}, "Jan  2 00.00:00": {}, "Jan  a 00:00:00": {}, "": {},
	} {
		got, ok := parseSyslog([]byte(s), func() time.Time { return now })
		if ok == want.IsZero() || ok && got != want.UnixNano() || !ok && got != 0 {
			t.Errorf("%q: %v %v, want %v", s, time.Unix(0, got).In(zone), ok, want)
		}
	}
}

// A text of any length is read without a copy.
func TestParseTimeAllocatesNothing(t *testing.T) {
	for _, s := range []string{"Nov 30 2019 06:39:00.5", "Sat Nov 30 06:39:00 2019", "Jan  2 11:00:00.25", "Nov 30 2019 " + strings.Repeat("x", 10_000)} {
		text := []byte(s)
		if n := testing.AllocsPerRun(100, func() { ParseTime(text) }); n != 0 {
			t.Errorf("%.30q: %v allocations", s, n)
		}
	}
}

package filter

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// withTime is a session with a value in the field ts.
func withTime(ts any) []byte {
	return appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "ts", ts)
}

const cannotBeRead = "that cannot be read"

// One of six records has a time in a form that is not read. It is counted, and said once with an example.
func TestATimeThatCannotBeReadIsSaid(t *testing.T) {
	h := host()
	f := offline(t, h)
	chunk := join([][]byte{withTime(1.6e9), withTime(1.6e9), withTime("31.08.2026 10:00:00"), withTime(1.6e9), withTime(1.6e9), withTime(1.6e9)})
	for range 50 {
		f.Process(nil, chunk)
	}
	const want = `1 of 6 records has a time in ts that cannot be read, such as "31.08.2026 10:00:00", so the time that the input gave counts instead; ` +
		"unless the input's parser has read it already, have the sender, or a filter in front of this one, write " +
		"seconds (or milli-, micro- or nanoseconds) since 1970, ISO 8601 (2026-08-31T10:00:00Z) or syslog's form (Aug 31 10:00:00)"
	if log := h.log(); log != want {
		t.Errorf("%s\nwant %s", log, want)
	}
	if n := f.Status().Records.Unread; n != 50 {
		t.Errorf("%d counted, want 50", n)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if log := h.log(); strings.Count(log, "1 of 6 records") != 1 || !strings.Contains(log, "malformed, 50 with a time that cannot be read") {
		t.Errorf("at the end: %s", log)
	}
}

// What is said again is said at intervals that grow, with the newest example.
func TestATimeThatCannotBeReadIsSaidAgain(t *testing.T) {
	h := host()
	f := offline(t, h)
	f.Process(nil, withTime(1.6e9))
	begin := time.Now()
	for i := range 2 * 24 * 60 {
		f.path.counters.unread.Add(1)
		example := unreadTime{field: "ts"}
		example.size = copy(example.value[:], fmt.Sprint("no ", i))
		f.fit.unreadable.note(&example, begin)
		f.fit.logUnreadable(begin.Add(time.Duration(i) * time.Minute))
	}
	lines := strings.Split(h.log(), "\n")
	if len(lines) < 10 || len(lines) > 14 || !strings.Contains(lines[1], `"no 1"`) || !strings.Contains(lines[2], `"no 3"`) {
		t.Errorf("%d lines: %s", len(lines), h.log())
	}
	// Nothing is said of records that were told of.
	f.fit.logUnreadable(begin.AddDate(1, 0, 0))
	f.fit.logUnreadable(begin.AddDate(1, 0, 0))
	if n := strings.Count(h.log(), "\n") + 1; n > len(lines)+1 {
		t.Errorf("%d lines more", n-len(lines))
	}
}

// Where no record has a time at all, one warning says so, with what stands there; a word on those that cannot be read
// comes on top once others can.
func TestNoTimeThatCanBeReadIsSaidOnce(t *testing.T) {
	h := host()
	f := offline(t, h)
	for range 99 {
		f.Process(nil, withTime("31.08.2026 10:00:00"))
	}
	if h.log() != "" {
		t.Errorf("too early: %s", h.log())
	}
	for range 300 {
		f.Process(nil, withTime("31.08.2026 10:00:00"))
	}
	f.fit.endWaiting(time.Now().Add(time.Hour))
	log := h.log()
	if strings.Count(log, "\n") != 0 || !strings.Contains(log, `none of the first 100 records has a time that can be read in ts, where one has "31.08.2026 10:00:00" in ts, so`) ||
		!strings.Contains(log, "set Time to the field that has it, or have it written as seconds") {
		t.Errorf("not said once: %s", log)
	}
	f.Process(nil, withTime(1.6e9))
	if h.log() != log {
		t.Errorf("said twice: %s", h.log())
	}
	f.Process(nil, withTime("1.9.2026"))
	if log := h.log(); strings.Count(log, "\n") != 1 || !strings.Contains(log, `400 of 401 records have a time in ts that cannot be read, such as "1.9.2026"`) {
		t.Errorf("one that comes among others: %s", log)
	}
}

// Too few records to tell whether any has a time are told of after a while, and at the end.
func TestAFewTimesThatCannotBeRead(t *testing.T) {
	for name, end := range map[string]func(*Instance){
		"waiting": func(f *Instance) { f.fit.endWaiting(time.Now().Add(fitPatience + time.Second)) },
		"closed":  func(f *Instance) { f.fit.end() },
	} {
		h := host()
		f := offline(t, h)
		for range 3 {
			f.Process(nil, withTime("today"))
		}
		f.fit.endWaiting(time.Now())
		if h.log() != "" {
			t.Errorf("%s: too early: %s", name, h.log())
		}
		end(f)
		for range 2 * fitPeriod {
			f.Process(nil, withTime("today"))
		}
		f.fit.end()
		if log := h.log(); strings.Count(log, "3 of 3 records have a time in ts that cannot be read") != 1 || strings.Contains(log, "none of the first") {
			t.Errorf("%s: %s", name, log)
		}
	}
}

// A field that is absent or blank holds no time, and one that can be read makes up for another.
func TestTimesThatAreNoFault(t *testing.T) {
	h := host("time", "ts,other")
	f := offline(t, h)
	for _, ts := range []any{nil, "", "-", "(empty)", 1.6e9} {
		f.Process(nil, withTime(ts))
	}
	f.Process(nil, appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c"))
	f.Process(nil, appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "ts", "today", "other", 1.6e9))
	f.Process(nil, appendEvent(nil, "client", "c", "ts", "today")) // no session
	if n := f.Status().Records.Unread; n != 0 || h.log() != "" {
		t.Errorf("%d: %s", n, h.log())
	}
}

// saidOf is the log of a filter to which a time that can be read came, and then another.
func saidOf(t *testing.T, ts any) string {
	t.Helper()
	h := host()
	offline(t, h).Process(nil, append(withTime(1.6e9), withTime(ts)...))
	return h.log()
}

// What is quoted is printable and short.
func TestWhatIsQuotedOfATime(t *testing.T) {
	for want, ts := range map[string]any{
		`such as "a\nb\x1b[2J", so`:                                    "a\nb\x1b[2J",
		`such as "` + strings.Repeat("ä", shownTime/2) + `...", so`:    strings.Repeat("ä", 1000),
		`such as "x` + strings.Repeat("ä", shownTime/2-1) + `...", so`: "x" + strings.Repeat("ä", 1000),
		`such as "-5", so`:   -5,
		`such as "true", so`: true,
	} {
		if log := saidOf(t, ts); !strings.Contains(log, want) {
			t.Errorf("%s is not in %s", want, log)
		}
	}
	for _, ts := range []any{[]any{1.6e9}, map[string]any{"t": 1.6e9}, msgp.Raw("\xd7\x00\x00\x00\x00\x07\xff\xff\xff\xff")} {
		if log := saidOf(t, ts); !strings.Contains(log, "such as a list, an object or the like, so") {
			t.Errorf("%v: %s", ts, log)
		}
	}
}

// Lines of sshd need no field for the time; one that is there and cannot be read is a fault, unless the line itself has a
// time.
func TestTimesOfSSHDThatCannotBeRead(t *testing.T) {
	const message = "Failed password for root from 192.0.2.1 port 22 ssh2"
	for name, c := range map[string]struct {
		body []any
		want uint64
	}{
		"none":           {[]any{"ident", "sshd", "message", message}, 0},
		"one":            {[]any{"ident", "sshd", "message", message, "time", "Aug 31 10:00:00"}, 0},
		"unreadable":     {[]any{"ident", "sshd", "message", message, "time", "31.08.2026 10:00:00"}, 1},
		"another":        {[]any{"ident", "sshd", "message", message, "time", "31.08.2026 10:00:00", "timestamp", 1.6e9}, 0},
		"in the message": {[]any{"message", "Nov 30 06:39:00 h sshd[1]: " + message, "time", "31.08.2026 10:00:00"}, 0},
	} {
		h := host("preset", "openssh")
		f := offline(t, h)
		f.Process(nil, appendEvent(nil, c.body...))
		if s := f.Status().Records; s.Counted != 1 || s.Unread != c.want || strings.Count(h.log(), cannotBeRead) != int(c.want) {
			t.Errorf("%s: %+v: %s", name, s, h.log())
		}
	}
}

// A row of Zeek's log may have such a time as well.
func TestTimesOfRowsThatCannotBeRead(t *testing.T) {
	h := host()
	f := offline(t, h)
	for _, line := range []string{
		"#separator \\x09", "#fields\tts\tid.orig_h\tid.resp_h\tclient", "#types\ttime\taddr\taddr\tstring",
		"1600000000.5\t192.0.2.1\t192.0.2.2\tc", "31.08.2026 10:00:00\t192.0.2.1\t192.0.2.2\tc", "-\t192.0.2.1\t192.0.2.2\tc",
	} {
		f.Process(nil, appendEvent(nil, "log", line))
	}
	if s := f.Status().Records; s.Counted != 3 || s.Unread != 1 || !strings.Contains(h.log(), `1 of 2 records has a time in ts that cannot be read, such as "31.08.2026 10:00:00"`) {
		t.Errorf("%+v: %s", s, h.log())
	}
}

// Who wrote times that cannot be read is named before the clocks of others are blamed.
func TestOldTimesBesideSuchThatCannotBeRead(t *testing.T) {
	w := &world{now: midday}
	h := host()
	f := w.live(t, h)
	f.Process(nil, at(w.now, "a", "s", "c"))
	f.Process(nil, withTime("31.08.2026 10:00:00"))
	f.Process(nil, at(w.now-100*day, "b", "s", "c"))
	f.times.log(true)
	if log := h.log(); !strings.Contains(log, "; first see to the times that cannot be read (1): what the input gave instead may lie long after the other records' times, which look old then; unless they are from an old log") {
		t.Errorf("%s", log)
	}
}

func TestTimesThatCannotBeReadDoNotAllocatePerRecord(t *testing.T) {
	if poolsForget {
		t.Skip("under the race detector pools forget what they hold")
	}
	header, rows := rowChunks(t, 1000)
	rows = bytes.ReplaceAll(rows, []byte("1772"), []byte("X772"))
	var chunk []byte
	for i := range 1000 {
		chunk = append(chunk, withTime([]any{"31.08.2026 10:00:00", -1, 1.6e9, -1.5}[i%4])...)
	}
	for name, chunks := range map[string][2][]byte{"fields": {withTime(1.6e9), chunk}, "rows": {header, rows}} {
		f := offline(t, host())
		f.Process(nil, chunks[0])
		dst, _ := f.Process(nil, chunks[1])
		before := f.Status().Records.Unread
		if n := testing.AllocsPerRun(20, func() { f.Process(dst[:0], chunks[1]) }); n > 2 || before == 0 {
			t.Errorf("%s: %v allocations for a chunk of 1000 known records, %d of which have no time", name, n, before)
		}
	}
}

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/config"
)

func TestBadLines(t *testing.T) {
	in := write(t, "in", "{\"a\":1}\n"+strings.Repeat("bad\n", 13)+"{\"a\":2}\n")
	stdout, stderr := mustRun(t, "replay", in)
	if stdout != "{\"a\":1}\n{\"a\":2}\n" {
		t.Errorf("got %s", stdout)
	}
	for n := 2; n < 2+maxWarnings; n++ {
		has(t, stderr, fmt.Sprintf("warning: %s:%d: not a JSON object: begins with \"bad\"\n", in, n))
	}
	if got := strings.Count(stderr, "not a JSON object"); got != maxWarnings {
		t.Errorf("%d warnings, want %d", got, maxWarnings)
	}
	has(t, stderr, in+": more bad lines are counted, not shown\n", "2 records, 2 out, ", "13 bad lines skipped")

	if stdout, stderr := mustRun(t, "replay", "-q", in); stdout != "{\"a\":1}\n{\"a\":2}\n" || stderr != "" {
		t.Errorf("-q: got %s, %s", stdout, stderr)
	}
	stdout, stderr, status := rgcn("replay", "-strict", in)
	if status != exitFailed || stdout != "{\"a\":1}\n" {
		t.Errorf("-strict: status %d, output %q", status, stdout)
	}
	has(t, stderr, "rgcn replay: "+in+":2: not a JSON object")
}

func TestStandardInput(t *testing.T) {
	feed := standardInput(t)
	if _, err := feed.WriteString("{\"a\":1}\n"); err != nil {
		t.Fatal(err)
	}
	feed.Close()
	if stdout, _ := mustRun(t, "replay", "-"); stdout != "{\"a\":1}\n" {
		t.Errorf("got %q", stdout)
	}
}

// newest reads a log and returns, for each chunk of one record, the event time so far.
func newest(t *testing.T, log string) (times []time.Time) {
	t.Helper()
	in := &input{chunkSize: 1}
	e := &env{console: newConsole(new(strings.Builder)), args: []string{write(t, "log", log)}}
	if err := in.start(e, config.Fields{Time: []string{"ts"}}); err != nil {
		t.Fatal(err)
	}
	err := in.each(context.Background(), func(c chunk) error {
		times = append(times, c.newest.UTC())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return times
}

// TestEventTime: it goes forward only, does not believe the far future, and a record without
// a time of its own is as old as the newest before it.
func TestEventTime(t *testing.T) {
	old := time.Date(2012, 3, 16, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return fmt.Sprintf("{\"ts\":%d}\n", old.Add(d).Unix()) }
	got := newest(t, at(0)+at(time.Hour)+at(time.Minute)+"{}\n{\"ts\":4102444800}\n{\"ts\":-5}\n"+at(2*time.Hour))
	for i, d := range []time.Duration{0, time.Hour, time.Hour, time.Hour, time.Hour, time.Hour, 2 * time.Hour} {
		if len(got) != 7 || !got[i].Equal(old.Add(d)) {
			t.Fatalf("got %v, want %s after the start at %d of 7", got, d, i)
		}
	}
	start := time.Now()
	for _, now := range newest(t, "{}\n{}\n") {
		if now.Before(start) || now.After(time.Now()) {
			t.Errorf("no times at all: got %s, want the time of reading", now)
		}
	}
}

// TestSpan: a chunk ends with the record that reaches the span, and event time that goes back does not lengthen it.
func TestSpan(t *testing.T) {
	var log strings.Builder
	for _, minute := range []int{0, 4, 9, 10, 11, 3, 21, 500, 500, 501, 510} {
		fmt.Fprintf(&log, "{\"ts\":%d}\n", 1_600_000_000+60*minute)
	}
	in := &input{chunkSize: 6, span: 10 * time.Minute}
	if err := in.start(&env{console: newConsole(new(strings.Builder)), args: []string{write(t, "log", log.String())}}, config.Fields{Time: []string{"ts"}}); err != nil {
		t.Fatal(err)
	}
	var got []int
	if err := in.each(context.Background(), func(c chunk) error { got = append(got, c.records); return nil }); err != nil {
		t.Fatal(err)
	}
	if want := []int{4, 3, 4}; !slices.Equal(got, want) {
		t.Errorf("chunks of %v records, want %v", got, want)
	}
}

func TestShare(t *testing.T) {
	path := write(t, "log", strings.Repeat("{\"a\":\"some text that takes its room\"}\n", 5000))
	for _, c := range []struct {
		files []string
		end   float64
	}{{[]string{path}, 1}, {[]string{path, path}, 1}, {[]string{path, "/dev/null"}, 0}} {
		in := &input{chunkSize: 100}
		if err := in.start(&env{console: newConsole(new(strings.Builder)), args: c.files}, config.Fields{}); err != nil {
			t.Fatal(err)
		}
		last := 0.0
		err := in.each(context.Background(), func(chunk chunk) error {
			if chunk.share < last || chunk.share > 1 {
				t.Errorf("%d files: share %g after %g", len(c.files), chunk.share, last)
			}
			last = chunk.share
			return nil
		})
		if err != nil || last != c.end {
			t.Errorf("%q: ends at %g, %v; want %g", c.files, last, err, c.end)
		}
	}
}

// A directory among the files is told before any of them is read: what was learned of those before would count again.
func TestADirectoryIsNoFile(t *testing.T) {
	in, dir, state := write(t, "in", "{\"a\":1}\n"), t.TempDir(), filepath.Join(t.TempDir(), "state")
	for _, command := range []string{"replay", "train", "lowest"} {
		args := []string{command, in, dir}
		if command != "lowest" {
			args = append(args, "-state", state)
		}
		stdout, stderr, status := rgcn(args...)
		if status != exitFailed || stdout != "" || !strings.Contains(stderr, "rgcn "+command+": "+dir+" is a directory, want files: "+dir+"/*\n") {
			t.Errorf("%s: status %d, %q, %s", command, status, stdout, stderr)
		}
		if _, err := os.Stat(state); err == nil {
			t.Errorf("%s has made a state directory", command)
		}
	}
}

// A file that holds no lines of a log is told before any of those in front of it is read, however it is packed.
func TestAFileOfOtherContentIsToldFirst(t *testing.T) {
	in, state := write(t, "in", "{\"a\":1}\n"), filepath.Join(t.TempDir(), "state")
	for content, want := range map[string]string{
		"\x28\xb5\x2f\xfd compressed": "compressed by zstd, want text or gzip",
		"\x1f\x8b broken, broken":     "gzip data of the file are damaged, want a whole file",
		"a\tb\tc\n":                   "name the columns with -columns",
	} {
		bad := write(t, "bad", content)
		for _, command := range []string{"replay", "train"} {
			stdout, stderr, status := rgcn(command, "-state", state, in, bad)
			if status != exitFailed || stdout != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, bad) || strings.Contains(stderr, "records before") {
				t.Errorf("%s, %q: status %d, %q, %s", command, content, status, stdout, stderr)
			}
			if _, err := os.Stat(state); err == nil {
				t.Fatalf("%s has made a state directory", command)
			}
		}
	}
}

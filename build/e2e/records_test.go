package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// sessions is the log that most tests send: the notebook's file where it is at hand, else as many simulated sessions.
// It has no header, so its columns are named where it is read.
func sessions(t *testing.T) string { return string(samples.Sessions(t)) }

// write makes a file of the test and returns its path.
func write(t *testing.T, dir, name, content string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// extend appends to a file, as whatever writes a log does.
func extend(t *testing.T, path, content string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(content)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// split takes the added fields off an enriched record; ok is false where there are none.
func split(record string) (rest, score, low string, ok bool) {
	i := strings.LastIndex(record, `,"score":`)
	if i < 0 {
		return record, "", "", false
	}
	rest = record[:i] + "}"
	score, low, ok = strings.Cut(strings.TrimPrefix(record[i:], `,"score":`), `,"low_score":`)
	low = strings.TrimSuffix(low, "}")
	return rest, score, strings.TrimSuffix(low, `,"source_alert":true`), ok
}

// compare fails the test unless every record is that of the pipeline without the filter, byte for byte and in the same
// order, but for the added fields at its end. It returns the scores as they were written, "" for the records without.
func compare(t *testing.T, plain, enriched []string) (scores []string) {
	t.Helper()
	if len(plain) != len(enriched) {
		t.Fatalf("%d records, %d without the filter", len(enriched), len(plain))
	}
	for i, record := range enriched {
		rest, score, low, ok := split(record)
		if rest != plain[i] {
			t.Fatalf("record %d is\n%s\nwithout the filter it is\n%s", i, record, plain[i])
		}
		if ok && low != "true" && low != "false" || ok && score == "null" && low == "true" {
			t.Fatalf("record %d: low_score is %s, score %s", i, low, score)
		}
		if v, err := strconv.ParseFloat(score, 64); ok && score != "null" && (err != nil || v < 0 || v > 1) {
			t.Fatalf("record %d: score is %s", i, score)
		}
		scores = append(scores, score)
	}
	return scores
}

func count(scores []string, is func(string) bool) (n int) {
	for _, s := range scores {
		if is(s) {
			n++
		}
	}
	return n
}

func added(score string) bool   { return score != "" }
func numeric(score string) bool { return score != "" && score != "null" }

func number(t *testing.T, score string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(score, 64)
	if err != nil {
		t.Fatalf("score %q is no number", score)
	}
	return v
}

// occurrences counts a key in a file of msgpack. The host's JSON shows the last of doubled keys alone, and with it
// nothing of what makes Elasticsearch refuse a record.
func occurrences(path, key string) int {
	return bytes.Count(read(path), msgp.AppendString(nil, key))
}

// read returns what is in a file so far, nothing if there is none yet.
func read(path string) []byte {
	b, _ := os.ReadFile(path)
	return b
}

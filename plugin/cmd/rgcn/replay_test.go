package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// addedFields is what stands at the end of an enriched record.
var addedFields = regexp.MustCompile(`^,"score":(null|[01]|[01]\.\d+),"low_score":(true|false)(,"source_alert":true)?\}$`)

// TestReplaySessions: a long log goes through in order, no field changed, scored once there
// is a model, and the same bytes come out again, to a file too.
func TestReplaySessions(t *testing.T) {
	log := samples.SessionsPath(t)
	args := withSmall("replay", "-columns", columns, "-set", "train_interval=6h", log)
	stdout, stderr := mustRun(t, args...)
	got := lines(t, stdout)
	want := lines(t, read(t, log))
	if len(got) != samples.Rows || len(want) != len(got) {
		t.Fatalf("%d lines of %d, want 7143", len(got), len(want))
	}
	names := strings.Split(columns, ",")
	scored := 0
	for i, line := range got {
		prefix := "{"
		values := strings.Split(want[i], "\t")
		for j, name := range names {
			text, err := json.Marshal(values[j])
			if err != nil {
				t.Fatal(err)
			}
			if j > 0 {
				prefix += ","
			}
			prefix += `"` + name + `":` + string(text)
		}
		rest, ok := strings.CutPrefix(line, prefix)
		m := addedFields.FindStringSubmatch(rest)
		if !ok || m == nil {
			t.Fatalf("line %d: got %s, want %s and score and low_score", i+1, line, prefix)
		}
		if m[1] != "null" {
			scored++
		} else if scored > 0 || m[2] != "false" {
			t.Fatalf("line %d: %s after %d scores", i+1, rest, scored)
		}
	}
	if scored < 5000 {
		t.Errorf("%d records have a score, want most of 7143", scored)
	}
	trainings := strings.Count(stderr, "info: trained: ")
	has(t, stderr, fmt.Sprintf("7143 records, 7143 out, %d trainings, 7143 counted, ", trainings), " 0 without source or destination, ")
	if trainings < 3 { // of a log of 33 hours
		t.Errorf("%d trainings, want one every six hours with news", trainings)
	}

	file := filepath.Join(t.TempDir(), "out")
	if again, _ := mustRun(t, append(args, "-o", file)...); again != "" || read(t, file) != stdout {
		t.Error("the second run, with -o, wrote other bytes")
	}
}

func TestReplayZeek(t *testing.T) {
	json, tsv := samples.OwnPath(t, samples.OwnZeekJSON), samples.OwnPath(t, samples.OwnZeekTSV)
	fromJSON, _ := mustRun(t, "replay", json)
	fromTSV, stderr := mustRun(t, "replay", tsv)
	has(t, stderr, "of 50 distinct triplets needed before the first training (train.min_edges)")
	in, a, b := lines(t, read(t, json)), lines(t, fromJSON), lines(t, fromTSV)
	if len(a) != 16 || len(b) != 16 {
		t.Fatalf("%d and %d lines, want 16", len(a), len(b))
	}
	for i := range a {
		if want := strings.TrimSuffix(in[i], "}") + `,"score":null,"low_score":false}`; a[i] != want {
			t.Errorf("got  %s\nwant %s", a[i], want)
		}
		x, y := decode(t, a[i]), decode(t, b[i])
		if x["uid"] != y["uid"] || x["client"] != y["client"] {
			t.Errorf("line %d: %s of JSON is %s of TSV", i+1, a[i], b[i])
		}
		if score, ok := y["score"]; !ok || score != nil {
			t.Errorf("line %d: score %v, want null", i+1, score)
		}
	}
	// Several files are one stream.
	both, stderr := mustRun(t, "replay", "-chunk", "7", json, tsv)
	if both != fromJSON+fromTSV {
		t.Error("two files give other records than each alone")
	}
	has(t, stderr, "32 records, 32 out, 0 trainings, 32 counted, 0 scored")
}

// TestReplaySSHD: of sshd's lines those that tell of a peer are scored, the others pass as they came.
func TestReplaySSHD(t *testing.T) {
	log, sessions, host := string(samples.Own(t, samples.OwnSshd)), 102, "bastion-1"
	if _, ok := samples.Find(samples.Sshd); ok {
		log, sessions, host = string(samples.Unpacked(t, samples.Sshd)), 8726, "ip-172-31-27-153"
	}
	var in strings.Builder
	raw := strings.Split(strings.TrimSpace(samples.Recent(log)), "\n")
	for _, line := range raw {
		text, err := json.Marshal(map[string]string{"log": strings.TrimSpace(line)})
		if err != nil {
			t.Fatal(err)
		}
		in.Write(append(text, '\n'))
	}
	path := write(t, "sshd", in.String())
	stdout, stderr := mustRun(t, withSmall("replay", "-preset", "openssh", "-set", "train_min_edges=10", "-chunk", "50", "-lowest", "3", path)...)
	got, scored := lines(t, stdout), 0
	if len(got) != len(raw) {
		t.Fatalf("%d lines, want %d", len(got), len(raw))
	}
	for i, line := range got {
		m, want := decode(t, line), strings.TrimSpace(raw[i])
		if m["log"] != want {
			t.Fatalf("line %d: got %s, want %q", i+1, line, want)
		}
		if _, ok := m["score"]; ok {
			scored++
		} else if len(m) != 1 {
			t.Fatalf("line %d: %s has more than it came with", i+1, line)
		}
	}
	if scored != sessions {
		t.Errorf("%d of %d scored, want %d", scored, len(raw), sessions)
	}
	has(t, stderr, "info: trained: ", "SOURCE", host)
}

// TestReplaySparseLog: trainings follow event time, however few records there are. There are twenty days with twelve
// records each; on three of them no pair is new, and once a day a training comes all the same.
func TestReplaySparseLog(t *testing.T) {
	var log strings.Builder
	for day := range 20 {
		for hour := range 12 {
			pair := 12*day + hour
			if day >= 5 && day <= 7 {
				pair = hour // seen on the first day
			}
			fmt.Fprintf(&log, `{"ts":%d,"id.orig_h":"c%d","id.resp_h":"s%d","client":"x"}`+"\n", 1_600_041_600+86400*day+3600*hour, pair%30, pair/4)
		}
	}
	for _, c := range []struct {
		interval  string
		trainings int
	}{{"1d", 20}, {"7d", 3}, {"0", 0}} {
		_, stderr := mustRun(t, withSmall("replay", "-set", "train_min_edges=10", "-set", "train_interval="+c.interval, write(t, "log", log.String()))...)
		has(t, stderr, fmt.Sprintf("240 records, 240 out, %d trainings, 240 counted, ", c.trainings))
	}
}

// TestReplayAgain: a second run takes up what the first one saved.
func TestReplayAgain(t *testing.T) {
	dir := t.TempDir()
	args := withSmall("replay", "-q", "-columns", columns, "-set", "train_interval=12h", "-state", dir, samples.SessionsPath(t))
	before, stderr := mustRun(t, args...)
	after, _ := mustRun(t, args...)
	first := func(text string) any { return decode(t, lines(t, text)[0])["score"] }
	if first(before) != nil || first(after) == nil {
		t.Errorf("first scores %v and %v, want none and then one", first(before), first(after))
	}
	if stderr != "" {
		t.Errorf("-q: got %s", stderr)
	}
}

// TestFieldNames: -config is read, -set goes over it.
func TestFieldNames(t *testing.T) {
	file := write(t, "rgcn.toml", "explain = true\n[fields]\npreset = \"custom\"\nsource = \"from\"\ndestination = \"to\"\nscore = \"usual\"\n")
	in := write(t, "in", `{"from":"a","to":"b"}`+"\n"+`{"from":"a"}`+"\n")
	stdout, stderr := mustRun(t, "replay", "-config", file, "-set", "Score=how_usual", in)
	if want := `{"from":"a","to":"b","how_usual":null,"low_score":false,"score_reason":"new_source"}` + "\n" + `{"from":"a"}` + "\n"; stdout != want {
		t.Errorf("got  %s\nwant %s", stdout, want)
	}
	has(t, stderr, "1 counted, 0 scored, 0 with a low score, 1 without source or destination")
}

func BenchmarkReplay(b *testing.B) {
	const records = samples.Rows
	out := filepath.Join(b.TempDir(), "out")
	b.ReportAllocs()
	for b.Loop() {
		mustRun(b, "replay", "-q", "-columns", columns, "-set", "train_interval=0", "-o", out, samples.SessionsPath(b))
	}
	b.ReportMetric(float64(records*b.N)/b.Elapsed().Seconds(), "records/s")
}

// A setting that changes nothing is told, as in the host.
func TestReplayTellsOfSettingsWithoutEffect(t *testing.T) {
	log := write(t, "ssh.log", `{"ts":1,"id.orig_h":"a","id.resp_h":"b","client":"c"}`+"\n")
	_, stderr := mustRun(t, "replay", "-set", "threshold_quantile=0.2", log)
	has(t, stderr, "threshold_quantile = 0.2 has no effect: used with threshold.method quantile only, and threshold.method is budget; remove it, or")
}

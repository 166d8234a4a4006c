package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// alone keeps the command away from the test machine's Fluent Bit and network.
func alone(args ...string) []string {
	return append([]string{"doctor", "-fluent-bit", "none", "-offline"}, args...)
}

// standIn is a file in place of the shared object, for tests of something else: there is no shared object beside a
// test.
func standIn(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("RGCN_SO"), "../../../build/out/flb-filter_rgcn.so"} {
		if _, err := os.Stat(name); name != "" && err == nil {
			return name
		}
	}
	t.Skip("there is no flb-filter_rgcn.so: make builds it, or RGCN_SO names one")
	return ""
}

// A pipe that delivers nothing does not delay the end, and an interrupted examination is none.
func TestInterruptedDoctor(t *testing.T) {
	standardInput(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	if status := execute(ctx, alone("-"), &stdout, &stderr); status != exitInterrupted || stdout.Len() > 0 {
		t.Errorf("status %d, want %d: %s%s", status, exitInterrupted, &stdout, &stderr)
	}
}

// The exit status tells whether there is a problem, and the output tells what to do.
func TestDoctor(t *testing.T) {
	so := standIn(t)
	sample := samples.OwnPath(t, samples.OwnZeekJSON)
	out, _ := mustRun(t, alone("-plugin", so, sample)...)
	has(t, out, "ok       sample", "16 records: 16 have a source and a destination (100 %)", "source ")

	out, stderr, status := rgcn(alone("-plugin", so, "-preset", "ecs", sample)...)
	if status != exitFailed {
		t.Errorf("status %d", status)
	}
	has(t, out, "problem  sample", "-> Preset zeek understands it.")
	has(t, stderr, "rgcn doctor: 1 problem, 0 warnings")

	if out, _, _ := rgcn(alone("-q", "-plugin", so, "-preset", "ecs", sample)...); strings.Contains(out, "ok ") || !strings.HasPrefix(out, "problem  sample") {
		t.Errorf("with -q:\n%s", out)
	}

	js, _, status := rgcn(alone("-json", "-plugin", so, "-preset", "ecs", sample)...)
	var findings []struct{ Level, Topic, Text, Fix string }
	if err := json.Unmarshal([]byte(js), &findings); err != nil || status != exitFailed {
		t.Fatalf("%v, status %d: %s", err, status, js)
	}
	problems := 0
	for _, f := range findings {
		if f.Level == "problem" {
			problems++
			if f.Topic != "sample" || f.Text == "" || f.Fix == "" {
				t.Errorf("%+v", f)
			}
		}
	}
	if problems != 1 {
		t.Errorf("%d problems: %s", problems, js)
	}
}

// Flags override the configuration; their paths are relative to the working directory, not to the configuration.
func TestDoctorOfAConfiguration(t *testing.T) {
	so := standIn(t)
	dir := t.TempDir()
	conf := filepath.Join(dir, "fluent-bit.conf")
	text := "[INPUT]\n    Name tail\n    Tag ssh\n[FILTER]\n    Name rgcn\n    Match ssh\n    Train_Interval soon\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, _, status := rgcn(alone("-plugin", so, "-c", conf)...)
	if status != exitFailed {
		t.Errorf("status %d", status)
	}
	has(t, out, conf+`:7: property train_interval = "soon"`, "-> want a duration")
	t.Chdir(dir)
	if !filepath.IsAbs(so) {
		t.Chdir(t.TempDir())
		so = ""
	}
	args := alone("-c", conf, "-set", "train_interval=5m", "-state", "here")
	if so != "" {
		args = append(args, "-plugin", so)
	}
	out, _, _ = rgcn(args...)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	has(t, out, "train_interval=5m", filepath.Join(wd, "here")+" is not there yet")
}

func TestDoctorUsage(t *testing.T) {
	for _, args := range [][]string{
		alone(), alone("-c", "/nowhere/fluent-bit.conf"), alone("/nowhere/sample.log"), alone("-config", "fluent-bit.yaml", "x"), alone("-set", "none=1", "x"),
	} {
		if out, stderr, status := rgcn(args...); status != exitUsage || !strings.Contains(stderr, "run 'rgcn doctor -h'") {
			t.Errorf("%v: status %d: %s%s", args, status, out, stderr)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/filter"
)

// TestAllow: a list that is written line by line silences in a replay what it names, nothing else, and the status tells
// of each line.
func TestAllow(t *testing.T) {
	dir := t.TempDir()
	list, state := filepath.Join(dir, "allow.csv"), filepath.Join(dir, "state")
	replay := func(more ...string) []map[string]any {
		t.Helper()
		out := filepath.Join(dir, "out")
		mustRun(t, withSmall(append([]string{"replay", "-columns", columns, "-set", "train_interval=365d", "-set", "explain=on", "-set", "threshold_method=sigma", "-o", out, samples.SessionsPath(t)}, more...)...)...)
		var records []map[string]any
		for _, l := range lines(t, read(t, out)) {
			records = append(records, decode(t, l))
		}
		return records
	}
	mustRun(t, "allow", "-set", "allow="+list, "-relation", "none", "-bad", "203.0.113.0/24", "*") // trainings take it into account
	plain := replay("-set", "allow="+list)
	source := ""
	for _, r := range plain {
		if r["low_score"] == true {
			source = r["id.orig_h"].(string)
		}
	}
	if source == "" {
		t.Fatal("nothing was low")
	}
	_, said := mustRun(t, "allow", "-file", list, "-note", "a, b", "-for", "90d", source, "*")
	has(t, said, list+":3: allow "+source+",*,* until 2")

	silenced, low := 0, 0
	for i, r := range replay("-set", "allow="+list, "-state", state) {
		was := plain[i]
		if r["score"] != was["score"] {
			t.Fatalf("the score is another one: %v, was %v", r, was)
		}
		want := was["low_score"] == true && was["id.orig_h"] != source
		if r["low_score"] != want || (r["score_reason"] == "allowed") != (was["low_score"] == true && !want) {
			t.Fatalf("%v, was %v", r, was)
		}
		if want {
			low++
		} else if was["low_score"] == true {
			silenced++
		}
	}
	if silenced == 0 || low == 0 {
		t.Errorf("%d silenced, %d low", silenced, low)
	}

	text, _ := mustRun(t, "status", "-state", state)
	has(t, text, "2 lines, 1 never used, 0 expired", fmt.Sprintf("%d allowed, 0 denied", silenced), "a, b")
	has(t, strings.Join(strings.Fields(text), " "), "never used 2 bad 203.0.113.0/24 none *") // the columns are as wide as the longest name
	js, _ := mustRun(t, "status", "-json", "-state", state)
	var s filter.Status
	if err := json.Unmarshal([]byte(js), &s); err != nil || s.Allow.TopLines[0].Hits != uint64(silenced) {
		t.Errorf("%v: %+v", err, s.Allow)
	}
	// A list that is gone, or has a bad line, keeps nobody from asking.
	os.Remove(list)
	mustRun(t, "status", "-state", state, "-set", "allow="+list)
	if _, stderr, status := rgcn("score", "-state", state, "-set", "allow="+list, "-columns", columns, samples.SessionsPath(t)); status != exitFailed || !strings.Contains(stderr, "no such file") {
		t.Errorf("%d %s", status, stderr)
	}
}

// A line for whoever names a client is written, with a warning.
func TestAllowWarnsOfAWideLine(t *testing.T) {
	list := filepath.Join(t.TempDir(), "allow.csv")
	_, said := mustRun(t, "allow", "-file", list, "-relation", "SSH-2.0-x", "*", "*")
	has(t, said, "*,SSH-2.0-x,* silences everybody who comes so, an intruder too")
	if _, said = mustRun(t, "allow", "-file", list, "-relation", "SSH-2.0-x", "10.0.0.0/8", "*"); strings.Contains(said, "silences") {
		t.Error(said)
	}
}

// Both ends of what -for allows are told, whichever is passed; the longest that is allowed is taken.
func TestAllowForHowLong(t *testing.T) {
	list := filepath.Join(t.TempDir(), "allow.csv")
	for _, d := range []string{"0", "999ms", "36500d1s", "200000d", "2562047h", "99999999999999999999"} {
		_, stderr, status := rgcn("allow", "-file", list, "-for", d, "a", "b")
		if status != exitUsage {
			t.Errorf("%s: status %d", d, status)
		}
		has(t, stderr, "at least 1s, at most 36500d; without -for the line holds for ever")
	}
	_, said := mustRun(t, "allow", "-file", list, "-for", "36500d", "a", "b")
	has(t, said, list+":2: allow a,*,b until 2")
}

func TestAllowRefusesNonsense(t *testing.T) {
	list := filepath.Join(t.TempDir(), "allow.csv")
	for want, args := range map[string][]string{
		"want SOURCE and DESTINATION, got 1 arguments":            {"a"},
		"no list: want -file FILE, the file that Allow names":     {"a", "b"},
		`-for "soon": want a duration such as 2h, 90d`:            {"-file", list, "-for", "soon", "a", "b"},
		`-for "0": want a duration such as 2h, 90d`:               {"-file", list, "-for", "0", "a", "b"},
		`source = "web-*": * within a name, want a whole name`:    {"-file", list, "web-*", "b"},
		"*,*,* is every session":                                  {"-file", list, "*", "*"},
		"1 parts, but names in the records are joined of 2: want": {"-file", list, "-set", "source=user|host", "a", "b"},
	} {
		if _, stderr, status := rgcn(append([]string{"allow"}, args...)...); status == 0 || !strings.Contains(stderr, want) {
			t.Errorf("%q: %d %s", args, status, stderr)
		}
	}
	if _, err := os.Stat(list); !os.IsNotExist(err) {
		t.Errorf("a refused line made a file: %v", err)
	}
}

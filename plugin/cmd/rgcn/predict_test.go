package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

func TestPredict(t *testing.T) {
	dir := trained(t)
	stdout, _ := mustRun(t, "predict", "-state", dir, "-n", "5")
	has(t, stdout, "the least expected of ", "the most expected of ", "SESSIONS")
	rows := lines(t, stdout)
	if len(rows) != 2*(2+5)+1 {
		t.Errorf("%d lines:\n%s", len(rows), stdout)
	}

	type link struct {
		Source, Relation, Destination string
		Score                         float64
		LowScore                      bool `json:"low_score"`
		Sessions                      int
	}
	links := func(args ...string) (out []link) {
		t.Helper()
		stdout, _ := mustRun(t, append([]string{"predict", "-state", dir, "-json"}, args...)...)
		for _, l := range strings.Split(strings.TrimSpace(stdout), "\n") {
			if l == "" {
				continue
			}
			var x link
			if err := json.Unmarshal([]byte(l), &x); err != nil {
				t.Fatal(err)
			}
			if n := len(out); n > 0 && x.Score < out[n-1].Score {
				t.Errorf("%v after %v", x, out[n-1])
			}
			out = append(out, x)
		}
		return out
	}
	const most = "1000" // more than there are
	// All links of a source by one client, each once, known ones among them and near the top.
	first := strings.Split(string(samples.Sessions(t)), "\t")
	source, relation := first[2], first[8]
	all := links("-source", source, "-relation", relation, "-n", most)
	seen := map[string]bool{}
	known, over := 0, 0 // over: pairs of a link that was there and, below it, one that was not
	for i, l := range all {
		key := fmt.Sprint(l.Source, l.Relation, l.Destination)
		if l.Source != source || seen[key] {
			t.Fatalf("%+v", l)
		}
		seen[key] = true
		if l.Sessions > 0 {
			over += i - known
			known++
		}
	}
	if pairs := known * (len(all) - known); over < pairs*9/10 || pairs == 0 {
		t.Errorf("%d of %d links were there; they are above the others in %d of %d pairs, want nine of ten", known, len(all), over, pairs)
	}
	for _, l := range links("-source", source, "-relation", relation, "-unseen", "-n", most) {
		if l.Sessions > 0 {
			t.Fatalf("%+v is no link that never was", l)
		}
	}
	at := all[len(all)/2].Score
	if n := len(links("-source", source, "-relation", relation, "-below", fmt.Sprint(at), "-n", most)) + len(links("-source", source, "-relation", relation, "-above", fmt.Sprint(at), "-n", most)); n != len(all) {
		t.Errorf("%d links below and above %v, %d in all", n, at, len(all))
	}
	// A host that nobody knows.
	if x := links("-source", "192.0.2.1", "-destination", all[0].Destination, "-relation", all[0].Relation); len(x) != 1 || x[0].Sessions != 0 {
		t.Errorf("%+v", x)
	}

	// A name that no session has is told, with those near it, on standard error alone; a known one is not.
	const none = "192.0.2.1"
	wrong := strings.ToUpper(relation[:len(relation)-1]) + "~"
	out, said := mustRun(t, "predict", "-state", dir, "-json", "-source", none, "-destination", all[0].Destination, "-relation", "foo", "-relation", wrong)
	if n := strings.Count(said, "\n"); n != 3 || strings.Contains(out, "warning") {
		t.Errorf("%d lines: %s", n, said)
	}
	has(t, said, `warning: no session in the state has the source "192.0.2.1", so it is scored as a new one`, "warning: no session in the state has the relation \"foo\", so it is scored as a new one\n",
		fmt.Sprintf("warning: no session in the state has the relation %q, so it is scored as a new one; near are ", wrong), fmt.Sprintf("%q", relation))
	if _, said := mustRun(t, "predict", "-state", dir, "-source", all[0].Destination, "-relation", relation, "-n", "1"); said != "" {
		t.Error(said)
	}

	for _, c := range [][]string{{"-n", "0"}, {"-above", "0.5", "-below", "0.5"}, {"-most", "10"}, {"x"}} {
		if _, stderr, status := rgcn(append([]string{"predict", "-state", dir}, c...)...); status != exitUsage {
			t.Errorf("%q: status %d: %s", c, status, stderr)
		}
	}
	_, stderr, status := rgcn("predict", "-state", dir+"x")
	if status == 0 || !strings.Contains(stderr, dir+"x") {
		t.Errorf("status %d: %s", status, stderr)
	}
	if _, err := os.Stat(dir + "x"); err == nil {
		t.Error("predict made a state directory")
	}
}

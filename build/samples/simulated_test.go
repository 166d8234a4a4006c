package samples

import (
	"strings"
	"testing"
)

// TestSimulated: what stands in for the notebook's file has its shape.
func TestSimulated(t *testing.T) {
	check := func(name, log string) {
		rows := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
		uids, triplets := map[string]bool{}, map[string]int{}
		back, late := 0, 0
		before := ""
		for i, row := range rows {
			c := strings.Split(row, "\t")
			if len(c) != 15 || strings.Join(c[10:], "") != "-----" || len(c[0]) != len("1331901011.840000") {
				t.Fatalf("%s: row %d: %q", name, i, row)
			}
			if c[0] < before {
				back++
			}
			before = c[0]
			uids[c[1]] = true
			triplet := c[2] + " " + c[8] + " " + c[4]
			if triplets[triplet]++; triplets[triplet] == 1 && i >= Rows*3/4 {
				late++
			}
		}
		if len(rows) != Rows || len(triplets) != Triplets {
			t.Errorf("%s: %d rows, %d triplets, want %d and %d", name, len(rows), len(triplets), Rows, Triplets)
		}
		if back < 100 || late < 10 || len(uids) < Rows/2 {
			t.Errorf("%s: %d steps back in time, %d new triplets in the last quarter, %d uids", name, back, late, len(uids))
		}
		t.Logf("%s: %d steps back in time, %d new triplets in the last quarter, %d uids", name, back, late, len(uids))
	}
	check("simulated", Simulated())
	if _, ok := Find(Notebook); ok {
		check(Notebook, string(Read(t, Notebook)))
	}
}

// TestAtHand skips once for each file that is not at hand, with what is not tried for want of it: make test shows these
// lines.
func TestAtHand(t *testing.T) {
	for _, file := range []struct{ name, untried string }{
		{Notebook, "its figures and its lowest sessions; elsewhere simulated sessions take its place"},
		{ZeekJSON, "recorded sessions of Zeek's; the project's own take their place"},
		{ZeekTSV, "recorded sessions of Zeek's; the project's own take their place"},
		{ZeekTSVNoType, "recorded sessions of Zeek's; the project's own take their place"},
		{Sshd, "its 10,566 lines; the project's own take their place"},
	} {
		t.Run(file.name, func(t *testing.T) {
			if path, ok := Find(file.name); !ok {
				t.Skipf("skipped for want of %s (RGCN_DATA may name its folder): %s", path, file.untried)
			}
		})
	}
}

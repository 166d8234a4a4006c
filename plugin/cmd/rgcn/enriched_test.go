package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestEnrichedStyles: lowest and report read the same of a record whatever field_style the filter had, and of the
// document that a search server makes of it.
func TestEnrichedStyles(t *testing.T) {
	const session = `"id.orig_h":"a","id.resp_h":"b","client":"c"`
	added := map[string]string{
		"plain": `"score":0.01,"low_score":true,"score_reason":"rare","source_alert":true,"score_source_risk":4,"score_pair_days":1,"score_source_destinations":2,"score_destination_sources":3,"score_source_relations":["Go"]`,
		"ecs":   `"rgcn.score":0.01,"rgcn.low_score":true,"rgcn.reason":"rare","rgcn.source_alert":true,"rgcn.source_risk":4,"rgcn.pair_days":1,"rgcn.source_destinations":2,"rgcn.destination_sources":3,"rgcn.source_relations":["Go"]`,
		// A field score of the record's own is no reason to overlook the filter's.
		"own": `"score":7,"rgcn.score":0.01,"rgcn.low_score":true,"rgcn.reason":"rare","rgcn.source_alert":true,"rgcn.source_risk":4,"rgcn.pair_days":1,"rgcn.source_destinations":2,"rgcn.destination_sources":3,"rgcn.source_relations":["Go"]`,
	}
	var want [3]string
	for _, name := range []string{"plain", "ecs", "own"} {
		for _, format := range []string{
			`{"ts":"1700000000",%s}`,
			`{"@timestamp":"2023-11-14T22:13:20Z",%s}`,
			`{"_index":"i","_id":"1","_score":1.0,"_source":{"@timestamp":"2023-11-14T22:13:20Z",%s}}`,
		} {
			in := write(t, "in", fmt.Sprintf(format, session+","+added[name])+"\n")
			page := filepath.Join(t.TempDir(), "page")
			var got [3]string
			got[0], _ = mustRun(t, "lowest", in)
			got[1], _ = mustRun(t, "lowest", "-sources", in)
			mustRun(t, "report", "-q", "-o", page, in)
			got[2] = read(t, page)
			if want[0] == "" {
				want = got
				has(t, got[0], "0.010000  true  rare    2023-11-14 22:13:20  a       c         b ", "mostly by Go")
				has(t, got[1], "4 ")
			}
			if got != want {
				t.Errorf("%s as %s:\n%s%s", name, format, got[0], got[1])
			}
		}
	}
}

// TestEnrichedUnder: the settings of fields hold inside of a document, too.
func TestEnrichedUnder(t *testing.T) {
	in := write(t, "in", `{"_source":{"zeek":{"id.orig_h":"a","id.resp_h":"b"},"score":0.5,"low_score":false}}`+"\n")
	out, _ := mustRun(t, "lowest", "-set", "under=zeek", in)
	has(t, out, "0.500000", "a ", "b ")
}

// TestNotEnriched: what is no enriched record by these settings is an error that tells what to set.
func TestNotEnriched(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{`{"id.orig_h":"a","id.resp_h":"b","risk":0.1,"odd":true}`, "none of 1 records has a score: looked for score and rgcn.score"},
		{`{"src":"a","dst":"b","score":0.1,"low_score":true}`, "none of 1 records has a source and a destination (id.orig_h or id_orig_h; id.resp_h or id_resp_h): want the settings of the filter"},
	} {
		in := write(t, "in", c.record+"\n")
		for _, args := range [][]string{{"lowest", in}, {"lowest", "-sources", in}} {
			if stdout, stderr, status := rgcn(args...); status != exitFailed || stdout != "" || !strings.Contains(stderr, c.want) {
				t.Errorf("%q: status %d: %s", args, status, stderr)
			}
		}
		if _, stderr := mustRun(t, "report", "-o", filepath.Join(t.TempDir(), "page"), in); !strings.Contains(stderr, "warning: "+c.want) {
			t.Errorf("report: %s", stderr)
		}
	}
	in := write(t, "in", `{"id.orig_h":"a","id.resp_h":"b","risk":0.1,"odd":true}`+"\n")
	out, _ := mustRun(t, "lowest", "-set", "score=risk", "-set", "low_score=odd", in)
	has(t, out, "0.100000  true")
	in = write(t, "in", `{"id.orig_h":"a","id.resp_h":"b","score":null,"low_score":false}`+"\n")
	if out, _ := mustRun(t, "lowest", in); out != noScoreYet+"\n" {
		t.Error(out)
	}
}

package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/state"
)

// TestOneLogOneGraph: a log of Zeek's gives the same triplets as JSON, as rows, as fields that a parser made of these, and
// to the offline tool. The settings name a column twice, and a boolean.
func TestOneLogOneGraph(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	properties := []string{"Relation", "client|auth_success", "Only", "auth_success=T, client!=SSH-2.0-none", "Train_Interval", "0"}
	in := map[string]string{}
	var sections []string
	for _, c := range []struct {
		tag, file, parser string
	}{{"json", samples.OwnZeekJSON, "zeek_json"}, {"rows", samples.OwnZeekTSV, ""}, {"fields", samples.OwnZeekTSV, "zeek_tsv"}} {
		content := string(samples.Own(t, c.file))
		in[c.tag] = write(t, dir, c.tag, content)
		sections = append(sections, tail(c.tag, in[c.tag], c.parser),
			filter(c.tag, append([]string{"State_Dir", filepath.Join(dir, c.tag+".state")}, properties...)...), toFile(c.tag, in[c.tag]+".out"))
	}
	p := start(t, "-c", pipeline(t, dir, sections...))
	for tag, n := range map[string]int{"json": 16, "rows": 25, "fields": 25} { // 9 lines of header
		p.untilLines(in[tag]+".out", n)
	}
	p.stop()
	for _, log := range []string{"json", "rows"} {
		args := []string{"replay", "-q", "-o", filepath.Join(dir, "scored"), "-state", filepath.Join(dir, "offline-"+log+".state")}
		for i := 0; i < len(properties); i += 2 {
			args = append(args, "-set", strings.ToLower(properties[i])+"="+properties[i+1])
		}
		if out, err := exec.Command(offlineTool, append(args, in[log])...).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	want := graphOf(t, filepath.Join(dir, "offline-json.state"))
	if !slices.ContainsFunc(want, func(s string) bool { return strings.Contains(s, "|true ") }) || strings.Contains(strings.Join(want, ""), "false") {
		t.Fatalf("offline: %q", want)
	}
	for _, of := range []string{"offline-rows", "json", "rows", "fields"} {
		if got := graphOf(t, filepath.Join(dir, of+".state")); !slices.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", of, got, want)
		}
	}
}

// graphOf are the triplets of a state's graph, in words.
func graphOf(t *testing.T, path string) (all []string) {
	t.Helper()
	dir, err := state.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	var s graphbuf.Snapshot
	if ok, notes := dir.Load("graph", 2, s.UnmarshalBinary); !ok {
		t.Fatalf("%s: no graph: %v", path, notes)
	}
	for _, e := range s.Edges {
		all = append(all, fmt.Sprintf("%s %s %s: %d from %d to %d", s.Nodes[e.Source].Name, s.Relations[e.Relation].Name,
			s.Nodes[e.Destination].Name, e.Count, e.First, e.Last))
	}
	slices.Sort(all)
	return all
}

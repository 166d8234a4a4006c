package main

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/report"
)

// TestReport: the page counts the records that replay wrote, those without a score included.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	scored, page := filepath.Join(dir, "scored.ndjson"), filepath.Join(dir, "report.html")
	mustRun(t, withSmall("replay", "-columns", columns, "-set", "train_interval=6h", "-set", "explain=on", "-o", scored, samples.SessionsPath(t))...)
	_, stderr := mustRun(t, "report", "-o", page, scored)

	var numbers, low int
	for _, line := range lines(t, read(t, scored)) {
		m := decode(t, line)
		if _, ok := m["score"].(float64); ok {
			numbers++
		}
		if m["low_score"] == true {
			low++
		}
	}
	text := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(read(t, page))
	var d report.Data
	if err := json.Unmarshal([]byte(text[1]), &d); err != nil {
		t.Fatal(err)
	}
	if d.Records != samples.Rows || int(d.Scored) != numbers || int(d.Low) != low || low == 0 || len(d.Lowest) == 0 {
		t.Errorf("%d records, %d scored, %d low; the file has 7143, %d, %d", d.Records, d.Scored, d.Low, numbers, low)
	}
	if !strings.Contains(stderr, page+": 7143 records") {
		t.Errorf("%s", stderr)
	}
	if again, _ := mustRun(t, "report", scored); again != read(t, page) {
		t.Error("standard output has another page than the file")
	}
	if _, stderr, status := rgcn("report", "-o", scored, scored); status != exitUsage {
		t.Errorf("it may write over its input: %s", stderr)
	}
}

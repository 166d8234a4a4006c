package eval

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestWorlds(t *testing.T) {
	methods := []string{"R-GCN", "rule", "sort", AblationPrefix + "without layers"}
	runs := func(values ...float64) (out [][][]float64) { // two seeds, one figure
		for _, d := range []float64{-0.01, 0.01} {
			var run [][]float64
			for _, v := range values {
				run = append(run, []float64{v + d})
			}
			out = append(out, run)
		}
		return out
	}
	none := math.NaN()
	worlds := []World{
		Gather("office", []string{"AP"}, methods, runs(0.8, 0.3, 0.5, 0.9)), // an ablation is no other method
		Gather("busy", []string{"AP"}, methods, runs(0.4, none, 0.45, 0.2)),
		Gather("empty", []string{"AP"}, methods, runs(none, none, none, none)),
	}
	worst := Worst(worlds)
	if worst == nil || worst.World != "busy" || worst.Best != "sort" {
		t.Fatalf("%+v", worst)
	}
	near(t, "gap", worst.By, -0.05)
	if Worst(worlds[2:]) != nil {
		t.Error("a world without attacks is compared")
	}
	var b strings.Builder
	if err := PrintWorlds(&b, worlds); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"0.800 ± 0.014", "0.300 above sort", "0.050 below sort", "worst: busy, AP 0.050 below sort\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "NaN") {
		t.Errorf("in\n%s", b.String())
	}
	if _, err := json.Marshal(worlds); err != nil {
		t.Error(err)
	}
}

func TestLinkTable(t *testing.T) {
	rows := SummarizeLinks([][]LinkResult{{{Method: "a", AUC: 0.965, NewAP: math.NaN()}}, {{Method: "a", AUC: 0.965, NewAP: math.NaN()}}})
	var b strings.Builder
	if err := PrintLinks(&b, rows); err != nil || !strings.Contains(b.String(), "96.5 ± 0.0") || strings.Contains(b.String(), "NaN") {
		t.Errorf("%v in\n%s", err, b.String())
	}
}

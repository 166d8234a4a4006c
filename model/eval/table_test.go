package eval

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	rows := Summarize([][]Result{{{Method: "a", AUC: 0.9, Alerts: 10}}, {{Method: "a", AUC: 0.8, Alerts: 20}}})
	var b strings.Builder
	if err := Print(&b, rows, "day"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"ALERTS/DAY", "0.850 ± 0.071", "15 ± 7"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

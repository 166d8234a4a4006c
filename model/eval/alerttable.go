package eval

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

// AlertRow is one figure of an AlertResult over several seeds.
type AlertRow struct {
	Figure string   `json:"figure"`
	Value  Spread   `json:"value"`
	Seeds  []number `json:"seeds"` // the figure of each, in their order
	digits int      // behind the point, as it is printed
}

// number is written as null where it is none.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

// alertFigures are the rows of the table.
var alertFigures = []struct {
	name   string
	digits int
	of     func(*AlertResult) float64
}{
	{"days with attacks", 0, func(r *AlertResult) float64 { return r.Days }},
	{"attackers a day", 1, func(r *AlertResult) float64 { return r.Attackers }},
	{"source alerts a day", 1, func(r *AlertResult) float64 { return r.Reports }},
	{"source alerts about attackers", 2, func(r *AlertResult) float64 { return r.ReportPrecision }},
	{"attackers found by source alerts", 2, func(r *AlertResult) float64 { return r.AttackersFound }},
	{"attack triplets covered by source alerts", 2, func(r *AlertResult) float64 { return r.TripletsCovered }},
	{"attackers in chains found by source alerts", 2, func(r *AlertResult) float64 { return r.ChainsFound }},
	{"low scores a day", 1, func(r *AlertResult) float64 { return r.Lows }},
	{"low scores of attacks", 2, func(r *AlertResult) float64 { return r.LowPrecision }},
	{"attackers with a low score", 2, func(r *AlertResult) float64 { return r.AttackersWithLow }},
	{"attack triplets with a low score", 2, func(r *AlertResult) float64 { return r.TripletsFound }},
	{"average precision", 3, func(r *AlertResult) float64 { return r.AP }},
	{"recall at 20 a day", 2, func(r *AlertResult) float64 { return r.Recall20 }},
}

// SummarizeAlerts gathers the results of one run for each seed.
func SummarizeAlerts(runs []AlertResult) (rows []AlertRow) {
	for _, f := range alertFigures {
		row := AlertRow{Figure: f.name, digits: f.digits, Value: spreadOf(len(runs), func(i int) float64 { return f.of(&runs[i]) })}
		for i := range runs {
			row.Seeds = append(row.Seeds, number(f.of(&runs[i])))
		}
		rows = append(rows, row)
	}
	return rows
}

// PrintAlerts writes the rows as a table: the mean of each figure, the standard deviation, and what each seed gave.
func PrintAlerts(w io.Writer, rows []AlertRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "FIGURE\tMEAN\tBY SEED")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t", r.Figure, r.Value.text(r.digits))
		for i, v := range r.Seeds {
			if i > 0 {
				fmt.Fprint(t, " ")
			}
			if math.IsNaN(float64(v)) {
				fmt.Fprint(t, "-")
				continue
			}
			fmt.Fprintf(t, "%.*f", r.digits, v)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

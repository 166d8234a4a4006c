package eval

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"
)

// Spread is the mean of a figure over several seeds, and its standard deviation. Seeds in which it is no number, since
// there was nothing to find, do not count; NaN where there are none, or one alone for the deviation.
type Spread struct{ Mean, SD float64 }

// MarshalJSON writes null for what is no number.
func (s Spread) MarshalJSON() ([]byte, error) {
	switch {
	case math.IsNaN(s.Mean):
		return []byte("null"), nil
	case math.IsNaN(s.SD):
		return fmt.Appendf(nil, `{"mean":%v,"sd":null}`, s.Mean), nil
	}
	return fmt.Appendf(nil, `{"mean":%v,"sd":%v}`, s.Mean, s.SD), nil
}

// Row is a method over several seeds.
type Row struct {
	Method    string `json:"method"`
	AUC       Spread `json:"auc"`
	AP        Spread `json:"average_precision"`
	Recall10  Spread `json:"recall_at_10"`
	Recall20  Spread `json:"recall_at_20"`
	Recall40  Spread `json:"recall_at_40"`
	Alerts    Spread `json:"alerts"`
	Precision Spread `json:"precision"`
	Seconds   Spread `json:"seconds"`
}

// spreadOf is the spread of n figures.
func spreadOf(n int, of func(i int) float64) Spread {
	var numbers []float64
	sum := 0.0
	for i := range n {
		if x := of(i); !math.IsNaN(x) {
			numbers = append(numbers, x)
			sum += x
		}
	}
	s := Spread{Mean: sum / float64(len(numbers))}
	squares := 0.0
	for _, x := range numbers {
		squares += (x - s.Mean) * (x - s.Mean)
	}
	s.SD = math.Sqrt(squares / float64(len(numbers)-1))
	return s
}

// spreadsOf returns what gives a method's figures over several runs, each of which holds one result a method.
func spreadsOf[T any](runs [][]T, method int) func(of func(*T) float64) Spread {
	return func(of func(*T) float64) Spread {
		return spreadOf(len(runs), func(i int) float64 { return of(&runs[i][method]) })
	}
}

// Summarize gathers the results of one run for each seed, in which the methods stand in the
// same order.
func Summarize(runs [][]Result) (rows []Row) {
	for m := range runs[0] {
		spread := spreadsOf(runs, m)
		rows = append(rows, Row{
			Method: runs[0][m].Method,
			AUC:    spread(func(r *Result) float64 { return r.AUC }), AP: spread(func(r *Result) float64 { return r.AP }),
			Recall10: spread(func(r *Result) float64 { return r.Recall10 }), Recall20: spread(func(r *Result) float64 { return r.Recall20 }),
			Recall40: spread(func(r *Result) float64 { return r.Recall40 }), Alerts: spread(func(r *Result) float64 { return r.Alerts }),
			Precision: spread(func(r *Result) float64 { return r.Precision }), Seconds: spread(func(r *Result) float64 { return r.Seconds }),
		})
	}
	return rows
}

// Print writes the rows as a table: means, and behind ± the standard deviations. A period is
// what methods learn before and are judged on: a day, or a part of a short log.
func Print(w io.Writer, rows []Row, period string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "METHOD\tAUC\tAP\tRECALL@10\t@20\t@40\tALERTS/%s\tPRECISION\tLEARNING s\n", strings.ToUpper(period))
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.2f\n", r.Method, r.AUC.text(3), r.AP.text(3),
			r.Recall10.text(2), r.Recall20.text(2), r.Recall40.text(2), r.Alerts.text(0), r.Precision.text(2), r.Seconds.Mean)
	}
	return t.Flush()
}

// text writes no number where there is none.
func (s Spread) text(digits int) string {
	switch {
	case math.IsNaN(s.Mean):
		return "-"
	case math.IsNaN(s.SD):
		return fmt.Sprintf("%.*f", digits, s.Mean)
	}
	return fmt.Sprintf("%.*f ± %.*f", digits, s.Mean, digits, s.SD)
}

// percent is text of a share in hundredths, with one decimal.
func (s Spread) percent() string { return Spread{100 * s.Mean, 100 * s.SD}.text(1) }

// LinkRow is a method of link prediction over several seeds.
type LinkRow struct {
	Method      string `json:"method"`
	AUC         Spread `json:"auc"`
	AP          Spread `json:"average_precision"`
	NewAUC      Spread `json:"new_auc"`
	NewAP       Spread `json:"new_average_precision"`
	NewBalanced Spread `json:"new_balanced_precision"`
	Seconds     Spread `json:"seconds"`
}

// SummarizeLinks gathers the results of one run for each seed.
func SummarizeLinks(runs [][]LinkResult) (rows []LinkRow) {
	for m := range runs[0] {
		spread := spreadsOf(runs, m)
		rows = append(rows, LinkRow{
			Method: runs[0][m].Method,
			AUC:    spread(func(r *LinkResult) float64 { return r.AUC }), AP: spread(func(r *LinkResult) float64 { return r.AP }),
			NewAUC: spread(func(r *LinkResult) float64 { return r.NewAUC }), NewAP: spread(func(r *LinkResult) float64 { return r.NewAP }),
			NewBalanced: spread(func(r *LinkResult) float64 { return r.NewBalanced }),
			Seconds:     spread(func(r *LinkResult) float64 { return r.Seconds }),
		})
	}
	return rows
}

// PrintLinks writes the rows as a table, in per cent.
func PrintLinks(w io.Writer, rows []LinkRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tAUC %\tAP %\tNEW PAIRS: AUC %\tAP %\tAP 1:1 %\tLEARNING s")
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%.2f\n", r.Method, r.AUC.percent(), r.AP.percent(), r.NewAUC.percent(), r.NewAP.percent(), r.NewBalanced.percent(), r.Seconds.Mean)
	}
	return t.Flush()
}

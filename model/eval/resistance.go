package eval

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"

	"flb-filter-rgcn/model/simulate"
)

// ResistanceResult is how well a method resists two attackers who would teach it that they are normal: one repeats a
// single pair thousands of times in an afternoon, the other moves on to a few servers a day, for weeks.
type ResistanceResult struct {
	Method   string
	PairRank float64 // of the repeated pair, among the triplets of its first day; 1: the lowest score; NaN: it did not come
	Missed   float64 // servers that the slow attacker reached before the first one that was shown; NaN: he did not come
	// The share of the slow attacker's servers that were shown, in the first and in the second half of the time.
	FirstHalf, SecondHalf float64
}

// Shown is how many triplets of a day somebody is taken to look at: those with the lowest scores.
const Shown = 20

// Resistance replays sessions as Prequential does. Those of the two attackers carry the notes NoteBruteForce and
// NoteSlow of package simulate.
func Resistance(ctx context.Context, sessions []Session, plan Plan, methods []Method, seed uint64) ([]ResistanceResult, error) {
	r, err := prequential(ctx, sessions, plan, methods, seed)
	if err != nil {
		return nil, err
	}
	var out []ResistanceResult
	for m := range r.judged {
		e := ResistanceResult{Method: methods[m].Name, PairRank: math.NaN(), Missed: math.NaN()}
		var slow []bool // shown, in order of the days
		for _, day := range r.judged[m].periods {
			ranks := make([]int, len(day))
			order := make([]int, len(day))
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int { return day[a].before(day[b]) })
			for rank, i := range order {
				ranks[i] = rank + 1
			}
			for i, s := range day {
				switch {
				case !s.Attack:
				case s.Note == simulate.NoteBruteForce && math.IsNaN(e.PairRank):
					e.PairRank = float64(ranks[i])
				case s.Note == simulate.NoteSlow:
					slow = append(slow, ranks[i] <= Shown)
				}
			}
		}
		if len(slow) > 0 {
			e.Missed = float64(len(slow))
		}
		if i := slices.Index(slow, true); i >= 0 {
			e.Missed = float64(i)
		}
		e.FirstHalf, e.SecondHalf = share(slow[:len(slow)/2]), share(slow[len(slow)/2:])
		out = append(out, e)
	}
	return out, nil
}

// share of what is true, NaN of nothing.
func share(list []bool) float64 {
	n := 0
	for _, x := range list {
		if x {
			n++
		}
	}
	return float64(n) / float64(len(list))
}

// ResistanceRow is a method over several seeds.
type ResistanceRow struct {
	Method     string `json:"method"`
	PairRank   Spread `json:"pair_rank"`
	Missed     Spread `json:"slow_missed_first"`
	FirstHalf  Spread `json:"slow_shown_first_half"`
	SecondHalf Spread `json:"slow_shown_second_half"`
}

// SummarizeResistance gathers the results of one run for each seed.
func SummarizeResistance(runs [][]ResistanceResult) (rows []ResistanceRow) {
	for m := range runs[0] {
		spread := spreadsOf(runs, m)
		rows = append(rows, ResistanceRow{
			Method: runs[0][m].Method, PairRank: spread(func(e *ResistanceResult) float64 { return e.PairRank }),
			Missed:    spread(func(e *ResistanceResult) float64 { return e.Missed }),
			FirstHalf: spread(func(e *ResistanceResult) float64 { return e.FirstHalf }), SecondHalf: spread(func(e *ResistanceResult) float64 { return e.SecondHalf }),
		})
	}
	return rows
}

// PrintResistance writes the rows as a table.
func PrintResistance(w io.Writer, rows []ResistanceRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "METHOD\tREPEATED PAIR: RANK\tSLOW: MISSED FIRST\tSHOWN AMONG %d, 1ST HALF\t2ND HALF\n", Shown)
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Method, r.PairRank.text(1), r.Missed.text(1), r.FirstHalf.text(2), r.SecondHalf.text(2))
	}
	return t.Flush()
}

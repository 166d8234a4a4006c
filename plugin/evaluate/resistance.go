package evaluate

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"flb-filter-rgcn/plugin/simulate"
)

// Endurance is how a method stands two attackers who would teach it that they are normal: one
// who repeats a single pair thousands of times in an afternoon, and one who moves
// on to a few servers a day, for weeks.
type Endurance struct {
	Method string
	// Rank of the repeated pair in the list of its first day, 1 being the lowest score.
	PairRank float64
	// Of the servers that the patient one moves to: how many came before the first that stood
	// among the Shown lowest of its day, and the share of those that did, in the first and in the
	// second half of the time.
	Missed, FirstHalf, SecondHalf float64
}

// Shown is how many alerts a day are taken for read.
const Shown = 20

// Resistance replays sessions of which some carry the notes of package simulate for a slow
// attacker and for a brute force, as Prequential does.
func Resistance(sessions []Session, plan Plan, methods []Method, seed uint64) ([]Endurance, error) {
	r, err := prequential(sessions, plan, methods, seed)
	if err != nil {
		return nil, err
	}
	var out []Endurance
	for m := range r.judged {
		e := Endurance{Method: methods[m].Name}
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
				case s.Note == simulate.NoteBruteForce && e.PairRank == 0:
					e.PairRank = float64(ranks[i])
				case s.Note == simulate.NoteSlow:
					slow = append(slow, ranks[i] <= Shown)
				}
			}
		}
		e.Missed = float64(len(slow))
		if i := slices.Index(slow, true); i >= 0 {
			e.Missed = float64(i)
		}
		e.FirstHalf, e.SecondHalf = share(slow[:len(slow)/2]), share(slow[len(slow)/2:])
		out = append(out, e)
	}
	return out, nil
}

// share of what is true.
func share(list []bool) float64 {
	n := 0
	for _, x := range list {
		if x {
			n++
		}
	}
	return float64(n) / float64(max(len(list), 1))
}

// EnduranceRow is a method over several seeds.
type EnduranceRow struct {
	Method     string `json:"method"`
	PairRank   Spread `json:"pair_rank"`
	Missed     Spread `json:"slow_missed_first"`
	FirstHalf  Spread `json:"slow_shown_first_half"`
	SecondHalf Spread `json:"slow_shown_second_half"`
}

// SummarizeEndurance gathers the results of one run for each seed.
func SummarizeEndurance(runs [][]Endurance) (rows []EnduranceRow) {
	for m := range runs[0] {
		spread := spreadsOf(runs, m)
		rows = append(rows, EnduranceRow{
			Method: runs[0][m].Method, PairRank: spread(func(e *Endurance) float64 { return e.PairRank }),
			Missed:    spread(func(e *Endurance) float64 { return e.Missed }),
			FirstHalf: spread(func(e *Endurance) float64 { return e.FirstHalf }), SecondHalf: spread(func(e *Endurance) float64 { return e.SecondHalf }),
		})
	}
	return rows
}

// PrintEndurance writes the rows as a table.
func PrintEndurance(w io.Writer, rows []EnduranceRow) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "METHOD\tREPEATED PAIR: RANK\tSLOW: MISSED FIRST\tSHOWN AMONG %d, 1ST HALF\t2ND HALF\n", Shown)
	for _, r := range rows {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.Method, r.PairRank.text(1), r.Missed.text(1), r.FirstHalf.text(2), r.SecondHalf.text(2))
	}
	return t.Flush()
}

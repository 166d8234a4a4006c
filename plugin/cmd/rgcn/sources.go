package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"flb-filter-rgcn/plugin/evidence"
)

// reported keeps the n source alerts with the most points, or, where records have no points, the latest ones.
type reported struct {
	n    int
	rows []sourceReport
	all  int // source alerts seen
}

// sourceReport is a session with a source alert.
type sourceReport struct {
	source, relation, destination string
	reachedBy                     string // the host that it was reached from, see evidence.Evidence
	risk, triplets, reason, label string // as the record has them, "" for what it does not have
	points                        float64
	score                         float64 // NaN: none
	time                          time.Time
}

func (r *reported) add(s *scored) {
	if !s.alert {
		return
	}
	r.all++
	points, _ := s.sourceRisk()
	row := sourceReport{
		source: string(s.source), relation: string(s.relation), destination: string(s.destination), reachedBy: string(s.added[evidence.SourceReachedBy]),
		risk: string(s.risk), triplets: string(s.triplets), reason: string(s.reason), label: string(s.label), points: points, score: s.score, time: s.time,
	}
	before := func(a, b sourceReport) int { return cmp.Or(cmp.Compare(b.points, a.points), b.time.Compare(a.time)) }
	at, _ := slices.BinarySearchFunc(r.rows, row, before)
	if r.rows = slices.Insert(r.rows, at, row); len(r.rows) > r.n {
		r.rows = r.rows[:r.n]
	}
}

// print writes the rows as a table, with where sources were reached from only if records have that.
func (r *reported) print(w io.Writer) error {
	if len(r.rows) == 0 {
		_, err := fmt.Fprintln(w, "no source is reported")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	reached := slices.ContainsFunc(r.rows, func(x sourceReport) bool { return x.reachedBy != "" })
	line := func(cells ...string) {
		if !reached {
			cells = slices.Delete(cells, 3, 4)
		}
		io.WriteString(t, strings.TrimRight(strings.Join(cells, "\t"), "\t")+"\n") // t keeps it until Flush
	}
	line("POINTS", "TRIPLETS", "SOURCE", "REACHED BY", "TIME", "SCORE", "REASON", "RELATION", "DESTINATION", "LABEL")
	dash := func(text string) string { return cmp.Or(cell(text), "-") }
	for _, x := range r.rows {
		line(dash(x.risk), dash(x.triplets), cell(x.source), dash(x.reachedBy), x.time.UTC().Format(time.DateTime), scoreText(x.score), dash(x.reason), cell(x.relation), cell(x.destination), cell(x.label))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, r.notes())
	return err
}

// notes are lines below the table: how much of all it is, and why there are no points.
func (r *reported) notes() string {
	var b strings.Builder
	if len(r.rows) < r.all {
		fmt.Fprintf(&b, "\n%s source alerts; rgcn lowest -sources %s\n", partOf(len(r.rows), r.all), more(r.all))
	}
	if slices.ContainsFunc(r.rows, func(x sourceReport) bool { return x.risk == "" }) {
		b.WriteString("\nPOINTS and TRIPLETS need Explain On (-set explain=on in rgcn replay): records without them come last, the latest first.\n")
	}
	return b.String()
}

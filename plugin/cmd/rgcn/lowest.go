package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"hash/maphash"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"flb-filter-rgcn/plugin/printable"
)

// maxLowest bounds a table that people read.
const maxLowest = 1000

// lowest keeps the n triplets with the lowest scores, each at its lowest, and counts how
// often each triplet came. A count is 8 bytes beside a hash of the triplet, so that as many
// fit as the graph itself holds.
type lowest struct {
	n      int
	rows   []row // by score, ties in the order they came
	counts map[uint64]uint64
	hash   maphash.Hash
}

// row is a triplet at its lowest score.
type row struct {
	key                           uint64
	source, relation, destination string
	score                         float64
	low                           bool
	reason, evidence, label       string
	time                          time.Time
}

func newLowest(n int) *lowest { return &lowest{n: n, counts: make(map[uint64]uint64)} }

func (l *lowest) add(s *scored) {
	l.hash.Reset()
	for _, name := range [][]byte{s.source, s.relation, s.destination} {
		l.hash.Write(name)
		l.hash.WriteByte(0)
	}
	key := l.hash.Sum64()
	l.counts[key]++
	if len(l.rows) == l.n && s.score >= l.rows[l.n-1].score {
		return
	}
	if i := slices.IndexFunc(l.rows, func(r row) bool { return r.key == key }); i >= 0 {
		if s.score >= l.rows[i].score {
			return
		}
		l.rows = slices.Delete(l.rows, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(l.rows, s.score, func(r row, score float64) int {
		if r.score == score {
			return -1
		}
		return cmp.Compare(r.score, score)
	})
	if len(l.rows) == l.n {
		l.rows = l.rows[:l.n-1]
	}
	l.rows = slices.Insert(l.rows, at, row{
		key: key, source: string(s.source), relation: string(s.relation), destination: string(s.destination),
		score: s.score, low: s.low, reason: string(s.reason), evidence: s.evidence(), label: string(s.label), time: s.time,
	})
}

// print writes the rows as a table, reasons and labels only when the records have them.
func (l *lowest) print(w io.Writer) error {
	if len(l.rows) == 0 {
		_, err := fmt.Fprintln(w, "no record has a score")
		return err
	}
	has := func(column func(row) string) bool {
		return slices.ContainsFunc(l.rows, func(r row) bool { return column(r) != "" })
	}
	reasons, labels := has(func(r row) string { return r.reason }), has(func(r row) string { return r.label })
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells ...string) {
		if !labels {
			cells = cells[:len(cells)-1]
		}
		if !reasons {
			cells = slices.Delete(cells, 2, 3)
		}
		io.WriteString(t, strings.Join(cells, "\t")+"\n") // t keeps it until Flush
	}
	line("SCORE", "LOW", "REASON", "TIME", "SOURCE", "RELATION", "DESTINATION", "COUNT", "LABEL")
	for _, r := range l.rows {
		line(strconv.FormatFloat(r.score, 'f', 6, 64), strconv.FormatBool(r.low), r.reason, r.time.UTC().Format(time.DateTime),
			cell(r.source), cell(r.relation), cell(r.destination), strconv.FormatUint(l.counts[r.key], 10), cell(r.label))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if l.inverted() {
		if _, err := io.WriteString(w, footnote); err != nil {
			return err
		}
	}
	if !has(func(r row) string { return r.evidence }) {
		return nil
	}
	// Evidence is too long for a column: it follows, numbered by the rows.
	var b strings.Builder
	for i, r := range l.rows {
		if r.evidence != "" {
			fmt.Fprintf(&b, "%d. %s -> %s: %s\n", i+1, cell(r.source), cell(r.destination), r.evidence)
		}
	}
	_, err := fmt.Fprintf(w, "\nEVIDENCE\n%s", b.String())
	return err
}

// footnote explains what inverted finds.
const footnote = "\nLOW is as of its TIME: the threshold changes with trainings and with what the budget of the day has left, so that a score\n" +
	"may be low beside a lower one that is not.\n"

// inverted tells that a score is low and a lower one is not.
func (l *lowest) inverted() bool {
	first := slices.IndexFunc(l.rows, func(r row) bool { return !r.low })
	return first >= 0 && slices.ContainsFunc(l.rows[first:], func(r row) bool { return r.low && r.score > l.rows[first].score })
}

var lowestCommand = command{
	name:    "lowest",
	args:    "FILE...",
	summary: "Show the lowest scores of enriched records, as the filter wrote them: each distinct triplet once.",
	example: "rgcn lowest -n 10 scored.ndjson",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newRun(fs)
		n := fs.Int("n", 10, "how many: `N`")
		sources := fs.Bool("sources", false, "show the sources that were reported instead, those with the most points first")
		return func(ctx context.Context, e *env) error {
			if *n < 1 || *n > maxLowest {
				return usagef("-n %d: want 1 to %d", *n, maxLowest)
			}
			if err := s.settings.onlyFields("lowest"); err != nil {
				return err
			}
			if err := s.check(e); err != nil {
				return err
			}
			r, err := newScoredReader(s.config.Fields)
			if err != nil {
				return err
			}
			l, reports, w := newLowest(*n), reported{n: *n}, r.NewWalker()
			err = s.input.each(ctx, func(c chunk) error {
				w.Reset(c.data)
				for w.Next() {
					v, ok := r.session(w)
					switch {
					case !ok:
					case *sources:
						reports.add(&v)
					case !math.IsNaN(v.score):
						l.add(&v)
					}
				}
				return nil
			})
			switch {
			case err != nil:
				return err
			case *sources:
				return reports.print(e.stdout)
			}
			return l.print(e.stdout)
		}
	},
}

// cell makes a name fit for a column.
func cell(name string) string { return printable.Name(name, 60) }

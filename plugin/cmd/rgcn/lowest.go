package main

import (
	"cmp"
	"context"
	"errors"
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

// lowest keeps the n triplets with the lowest scores, those with a low score before all others, each at its lowest, and
// counts how often each triplet came. A count is 8 bytes beside a hash of the triplet, so that as many fit as the graph
// itself holds.
type lowest struct {
	n      int
	rows   []row // in the order of compare, ties in the order they came
	counts map[uint64]uint64
	low    map[uint64]struct{} // triplets that had a low score
	hash   maphash.Hash
}

// row is a triplet at its lowest score, of its low ones where it has any.
type row struct {
	key                           uint64
	source, relation, destination string
	score                         float64
	low                           bool
	reason, evidence, label       string
	time                          time.Time
}

// compare orders rows as people read them. The scores of the first hours, of a weak model, are often the lowest of all,
// and none of them is a low score.
func (r *row) compare(low bool, score float64) int {
	if r.low != low {
		if r.low {
			return -1
		}
		return 1
	}
	return cmp.Compare(r.score, score)
}

func newLowest(n int) *lowest {
	return &lowest{n: n, counts: make(map[uint64]uint64), low: make(map[uint64]struct{})}
}

func (l *lowest) add(s *scored) {
	l.hash.Reset()
	for _, name := range [][]byte{s.source, s.relation, s.destination} {
		l.hash.Write(name)
		l.hash.WriteByte(0)
	}
	key := l.hash.Sum64()
	l.counts[key]++
	if s.low {
		l.low[key] = struct{}{}
	}
	if len(l.rows) == l.n && l.rows[l.n-1].compare(s.low, s.score) <= 0 {
		return
	}
	if i := slices.IndexFunc(l.rows, func(r row) bool { return r.key == key }); i >= 0 {
		if l.rows[i].compare(s.low, s.score) <= 0 {
			return
		}
		l.rows = slices.Delete(l.rows, i, i+1)
	}
	at, _ := slices.BinarySearchFunc(l.rows, s.score, func(r row, score float64) int {
		if c := r.compare(s.low, score); c != 0 {
			return c
		}
		return -1
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
		_, err := fmt.Fprintln(w, noScoreYet)
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
		line(scoreText(r.score), strconv.FormatBool(r.low), cell(r.reason), r.time.UTC().Format(time.DateTime),
			cell(r.source), cell(r.relation), cell(r.destination), strconv.FormatUint(l.counts[r.key], 10), cell(r.label))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if _, err := io.WriteString(w, l.notes()); err != nil {
		return err
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

// scoreText is a score for a column. A session that a list calls bad is low before there is any score.
func scoreText(score float64) string {
	if math.IsNaN(score) {
		return "-"
	}
	return strconv.FormatFloat(score, 'f', 6, 64)
}

// noScoreYet is the table of records of which none has a score.
const noScoreYet = "no record has a score yet: the filter adds one from its first model on"

// notes are lines below the table: how much of all it is, and what may seem odd in it.
func (l *lowest) notes() string {
	var b strings.Builder
	shown := slices.IndexFunc(l.rows, func(r row) bool { return !r.low })
	if shown < 0 {
		shown = len(l.rows)
	}
	switch {
	case shown < len(l.low):
		fmt.Fprintf(&b, "\n%s distinct triplets with a low score; rgcn lowest %s\n", partOf(shown, len(l.low)), more(len(l.low)))
	case shown == 0:
		b.WriteString("\nNo record has a low score.\n")
	case shown < len(l.rows):
		fmt.Fprintf(&b, "\nRows with a low score: %s. No other triplet has one.\n", partOf(shown, len(l.rows)))
	}
	if l.inverted(shown) {
		b.WriteString(footnote)
	}
	return b.String()
}

// partOf is "10 of 97".
func partOf(shown, all int) string { return fmt.Sprintf("%d of %d", shown, all) }

// more tells how to see all.
func more(all int) string {
	if all > maxLowest {
		return fmt.Sprintf("-n %d shows more", maxLowest)
	}
	return fmt.Sprintf("-n %d shows all", all)
}

// footnote explains what inverted finds.
const footnote = "\nLOW is as of its TIME: the threshold changes with trainings and with what the budget of the day has left, so that a score\n" +
	"may be low beside a lower one that is not.\n"

// inverted tells that one of the first rows, which are low, has a higher score than the first of the others.
func (l *lowest) inverted(low int) bool {
	return 0 < low && low < len(l.rows) && l.rows[low-1].score > l.rows[low].score
}

var lowestCommand = command{
	name:    "lowest",
	args:    "FILE...",
	summary: "Show the lowest scores of enriched records, as the filter wrote them: low scores first, each distinct triplet once.",
	more: "Records in which field_style is ecs, and documents of a search server with the record under _source, are recognised. Fields that your settings\n" +
		"name otherwise need -config FILE or -set.",
	example: "rgcn lowest -n 10 scored.ndjson",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newReading(fs)
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
			r, err := newEnrichedReader(s.settings, s.config)
			if err != nil {
				return err
			}
			l, reports := newLowest(*n), reported{n: *n}
			err = s.input.each(ctx, func(c chunk) error {
				r.each(c.data, func(v *scored) {
					switch {
					case *sources:
						reports.add(v)
					case v.judged():
						l.add(v)
					}
				}, func() {})
				return nil
			})
			if err == nil && r.enriched == 0 && len(l.rows)+len(reports.rows) == 0 {
				err = errors.New(r.unscored(s.config.Fields))
			}
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

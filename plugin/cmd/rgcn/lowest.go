package main

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"
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
	seed   maphash.Seed
	hash   maphash.Hash
}

// row is a triplet at its lowest score.
type row struct {
	key                           uint64
	source, relation, destination string
	score                         float64
	low                           bool
	reason                        string
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
		score: s.score, low: s.low, reason: string(s.reason), time: s.time,
	})
}

// print writes the rows as a table, the reasons only when the records have them.
func (l *lowest) print(w io.Writer) error {
	if len(l.rows) == 0 {
		_, err := fmt.Fprintln(w, "no record has a score")
		return err
	}
	reasons := l.rows[0].reason != ""
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(cells ...string) {
		if !reasons {
			cells = slices.Delete(cells, 2, 3)
		}
		io.WriteString(t, strings.Join(cells, "\t")+"\n") // t keeps it until Flush
	}
	line("SCORE", "LOW", "REASON", "TIME", "SOURCE", "RELATION", "DESTINATION", "COUNT")
	for _, r := range l.rows {
		line(strconv.FormatFloat(r.score, 'f', 6, 64), strconv.FormatBool(r.low), r.reason, r.time.UTC().Format(time.DateTime),
			cell(r.source), cell(r.relation), cell(r.destination), strconv.FormatUint(l.counts[r.key], 10))
	}
	return t.Flush()
}

// cell makes a name fit to be shown: a client names itself as it likes, escape sequences of a terminal included.
func cell(name string) string {
	const widest = 60
	if quoted := strconv.QuoteToGraphic(name); len(quoted) != len(name)+2 {
		name = quoted
	}
	if utf8.RuneCountInString(name) > widest {
		name = string([]rune(name)[:widest-1]) + "…"
	}
	return name
}

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"flb-filter-rgcn/plugin/filter"
)

// prediction is the flags of rgcn predict.
type prediction struct {
	settings                         settings
	sources, relations, destinations names
	above, below                     float64
	unseen, json                     bool
	n, most                          int
}

// names is a flag that may be given several times.
type names []string

func (n *names) String() string { return "" }
func (n *names) Set(name string) error {
	*n = append(*n, name)
	return nil
}

var predictCommand = command{
	name:    "predict",
	args:    "-state DIR",
	summary: "List the most and the least expected links of some hosts, seen before or not, as if they came next.",
	example: "rgcn predict -state /var/lib/flb-filter-rgcn -source 10.20.0.26 -unseen",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		p := prediction{settings: settings{}}
		p.settings.declare(fs)
		fs.Var(&p.sources, "source", "links from `NAME` alone; repeatable. Without it: from all sources")
		fs.Var(&p.relations, "relation", "links of the relation `NAME` alone; repeatable. Without it: of all relations")
		fs.Var(&p.destinations, "destination", "links to `NAME` alone; repeatable. Without it: to all destinations")
		fs.Float64Var(&p.above, "above", 0, "only links with at least this `SCORE`")
		fs.Float64Var(&p.below, "below", math.Inf(1), "only links with a lower `SCORE`")
		fs.BoolVar(&p.unseen, "unseen", false, "only links that never were")
		fs.IntVar(&p.n, "n", 10, "how many of either end: `N`")
		fs.IntVar(&p.most, "most", 20_000_000, "refuse to score more than `N` links")
		fs.BoolVar(&p.json, "json", false, "a JSON object a line, the least expected first")
		return p.execute
	},
}

func (p *prediction) execute(ctx context.Context, e *env) error {
	switch {
	case len(e.args) > 0:
		return usagef("unexpected %q: want no FILE", e.args[0])
	case p.n < 1 || p.n > maxLowest:
		return usagef("-n %d: want 1 to %d", p.n, maxLowest)
	case !(p.above < p.below):
		return usagef("-above %v and -below %v: no score lies between", p.above, p.below)
	}
	c, err := p.settings.load()
	if err != nil {
		return err
	}
	if c.State.Dir == "" {
		return errNoState
	}
	if _, err := os.Stat(c.State.Dir); err != nil {
		return fmt.Errorf("state directory: %w", err)
	}
	f, err := filter.NewFrozen(&host{console: e.console, settings: p.settings, muted: true})
	if err != nil {
		return err
	}
	defer f.Close()
	links, err := f.Links(p.sources, p.relations, p.destinations)
	if err != nil {
		return fmt.Errorf("state directory %s: %w", c.State.Dir, err)
	}
	for _, u := range links.Unknown() {
		e.Log(filter.LevelWarn, neverSeen(u))
	}
	if links.Len() > p.most {
		return usagef("%d links are more than -most %d: name sources, relations or destinations, or raise it", links.Len(), p.most)
	}
	low, high := ends{n: p.n, sign: 1}, ends{n: p.n, sign: -1}
	found := 0
	err = links.Each(ctx, func(l filter.Link) {
		if l.Score < p.above || l.Score >= p.below || p.unseen && l.Sessions > 0 {
			return
		}
		found++
		low.add(l)
		high.add(l)
	})
	if err != nil {
		return err
	}
	if p.json {
		return p.printJSON(e.stdout, &low, &high, found)
	}
	return p.print(e.stdout, &low, &high, found, links.Len())
}

// neverSeen tells of a name that no session has: a misspelt one would go unnoticed, as it is scored like a new one.
func neverSeen(u filter.UnknownName) string {
	text := fmt.Sprintf("no session in the state has the %s %q, so it is scored as a new one", u.Kind, cell(u.Name))
	if len(u.Near) == 0 {
		return text
	}
	quoted := make([]string, len(u.Near))
	for i, name := range u.Near {
		quoted[i] = strconv.Quote(cell(name))
	}
	return text + "; near are " + strings.Join(quoted, ", ")
}

// ends keeps the n links with the lowest scores (sign 1) or the highest (-1), those first
// that came first.
type ends struct {
	n     int
	sign  float64
	links []filter.Link
}

func (e *ends) add(l filter.Link) {
	if len(e.links) == e.n && e.sign*l.Score >= e.sign*e.links[e.n-1].Score {
		return
	}
	at, _ := slices.BinarySearchFunc(e.links, l.Score, func(x filter.Link, score float64) int {
		return cmp.Or(cmp.Compare(e.sign*x.Score, e.sign*score), -1)
	})
	if len(e.links) == e.n {
		e.links = e.links[:e.n-1]
	}
	e.links = slices.Insert(e.links, at, l)
}

// printJSON writes the least expected, then the most expected that are not among them, from low to high.
func (p *prediction) printJSON(w io.Writer, low, high *ends, found int) error {
	type line struct {
		Source      string  `json:"source"`
		Relation    string  `json:"relation"`
		Destination string  `json:"destination"`
		Score       float64 `json:"score"`
		LowScore    bool    `json:"low_score"`
		Reason      string  `json:"score_reason"`
		Sessions    uint32  `json:"sessions"`
	}
	rest := slices.Clone(high.links[:min(len(high.links), found-len(low.links))])
	slices.Reverse(rest)
	enc := json.NewEncoder(w)
	for _, l := range slices.Concat(low.links, rest) {
		if err := enc.Encode(line{l.Source, l.Relation, l.Destination, l.Score, l.Low, l.Reason, l.Sessions}); err != nil {
			return err
		}
	}
	return nil
}

func (p *prediction) print(w io.Writer, low, high *ends, found, of int) error {
	if found == 0 {
		_, err := fmt.Fprintf(w, "none of %d links\n", of)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	table := func(title string, links []filter.Link) {
		fmt.Fprintf(t, "%s of %d\n", title, found)
		fmt.Fprintln(t, "SCORE\tLOW\tREASON\tSOURCE\tRELATION\tDESTINATION\tSESSIONS")
		for _, l := range links {
			fmt.Fprintf(t, "%s\t%t\t%s\t%s\t%s\t%s\t%d\n", strconv.FormatFloat(l.Score, 'f', 6, 64), l.Low, l.Reason,
				cell(l.Source), cell(l.Relation), cell(l.Destination), l.Sessions)
		}
		t.Flush()
	}
	table("the least expected", low.links)
	fmt.Fprintln(t)
	table("the most expected", high.links)
	return t.Flush()
}

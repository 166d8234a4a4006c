package filter

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/config"
)

// Link is a triplet and what the model says of its next session.
type Link struct {
	Source, Relation, Destination string
	Score                         float64
	Low                           bool
	Sessions                      uint32 // seen so far; 0: a link that never was
	Reason                        string
}

// ErrNoModel is returned where there is nothing yet to score with.
var ErrNoModel = errors.New("no model yet")

// Links are all triplets of some sources, relations and destinations.
type Links struct {
	f                                *Instance
	sources, relations, destinations []string
	at                               int64 // the newest event, which the next one follows
	unknown                          []UnknownName
}

// UnknownName is a name that was asked for, and that no session in the graph has.
type UnknownName struct {
	Kind string // "source", "relation" or "destination"
	Name string
	Near []string // names that the graph has and that may be meant, the nearest first, mostNear of them at most
}

// mostNear bounds the names that are offered for one that is unknown.
const mostNear = 3

// Links makes the triplets of the given names; no name of a kind stands for all that the graph
// knows in that place. Names that it does not know are as unknown to the model.
func (f *Instance) Links(sources, relations, destinations []string) (*Links, error) {
	if f.judge.scorer.Load() == nil {
		return nil, ErrNoModel
	}
	snap := f.graph.Snapshot()
	l := &Links{f: f, sources: sources, relations: relations, destinations: destinations}
	isSource, isDestination := make([]bool, len(snap.Nodes)), make([]bool, len(snap.Nodes))
	for _, e := range snap.Edges {
		isSource[e.Source], isDestination[e.Destination] = true, true
		l.at = max(l.at, e.Last)
	}
	for i, n := range snap.Nodes {
		if len(sources) == 0 && isSource[i] {
			l.sources = append(l.sources, n.Name)
		}
		if len(destinations) == 0 && isDestination[i] {
			l.destinations = append(l.destinations, n.Name)
		}
	}
	if len(relations) == 0 {
		for _, r := range snap.Relations {
			l.relations = append(l.relations, r.Name)
		}
	}
	hosts, used := make([]string, len(snap.Nodes)), make([]string, len(snap.Relations))
	for i, n := range snap.Nodes {
		hosts[i] = n.Name
	}
	for i, r := range snap.Relations {
		used[i] = r.Name
	}
	l.look("source", sources, hosts) // a host that only was a destination is known, too
	l.look("relation", relations, used)
	l.look("destination", destinations, hosts)
	return l, nil
}

// look finds those of the names that are not among the known ones.
func (l *Links) look(kind string, names, known []string) {
	for _, name := range names {
		if !slices.Contains(known, name) {
			l.unknown = append(l.unknown, UnknownName{kind, name, near(name, known)})
		}
	}
}

// near are the known names that differ from a name in the size of letters or by a typing error or two, or that hold it or
// lie in it.
func near(name string, known []string) []string {
	const least = 3 // letters of a name that others are looked for
	type candidate struct {
		name     string
		distance int
	}
	var all []candidate
	lower, most := strings.ToLower(name), 1+len(name)/4
	if _, err := netip.ParseAddr(name); err == nil { // any two addresses are alike
		most = 1
	}
	for _, k := range known {
		low := strings.ToLower(k)
		switch apart := len(low) - len(lower); {
		case min(len(low), len(lower)) < least:
		case strings.Contains(low, lower) || strings.Contains(lower, low):
			all = append(all, candidate{k, min(max(apart, -apart), 1)})
		case max(apart, -apart) <= most:
			if d := config.EditDistance(lower, low); d <= most {
				all = append(all, candidate{k, d})
			}
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, c := range all[:min(len(all), mostNear)] {
		out = append(out, c.name)
	}
	return out
}

// Unknown are the given names that the graph does not know.
func (l *Links) Unknown() []UnknownName { return l.unknown }

// Len is how many there are.
func (l *Links) Len() int { return len(l.sources) * len(l.relations) * len(l.destinations) }

// linksPerLook is how many links are scored between two looks at whether somebody has interrupted: a few milliseconds'.
const linksPerLook = 4096

// Each calls do with every link, scored as if it came next, until ctx ends. Nothing is counted.
func (l *Links) Each(ctx context.Context, do func(Link)) error {
	f := l.f
	scorer, list := f.judge.scorer.Load(), f.allow.table()
	var ref [1]graphbuf.Ref
	var event [1]graphbuf.Event
	n := 0
	for _, s := range l.sources {
		for _, r := range l.relations {
			for _, d := range l.destinations {
				if n++; n%linksPerLook == 0 && ctx.Err() != nil {
					return ctx.Err()
				}
				event[0] = graphbuf.Event{Source: []byte(s), Relation: []byte(r), Destination: []byte(d), Time: l.at}
				f.graph.Look(event[:], ref[:])
				score := scorer.Score(f.graph, &event[0], &ref[0])
				bad := list.Find(allow.Bad, event[0].Source, event[0].Relation, event[0].Destination, l.at)
				low, by := f.judge.wouldBeLow(&event[0], &ref[0], scorer, score, list, bad)
				do(Link{s, r, d, round(score), low, ref[0].Counts.SRD, reason(&ref[0], low, by)})
			}
		}
	}
	return ctx.Err()
}

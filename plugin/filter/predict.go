package filter

import (
	"context"
	"errors"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/allow"
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
}

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
	return l, nil
}

// Len is how many there are.
func (l *Links) Len() int { return len(l.sources) * len(l.relations) * len(l.destinations) }

// Each calls do with every link, scored as if it came next, until ctx ends. Nothing is counted.
func (l *Links) Each(ctx context.Context, do func(Link)) error {
	f := l.f
	scorer, list := f.judge.scorer.Load(), f.allow.table()
	var ref [1]graphbuf.Ref
	var event [1]graphbuf.Event
	for _, s := range l.sources {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, r := range l.relations {
			for _, d := range l.destinations {
				event[0] = graphbuf.Event{Source: []byte(s), Relation: []byte(r), Destination: []byte(d), Time: l.at}
				f.graph.Look(event[:], ref[:])
				score := scorer.Score(f.graph, &event[0], &ref[0])
				bad := list.Find(allow.Bad, event[0].Source, event[0].Relation, event[0].Destination, l.at)
				low, by := f.judge.wouldBeLow(&event[0], &ref[0], scorer, score, list, bad)
				do(Link{s, r, d, round(score), low, ref[0].Counts.SRD, reason(&ref[0], low, by)})
			}
		}
	}
	return nil
}

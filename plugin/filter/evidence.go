package filter

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/evidence"
)

// minPeer is the least resemblance of two sources that are called peers: see model.Scorer.Resemblance. Of the low
// scores in twelve simulated days, half of those that were no attack have such a peer, and three of ten attacks; at 0.5
// it is 74 and 57 of 100, at 0.85 23 and 18.
const minPeer = 0.7

// gather stores in out the evidence about an event that the graph has just seen.
func (p *recordPath) gather(out *evidence.Evidence, seen *graphbuf.Evidence, event *graphbuf.Event, ref *graphbuf.Ref, scorer *model.Scorer, score float32) {
	p.graph.Evidence(ref, seen)
	c, itself := &ref.Counts, 0
	if c.SD > 0 {
		itself = 1
	}
	*out = evidence.Evidence{
		LowerPerDay: math.NaN(), // of no score
		PairFirst:   seen.PairFirst, PairLast: seen.PairLast, PairDays: seen.PairDays,
		Destinations: int(c.DestinationsOfS) - itself, Sources: int(c.SourcesOfD) - itself,
		Relations: seen.Relations, SourceSources: seen.SourcesOfSource,
	}
	if scorer == nil {
		return
	}
	out.LowerPerDay = p.judge.lowerPerDay(score)
	if g := scorer.Group(event, ref); g.Sources > 0 {
		out.Group, out.GroupSources, out.GroupToDestination = p.features.Name(event.Source, g.Feature), g.Sources, g.ToDestination
	}
	var best [len(out.Peers)]float32
	for i := range seen.Sources[:seen.SourceCount] {
		s := &seen.Sources[i]
		alike, ok := scorer.Resemblance(ref.Source, s.ID)
		if !ok || alike < minPeer {
			continue
		}
		name := s.Name
		for j := range best {
			if alike > best[j] {
				best[j], alike = alike, best[j]
				out.Peers[j], name = name, out.Peers[j]
			}
		}
	}
}

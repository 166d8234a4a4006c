package temporal

import "flb-filter-rgcn/graphbuf"

// Recent is how many triplets of each source and of each destination were active lately, by row: a triplet
// counts 1 at its last event before the cut, one half after a day, a quarter after two. A host that came after the cut
// has 0.
//
// They are counted at the cut and stay so until the next one. To keep them up to date with every record would cost the
// record path a look at all edges of both hosts.
type Recent struct{ OfS, OfD []float32 }

func newRecent(sources, destinations int) Recent {
	return Recent{make([]float32, sources), make([]float32, destinations)}
}

// add counts an edge, last seen at the time last, as it counts at the time at.
func (r *Recent) add(e *Edge, last, at int64) {
	n := graphbuf.Fade(at - last)
	r.OfS[e.S] += n
	r.OfD[e.D] += n
}

// Fill sets the counts of a triplet that are Recent's. A row that is -1 is unknown.
func (r *Recent) Fill(f *Counts, s, d int32) {
	if s >= 0 {
		f[RecentOfS] = r.OfS[s]
	}
	if d >= 0 {
		f[RecentOfD] = r.OfD[d]
	}
}

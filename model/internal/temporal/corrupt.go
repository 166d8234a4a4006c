package temporal

import "flb-filter-rgcn/model/internal/num"

// The mix of corrupted triplets. These shares are guesses at what an attack looks like; model/eval/experiments.md has the
// reasons and what other shares gave.
const (
	relationShare           = 0.1  // another relation between the same hosts
	unknownRelationShare    = 0.3  // of those: one never seen before, with the name of another
	unknownHostShare        = 0.12 // a host never seen before
	unknownSourceShare      = 0.8  // of those: as the source
	unknownDestinationShare = 0.1  // of those: as the destination, the rest as both
	// What remains: other hosts that are known.
	otherSourceShare      = 1. / 2 // of those: another source
	otherDestinationShare = 1. / 6 // of those: another destination, the rest both

	// The most of the corrupted triplets that were true before the cut, and have paused. In a small network where nearly
	// all that is possible has happened, they would be most of them, and what is known look made up.
	pausedShare = 1. / 4
)

// corrupt changes one part of a positive, or both of its hosts, so that the result is not true in the window, nor, unless
// paused, was before. Where nearly every change of it is true, as behind a bastion that is the only source, a host becomes
// one never seen before. unknown says that the relation has the name of r but counts as one never seen.
func (w *Window) corrupt(ds *Dataset, rng *num.Philox, e *Edge, paused bool) (s, r, d int32, unknown bool) {
	const tries = 8
	for try := range tries {
		s, r, d, unknown = e.S, e.R, e.D, false
		u := rng.Float()
		if try == tries-1 {
			u = relationShare
		}
		switch {
		case u < relationShare:
			r = w.knownRelations[rng.IntN(len(w.knownRelations))]
			unknown = r != e.R && rng.Float() < unknownRelationShare
		case u < relationShare+unknownHostShare:
			source, destination := ends(rng, unknownSourceShare, unknownDestinationShare)
			if source {
				s = -1
			}
			if destination {
				d = -1
			}
			unknown = rng.Float() < unknownRelationShare
		default:
			source, destination := ends(rng, otherSourceShare, otherDestinationShare)
			if source {
				s = w.knownSources[rng.IntN(len(w.knownSources))]
			}
			if destination {
				d = w.knownDestinations[rng.IntN(len(w.knownDestinations))]
			}
		}
		i := ds.triplet.Find(ds.SD.Find(s, d), r)
		if unknown || i < 0 || ds.within(&ds.Edges[i], w.At, w.end) == 0 && (paused || w.srd[i] == 0) {
			break
		}
	}
	return s, r, d, unknown
}

// ends draws which ends of a triplet to change: the source alone, the destination alone, each with its share, or both.
func ends(rng *num.Philox, sourceAlone, destinationAlone float32) (source, destination bool) {
	u := rng.Float()
	return u < sourceAlone || u >= sourceAlone+destinationAlone, u >= sourceAlone
}

// campaignShare is the share of corrupted triplets that are not the first of their kind. An intruder who moves
// through a network leaves a trail: the second server of a new source, the third use of a new tool. If all
// corrupted triplets were first ones, the model would learn that such a trail is benign.
const campaignShare = 0.6

// mostEarlier is the largest number of earlier sessions in a campaign.
const mostEarlier = 8

// campaign gives corrupted triplet i of the batch, made from e, earlier sessions of the same kind.
func (w *Window) campaign(rng *num.Philox, e *Edge, b *Batch, i int) {
	f := &b.Counts[i]
	n := 1 + rng.IntN(mostEarlier)
	servers := float32(1 + rng.IntN(min(n, MaxNeighbours)))
	newSource := f[CountS] == 0
	if newSource {
		f[RelationsOfS] = 1
	}
	if newSource || b.D[i] != e.D || b.S[i] != e.S { // it goes from server to server
		f[CountS] += float32(n)
		f[DestinationsOfS] += servers
		f[NewDestinations] += servers
	}
	if newSource || b.R[i] != e.R { // its tool is new to the source
		if f[CountSR] == 0 {
			f[CountSR] += float32(n)
			f[SourcesOfR]++
			if !newSource {
				f[RelationsOfS]++
			}
		}
		f[CountR] += float32(n)
	}
	if newSource && b.D[i] >= 0 && w.d[b.D[i]] > 0 {
		near := Neighbours{}
		for range int(servers) {
			near.Add(w.knownDestinations[rng.IntN(len(w.knownDestinations))])
		}
		b.Neighbours[i] = near
	}
}

package temporal

import "flb-filter-rgcn/model/internal/num"

// What the corrupted triplets are made of. These shares are priors on what an attack
// looks like; design and ablations stand in the documentation.
const (
	relationShare           = 0.2  // another relation between the same hosts
	unknownRelationShare    = 0.3  // of those: one never seen before, with the name of another
	unknownHostShare        = 0.12 // a host never seen before
	unknownSourceShare      = 0.8  // of those: as the source
	unknownDestinationShare = 0.1  // of those: as the destination, the rest as both
	// what remains: another known source or another known destination, half and half
)

// corrupt changes one part of a true triplet, into one that is not true in the window.
// unknown says that the relation is to be taken for one never seen, of that name.
func (w *Window) corrupt(ds *Dataset, rng *num.Philox, e *Edge) (s, r, d int32, unknown bool) {
	const tries = 8 // a triplet that resists for so long has next to no false neighbours
	for range tries {
		s, r, d, unknown = e.S, e.R, e.D, false
		switch u := rng.Float(); {
		case u < relationShare:
			r = w.knownRelations[rng.IntN(len(w.knownRelations))]
			unknown = r != e.R && rng.Float() < unknownRelationShare
		case u < relationShare+unknownHostShare:
			v := rng.Float()
			if v < unknownSourceShare || v >= unknownSourceShare+unknownDestinationShare {
				s = -1
			}
			if v >= unknownSourceShare {
				d = -1
			}
			unknown = rng.Float() < unknownRelationShare
		case u < relationShare+unknownHostShare+(1-relationShare-unknownHostShare)/2:
			s = w.knownSources[rng.IntN(len(w.knownSources))]
		default:
			d = w.knownDestinations[rng.IntN(len(w.knownDestinations))]
		}
		i := ds.triplet.Find(ds.SD.Find(s, d), r)
		if unknown || i < 0 || ds.Edges[i].within(w.At, w.end) == 0 {
			break
		}
	}
	return s, r, d, unknown
}

// campaignShare is the part of the corrupted triplets that are not the first of their kind.
// Who moves through a network leaves a trail of its own making: the second server
// of a new source, the third use of a strange tool. Were all corrupted triplets first
// ones, the trail would vouch for itself.
const campaignShare = 0.3

// mostEarlier is the number of earlier sessions of a campaign at most.
const mostEarlier = 8

// campaign gives corrupted triplet i of the batch, made from e, a recent past like itself.
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

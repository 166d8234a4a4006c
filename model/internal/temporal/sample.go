package temporal

import "flb-filter-rgcn/model/internal/num"

// What the corrupted triplets are made of. These shares are priors on what an attack
// looks like; design and ablations stand in the documentation.
const (
	relationShare        = 0.2  // another relation between the same hosts
	unknownRelationShare = 0.3  // of those: one never seen before, with the name of another
	unknownHostShare     = 0.12 // a host never seen before
	unknownSourceShare   = 0.8  // of those: as the source
	unknownTargetShare   = 0.1  // of those: as the destination, the rest as both
	// what remains: another known source or another known destination, half and half
)

// novelShare is the part of the weight of true triplets that lies on those unseen before
// the cut. Left to their number, the usual ones would drown them; yet on them depends
// which of the new sessions score high.
const novelShare = 0.5

// SampleSize is the number of true triplets of one step.
const SampleSize = 256

// Window is the time after a cut, whose distinct triplets are what the network learns to expect.
type Window struct {
	*Cut
	deltas       *deltas
	end          int64
	novel, known []target
}

// target is an edge with events in the window, or that would have some with the given chance.
type target struct {
	edge   int32
	chance float32
}

// minChance is below what a known edge is not worth a place among the targets.
const minChance = 0.05

// NewWindow is the time from a cut to end, unix nanoseconds. The order of its positives is that of the edges.
func NewWindow(ds *Dataset, c *Cut, end int64) *Window {
	w := &Window{Cut: c, deltas: newDeltas(ds, c, end), end: end}
	for i := range ds.Edges {
		e := &ds.Edges[i]
		chance := e.within(c.At, end)
		switch {
		case chance < minChance:
		case e.First >= c.At:
			w.novel = append(w.novel, target{int32(i), chance})
		default:
			w.known = append(w.known, target{int32(i), chance})
		}
	}
	return w
}

// Sampling says what is drawn beside each positive triplet.
type Sampling struct {
	Negatives int  // corrupted triplets for each positive
	Campaigns bool // some of the corrupted triplets have a past of their own kind, see campaign
}

// Sample fills b with up to n positive triplets and the corrupted ones of each. New and known
// positives each share their part of the weight.
func (w *Window) Sample(ds *Dataset, b *Batch, rng *num.Philox, n int, how Sampling) {
	b.reset()
	novel := min(len(w.novel), max(n/2, n-len(w.known)))
	share := float32(novelShare)
	if len(w.known) == 0 {
		share = 1
	} else if novel == 0 {
		share = 0
	}
	w.draw(ds, b, rng, w.novel, novel, share, how)
	w.draw(ds, b, rng, w.known, min(len(w.known), n-novel), 1-share, how)
}

// draw takes n of the targets without putting back and gives them weight in all.
func (w *Window) draw(ds *Dataset, b *Batch, rng *num.Philox, targets []target, n int, weight float32, how Sampling) {
	var sum, all float32
	for _, t := range targets {
		all += t.chance
	}
	for i := range n {
		j := i + rng.IntN(len(targets)-i)
		targets[i], targets[j] = targets[j], targets[i]
		sum += targets[i].chance
	}
	for _, t := range targets[:n] {
		e := &ds.Edges[t.edge]
		share := weight * t.chance / sum
		at := e.First
		if at < w.At { // a known one comes at any time of the window
			at = w.At + int64(float64(rng.Float())*float64(w.end-w.At))
		}
		w.add(ds, b, rng, e.S, e.R, e.D, at, 1, share, all*t.chance/sum)
		for range how.Negatives {
			s, r, d, unknown := w.corrupt(ds, rng, e)
			w.add(ds, b, rng, s, r, d, at, 0, share, 0)
			last := len(b.S) - 1
			if unknown {
				b.R[last] = -1
				b.Counts[last].forgetRelation()
				b.Tenure[last] = ds.tenure(s, -1, at)
			}
			if rng.Float() < campaignShare && how.Campaigns {
				w.campaign(rng, e, b, last)
			}
		}
	}
}

// add looks up the facts at the time t. For the rest of the network, a relation unseen
// before the cut is as unknown as it was then.
func (w *Window) add(ds *Dataset, b *Batch, rng *num.Philox, s, r, d int32, t int64, label, weight, mass float32) {
	f := w.counts(ds, s, r, d, t)
	if ds.Peers != nil {
		w.peers(ds, rng, &f, s, r, d)
	}
	age := ds.tenure(s, r, t)
	if r >= 0 && w.r[r] == 0 {
		r = -1
	}
	b.add(s, r, d, f, w.neighbours(s, d, t), label, weight, mass, age)
}

// strangersAtHome is the part of the hosts made up that have the features of a known one: who comes from
// outside may sit in the network of others or in one that nobody knows.
const strangersAtHome = 0.5

// peers adds the facts that features bring.
func (w *Window) peers(ds *Dataset, rng *num.Philox, f *Counts, s, r, d int32) {
	features := func(lists *FeatureLists, row int32, known []int32) []int32 {
		switch {
		case row >= 0:
			return lists.Of(row)
		case rng.Float() < strangersAtHome:
			return lists.Of(known[rng.IntN(len(known))])
		}
		return nil
	}
	of := features(&ds.Peers.Source, s, w.knownSources)
	to := features(&ds.Peers.Destination, d, w.knownDestinations)
	pair, use := ds.SD.Find(s, d), ds.SR.Find(s, r)
	ds.Peers.Counts(f, w.Cooccurrence, of, to, s, r, d, pair >= 0 && w.sd[pair] > 0, use >= 0 && w.sr[use] > 0)
}

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
			if v < unknownSourceShare || v >= unknownSourceShare+unknownTargetShare {
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

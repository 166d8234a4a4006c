package model

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

// sampleSize is the number of true triplets of one step.
const sampleSize = 256

// window is the time after a cut, whose distinct triplets are what the network learns to expect.
type window struct {
	*cut
	news         *news
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

func newWindow(ds *dataset, c *cut, end int64) *window {
	w := &window{cut: c, news: newNews(ds, c, end), end: end}
	for i := range ds.edges {
		e := &ds.edges[i]
		chance := e.within(c.at, end)
		switch {
		case chance < minChance:
		case e.first >= c.at:
			w.novel = append(w.novel, target{int32(i), chance})
		default:
			w.known = append(w.known, target{int32(i), chance})
		}
	}
	return w
}

// sampling says what is drawn beside each positive triplet.
type sampling struct {
	negatives int  // corrupted triplets for each positive
	campaigns bool // some of the corrupted triplets have a past of their own kind, see campaign
}

// sample fills b with up to n positive triplets and the corrupted ones of each. New and known
// positives each share their part of the weight.
func (w *window) sample(ds *dataset, b *batch, rng *num.Philox, n int, how sampling) {
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
func (w *window) draw(ds *dataset, b *batch, rng *num.Philox, targets []target, n int, weight float32, how sampling) {
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
		e := &ds.edges[t.edge]
		share := weight * t.chance / sum
		at := e.first
		if at < w.at { // a known one comes at any time of the window
			at = w.at + int64(float64(rng.Float())*float64(w.end-w.at))
		}
		w.add(ds, b, rng, e.s, e.r, e.d, at, 1, share, all*t.chance/sum)
		for range how.negatives {
			s, r, d, unknown := w.corrupt(ds, rng, e)
			w.add(ds, b, rng, s, r, d, at, 0, share, 0)
			last := len(b.s) - 1
			if unknown {
				b.r[last] = -1
				b.n[last].forgetRelation()
				b.tenure[last] = ds.tenure(s, -1, at)
			}
			if rng.Float() < campaignShare && how.campaigns {
				w.campaign(rng, e, b, last)
			}
		}
	}
}

// add looks up the facts at the time t. For the rest of the network, a relation unseen
// before the cut is as unknown as it was then.
func (w *window) add(ds *dataset, b *batch, rng *num.Philox, s, r, d int32, t int64, label, weight, mass float32) {
	f := w.facts(ds, s, r, d, t)
	if ds.peers != nil {
		w.peers(ds, rng, &f, s, r, d)
	}
	age := ds.tenure(s, r, t)
	if r >= 0 && w.r[r] == 0 {
		r = -1
	}
	b.add(s, r, d, f, w.near(s, d, t), label, weight, mass, age)
}

// strangersAtHome is the part of the hosts made up that have the features of a known one: who comes from
// outside may sit in the network of others or in one that nobody knows.
const strangersAtHome = 0.5

// peers adds the facts that features bring.
func (w *window) peers(ds *dataset, rng *num.Philox, f *facts, s, r, d int32) {
	features := func(lists *featureLists, Row int32, known []int32) []int32 {
		switch {
		case Row >= 0:
			return lists.of(Row)
		case rng.Float() < strangersAtHome:
			return lists.of(known[rng.IntN(len(known))])
		}
		return nil
	}
	of := features(&ds.peers.source, s, w.knownSources)
	to := features(&ds.peers.destination, d, w.knownDestinations)
	pair, use := ds.sd.Find(s, d), ds.sr.Find(s, r)
	ds.peers.facts(f, w.met, of, to, s, r, d, pair >= 0 && w.sd[pair] > 0, use >= 0 && w.sr[use] > 0)
}

// corrupt changes one part of a true triplet, into one that is not true in the window.
// unknown says that the relation is to be taken for one never seen, of that name.
func (w *window) corrupt(ds *dataset, rng *num.Philox, e *dataEdge) (s, r, d int32, unknown bool) {
	const tries = 8 // a triplet that resists for so long has next to no false neighbours
	for range tries {
		s, r, d, unknown = e.s, e.r, e.d, false
		switch u := rng.Float(); {
		case u < relationShare:
			r = w.knownRelations[rng.IntN(len(w.knownRelations))]
			unknown = r != e.r && rng.Float() < unknownRelationShare
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
		i := ds.triplet.Find(ds.sd.Find(s, d), r)
		if unknown || i < 0 || ds.edges[i].within(w.at, w.end) == 0 {
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
func (w *window) campaign(rng *num.Philox, e *dataEdge, b *batch, i int) {
	f := &b.n[i]
	n := 1 + rng.IntN(mostEarlier)
	servers := float32(1 + rng.IntN(min(n, maxNear)))
	newSource := f[factS] == 0
	if newSource {
		f[factRelationsOfS] = 1
	}
	if newSource || b.d[i] != e.d || b.s[i] != e.s { // it goes from server to server
		f[factS] += float32(n)
		f[factDestinationsOfS] += servers
		f[factNewDestinations] += servers
	}
	if newSource || b.r[i] != e.r { // its tool is new to the source
		if f[factSR] == 0 {
			f[factSR] += float32(n)
			f[factSourcesOfR]++
			if !newSource {
				f[factRelationsOfS]++
			}
		}
		f[factR] += float32(n)
	}
	if newSource && b.d[i] >= 0 && w.d[b.d[i]] > 0 {
		near := near{}
		for range int(servers) {
			near.add(w.knownDestinations[rng.IntN(len(w.knownDestinations))])
		}
		b.near[i] = near
	}
}

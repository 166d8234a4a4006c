package temporal

import "flb-filter-rgcn/model/internal/num"

// unseenShare is the share of the positives' weight that goes to triplets unseen before the cut. Weighted by
// number alone, the seen ones would drown them, and yet they decide which of the new sessions score high.
const unseenShare = 0.5

// SampleSize is the number of positives in one step.
const SampleSize = 256

// Sampling says what is drawn beside each positive triplet.
type Sampling struct {
	Negatives int   // corrupted triplets for each positive
	Campaigns bool  // some of the corrupted triplets have a past of their own kind, see campaign
	Returns   bool  // some of them are true, see findReturns
	Bad       []Bad // what people have called bad: a few of the corrupted triplets are of it
	// Where there are Bad, the draws for them, so that all else is drawn as it would be without them.
	BadDraws *num.Philox
}

// Sample fills b with up to n positives and the corrupted triplets of each. Unseen and seen positives divide the
// weight as unseenShare has it.
func (w *Window) Sample(ds *Dataset, b *Batch, rng *num.Philox, n int, how Sampling) {
	b.reset()
	novel := min(len(w.unseen), max(n/2, n-len(w.seen)))
	share := float32(unseenShare)
	if len(w.seen) == 0 {
		share = 1
	} else if novel == 0 {
		share = 0
	}
	w.draw(ds, b, rng, w.unseen, novel, share, how)
	w.draw(ds, b, rng, w.seen, min(len(w.seen), n-novel), 1-share, how)
}

// draw takes n of the positives without replacement. Together they get the given weight.
func (w *Window) draw(ds *Dataset, b *Batch, rng *num.Philox, from []positive, n int, weight float32, how Sampling) {
	var sum, all float32
	for _, t := range from {
		all += t.chance
	}
	for i := range n {
		j := i + rng.IntN(len(from)-i)
		from[i], from[j] = from[j], from[i]
		sum += from[i].chance
	}
	pauses := 0. // how many corrupted triplets may have paused by now; where each positive has few, it is one of several
	for _, t := range from[:n] {
		e := &ds.Edges[t.edge]
		share := weight * t.chance / sum
		at := e.First
		if at < w.At { // a known one comes at any time of the window
			at = w.At + int64(float64(rng.Float())*float64(w.end-w.At))
		}
		w.add(ds, b, rng, e, e.S, e.R, e.D, at, 1, share, all*t.chance/sum)
		each := pausedShare * float64(how.Negatives)
		pauses = min(pauses+each, max(1, each))
		for range how.Negatives {
			if w.addCorrupted(ds, b, rng, e, at, share, how, pauses >= 1) {
				pauses--
			}
			if len(how.Bad) > 0 && how.BadDraws.Float() < badShare {
				b.cut(len(b.S) - 1)
				w.addBad(ds, b, how.BadDraws, e, at, share, how)
			}
		}
	}
}

// addCorrupted adds a corrupted triplet for a positive at the time t, one that was true before the cut only if it may have
// paused, and tells whether it was, but for returns.
func (w *Window) addCorrupted(ds *Dataset, b *Batch, rng *num.Philox, e *Edge, t int64, weight float32, how Sampling, mayPause bool) (paused bool) {
	if how.Returns && len(w.returns) > 0 && rng.Float() < w.returnShare {
		e := w.drawReturn(ds, rng)
		w.add(ds, b, rng, e, e.S, e.R, e.D, t, 0, weight, 0)
		return false
	}
	s, r, d, unknown := w.corrupt(ds, rng, e, mayPause)
	w.add(ds, b, rng, e, s, r, d, t, 0, weight, 0)
	last := len(b.S) - 1
	if unknown {
		b.R[last] = -1
		b.Counts[last].clearRelation()
		b.Tenure[last] = ds.tenure(s, -1, t, b.Counts[last][Similar])
	}
	if rng.Float() < campaignShare && how.Campaigns {
		w.campaign(rng, e, b, last)
	}
	return b.Counts[last][CountSRD] > 0
}

// addBad adds a triplet of what people have called bad in the place of a corrupted one.
func (w *Window) addBad(ds *Dataset, b *Batch, rng *num.Philox, e *Edge, t int64, weight float32, how Sampling) {
	s, r, d := w.bad(rng, how.Bad)
	w.add(ds, b, rng, e, s, r, d, t, 0, weight, 0)
	if rng.Float() < campaignShare && how.Campaigns {
		w.campaign(rng, e, b, len(b.S)-1)
	}
}

// add adds a triplet with its counts at the time t. It is the positive or was made from it. A relation unseen before the
// cut is unknown to the rest of the network, as it was then.
func (w *Window) add(ds *Dataset, b *Batch, rng *num.Philox, positive *Edge, s, r, d int32, t int64, label, weight, mass float32) {
	f := w.counts(ds, s, r, d, t)
	if ds.Peers != nil {
		w.peers(ds, rng, &f, positive, s, r, d)
	}
	age := ds.tenure(s, r, t, f[Similar])
	if r >= 0 && w.r[r] == 0 {
		r = -1
	}
	b.add(s, r, d, f, w.neighbours(s, d, t), label, weight, mass, age)
}

// featuredNewHostShare is the share of made-up hosts that get the features of the true host in whose place they are: an
// intruder's machine may stand in the network of those who use the server, or in one that nobody knows. Features of any
// known host would not do: where most sources come from outside, few machines would be made up inside.
const featuredNewHostShare = 0.5

// peers fills in the counts that features of hosts bring.
func (w *Window) peers(ds *Dataset, rng *num.Philox, f *Counts, positive *Edge, s, r, d int32) {
	features := func(lists *FeatureLists, row, replaced int32) []int32 {
		switch {
		case row >= 0:
			return lists.Of(row)
		case rng.Float() < featuredNewHostShare:
			return lists.Of(replaced)
		}
		return nil
	}
	of, to := features(&ds.Peers.Source, s, positive.S), features(&ds.Peers.Destination, d, positive.D)
	seen := func(counts []float32, i int32) bool { return i >= 0 && counts[i] > 0 }
	ds.Peers.AddCounts(f, w.Cooccurrence, of, to, s, r, d, Own{
		SD: seen(w.sd, ds.SD.Find(s, d)), SR: seen(w.sr, ds.SR.Find(s, r)), S: seen(w.s, s), D: seen(w.d, d),
	})
}

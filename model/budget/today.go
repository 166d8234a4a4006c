package budget

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
)

// today is the current day: its triplets with the lowest scores, and its alerts.
type today struct {
	Day     int64 // since 1970, of event time; 0: none yet
	Whole   bool  // it was watched from its beginning
	Since   int32 // the quarter of an hour from which it was watched
	Alerts  int   // that spend the budget
	Beyond  int   `json:",omitempty"` // alerts that do not: see AlertBudget.affords
	Entries []entry
	// Only scores below Watch are kept. It falls as the day fills up.
	Watch float32
	// Once what may be spent by now is spent, only scores below this are alerts.
	Lowest float32

	latest  int32     // the latest quarter of an hour that is known to have begun
	late    int       // scores in a row of days long past,
	past    int64     // and the newest of these days
	index   []int32   // hash table of Entries: number+1
	spare   []float32 // memory to rank the scores in
	refused int       // scores that were not kept, since there were enough lower ones of their source
	// What each source has of the day, and new sources together, and how much that may be.
	shares                 shares
	strangers              share
	ofSource, ofNewSources int32
}

// entry is a triplet of the day.
type entry struct {
	Key     uint64
	Score   float32 // the lowest
	Quarter int32   // in which the triplet came first
	Source  uint64  `json:",omitempty"` // Spender.key; 0 in a state of before, unknown
	Alert   bool
	New     bool `json:",omitempty"` // its source
	gone    bool // it gave way to a lower one of its source, or of new sources
}

// newToday returns a day with memory for depth entries.
func newToday(depth int) today {
	d := today{Watch: 1, Lowest: 1, ofSource: math.MaxInt32, ofNewSources: math.MaxInt32}
	if depth > 0 {
		d.Entries = make([]entry, 0, depth)
		d.index = make([]int32, 1<<bits.Len(uint(2*depth)))
		d.shares = make(shares, 1<<bits.Len(uint(2*depth)))
		d.spare = make([]float32, 0, depth)
	}
	return d
}

// begin empties the day and begins the one in which a time lies, unix nanoseconds. Only the first day of all is
// not watched from its beginning.
func (d *today) begin(time int64) {
	d.Whole, d.Since = d.Day > 0, 0
	if !d.Whole {
		d.Since = quarterOf(time)
	}
	d.latest, d.late = quarterOf(time), 0
	d.Day, d.Alerts, d.Beyond, d.Watch, d.Lowest, d.Entries = dayOf(time), 0, 0, 1, 1, d.Entries[:0]
	clear(d.index)
	clear(d.shares)
	d.strangers, d.refused = share{}, 0
}

// quarter is the quarter of an hour in which a score counts, given its time in unix nanoseconds. A score of an earlier
// day counts now, as far as Reach and low scores tell what time it is. Scores of an archive keep the hours of their own
// days.
func (d *today) quarter(time int64) int32 {
	if dayOf(time) < d.Day && d.late < lateScores {
		return d.latest
	}
	return quarterOf(time)
}

// record keeps a triplet, with one more score if it is known, and tells whether it is an alert for the first time.
//
// Of a source, and of new sources together, no more triplets are kept than may be alerts: those with the lowest scores. A
// source that has more than that would fill the day otherwise, until nothing of the others is known.
func (d *today) record(x entry, alert bool) (counted bool) {
	at := d.find(x.Key)
	if d.index[at] == 0 || d.Entries[d.index[at]-1].gone {
		bound := x.Score
		if alert {
			bound = -1
		}
		if !d.makesWay(&x, bound) && !alert {
			d.refused++
			return false
		}
		if d.index[at] == 0 {
			if len(d.Entries) == cap(d.Entries) {
				d.evictHigher()
				at = d.find(x.Key)
			}
			d.Entries = append(d.Entries, x)
			d.index[at] = int32(len(d.Entries))
		} else {
			d.Entries[d.index[at]-1] = x
		}
		d.count(&x, 1)
	}
	e := &d.Entries[d.index[at]-1]
	e.Score = min(e.Score, x.Score)
	d.noteAlert(e)
	if !alert || e.Alert {
		return false
	}
	d.count(e, -1)
	e.Alert, e.Source, e.New = true, x.Source, x.New
	d.count(e, 1)
	return true
}

// again takes one more score of a triplet and tells whether it is kept. Most records are of such.
func (d *today) again(key uint64, score float32) bool {
	i := d.index[d.find(key)]
	if i == 0 || d.Entries[i-1].gone {
		return false
	}
	d.Entries[i-1].Score = min(d.Entries[i-1].Score, score)
	d.noteAlert(&d.Entries[i-1])
	return true
}

// makesWay tells whether there is place for one more triplet among those of its source, and of new sources. Where there
// is none, the triplet with the highest score goes that is no alert, if it is above the bound.
func (d *today) makesWay(x *entry, bound float32) bool {
	source := d.shares.of(x.Source)
	full, fullOfNew := source.triplets >= d.ofSource, x.New && d.strangers.triplets >= d.ofNewSources
	switch {
	case !full && !fullOfNew:
		return true
	case full && source.hasNone(bound), fullOfNew && d.strangers.hasNone(bound):
		return false
	}
	score := bound
	var highest *entry
	for i := range d.Entries {
		e := &d.Entries[i]
		if e.Score > score && !e.Alert && !e.gone && (!full || e.Source == x.Source) && (!fullOfNew || e.New) {
			score, highest = e.Score, e
		}
	}
	if !fullOfNew {
		source.highest = score
	} else if !full {
		d.strangers.highest = score
	}
	if highest == nil {
		return false
	}
	highest.gone = true
	d.count(highest, -1)
	return true
}

// scoreAtRank returns the score of the entry at a rank from the lowest on, at most that of the highest. Scores only fall,
// so that usually those up to Lowest, the answer of the last time, hold the next one.
func (d *today) scoreAtRank(rank int) float32 {
	if d.scoresUpTo(d.Lowest); len(d.spare) <= rank {
		d.scoresUpTo(1)
	}
	return atRank(d.spare, min(rank, len(d.spare)-1))
}

// scoresUpTo stores the scores up to a bound in spare.
func (d *today) scoresUpTo(bound float32) {
	d.spare = d.spare[:0]
	for i := range d.Entries {
		if e := &d.Entries[i]; e.Score <= bound && !e.gone {
			d.spare = append(d.spare, e.Score)
		}
	}
}

// atRank returns what would be at an index of x if it were sorted, in a time that grows with the length of x. It changes
// the order of x. Whoever can choose all scores finds an order that is halved slowly: then it sorts.
func atRank(x []float32, rank int) float32 {
	for rounds := 2 * bits.Len(uint(len(x))); rounds > 0 && len(x) > 1; rounds-- {
		a, b, c := x[0], x[len(x)/2], x[len(x)-1]
		pivot := max(min(a, b), min(max(a, b), c))
		less, more := 0, len(x) // below the pivot, and where those above it begin
		for i := 0; i < more; {
			switch {
			case x[i] < pivot:
				x[less], x[i] = x[i], x[less]
				less++
				i++
			case x[i] > pivot:
				more--
				x[more], x[i] = x[i], x[more]
			default:
				i++
			}
		}
		switch {
		case rank < less:
			x = x[:less]
		case rank < more:
			return pivot
		default:
			x, rank = x[more:], rank-more
		}
	}
	slices.Sort(x)
	return x[rank]
}

// sort puts the entries in ascending order of their scores. The index is then out of date.
func (d *today) sort() {
	slices.SortFunc(d.Entries, func(a, b entry) int { return cmp.Compare(a.Score, b.Score) })
}

// dropGone lets go of the entries that gave way. The index is then out of date.
func (d *today) dropGone() {
	d.Entries = slices.DeleteFunc(d.Entries, func(e entry) bool { return e.gone })
}

// evictHigher lets the higher half of the entries go and lowers Watch, so that no more like them are kept. Alerts stay,
// which would count anew otherwise: no day has more than two budgets of them, a quarter of the room. There are more only
// where a state of a larger budget is read, and then those that came last go. Where many entries gave way to lower ones,
// it is enough to let go of these.
func (d *today) evictHigher() {
	if d.dropGone(); len(d.Entries) <= cap(d.Entries)/2 {
		d.reindex()
		return
	}
	d.scoresUpTo(1)
	half, alerts := len(d.Entries)/2, len(d.Entries)/4+1
	d.Watch = atRank(d.spare, half)
	alike := half // how many of the score Watch belong to the lower half
	for i := range d.Entries {
		if d.Entries[i].Score < d.Watch {
			alike--
		}
	}
	kept := d.Entries[:0]
	for _, e := range d.Entries {
		switch {
		case e.Score < d.Watch:
		case e.Score == d.Watch && alike > 0:
			alike--
		case e.Alert && alerts > 0:
			alerts--
		default:
			continue
		}
		kept = append(kept, e)
	}
	d.Entries = kept
	d.reindex()
}

// indexSeed is secret, so that whoever picks names cannot make them collide in the index.
var indexSeed = maphash.MakeSeed()

// find returns where in the index a key is, or would be.
func (d *today) find(key uint64) int {
	mask := len(d.index) - 1
	i := int(maphash.Comparable(indexSeed, key)>>32) & mask
	for d.index[i] != 0 && d.Entries[d.index[i]-1].Key != key {
		i = (i + 1) & mask
	}
	return i
}

// isAlert tells whether a triplet was an alert today.
func (d *today) isAlert(key uint64) bool {
	i := d.index[d.find(key)]
	return i != 0 && d.Entries[i-1].Alert
}

// noteAlert brings the shares up to date with the score of an entry that is an alert.
func (d *today) noteAlert(e *entry) {
	if !e.Alert {
		return
	}
	if e.Source != 0 {
		d.shares.of(e.Source).note(e.Score)
	}
	if e.New {
		d.strangers.note(e.Score)
	}
}

// count adds n entries like e to the shares.
func (d *today) count(e *entry, n int32) {
	d.shares.add(e, n)
	if e.New {
		d.strangers.add(e, n)
	}
}

// reindex brings the hash tables up to date with the entries, of which none is gone.
func (d *today) reindex() {
	clear(d.index)
	clear(d.shares)
	d.strangers = share{}
	for i := range d.Entries {
		e := &d.Entries[i]
		d.index[d.find(e.Key)] = int32(i + 1)
		d.count(e, 1)
	}
}

// tripletKey tells the day's triplets apart. It is the same after a restart (FNV-1a), which is why the index
// does not use it as it is. Whoever finds a collision is counted once instead of twice, and flagged all the same.
func tripletKey(e *graphbuf.Event) uint64 {
	h := num.FNVStart
	for _, name := range [][]byte{e.Source, e.Relation, e.Destination} {
		h = num.FNV1a(h, name)
		h = num.FNV1a(h, "\xff") // no name in UTF-8 has this byte
	}
	return h ^ h>>29
}

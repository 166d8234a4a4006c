package model

import (
	"cmp"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"
	"sync"
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
)

// Ledger holds a threshold to a number of alerts a day. An alert is a triplet that scored
// low on that day, however often.
//
// What scores will look like tomorrow no training can know: held-out sessions are those of
// a weekend, a new model puts its scores elsewhere, and a threshold at the edge of the usual
// turns a small shift into a hundred alerts. So the ledger keeps the lowest scores of the last
// days as they were given, and takes for the threshold the median, over those days, of the
// score below which as many triplets lay as may. A day on which little happens, such as
// one of a weekend, does not count among them; a day of a scan, or of an upgrade everywhere, is
// one among ten.
//
// Within a day it keeps pace: what is left of the budget is spread over what is left of the
// day, by the hours at which low scores used to come, up to mostPace of the usual rate, so that a
// quiet day does not call the usual strange. When the budget is spent, what scores lowest is
// shown all the same: what would be among the leastPace of a budget that are lowest on a usual
// day, and among those of today.
//
// Until settledDays are known, the threshold comes from the training's held-out triplets, of which there are few, or from days
// that need not be like this one, such as those of a weekend. Then the budget is handed out evenly, and no more than it and a
// leastPace are spent in a day, whatever the scores are.
//
// A Ledger is safe for many goroutines.
type Ledger struct {
	perDay float64
	depth  int // lowest triplets kept of a day

	// A score at or above gate is neither an alert nor worth keeping: no need for the lock.
	gate      atomic.Uint32 // float32 bits
	threshold atomic.Uint32 // float32 bits, as of the last low score

	mu    sync.Mutex
	prior [curvePoints]float32   // what curve is before there are days
	even  float32                // the score of even odds, which no threshold is above
	past  []ledgerDay            // whole days, the oldest first
	known int                    // of these, how many count
	curve [curvePoints]float32   // score at a rank of 0 to mostPace budgets
	after [quartersOfDay]float32 // share of a day's low scores that comes after the quarter of an hour began
	today ledgerToday
	spare []float32 // room to sort today's scores in
}

const (
	ledgerDays    = 10
	settledDays   = 3 // known, of those on which much happened
	leastPace     = 0.25
	mostPace      = 3
	curveStep     = 1.0 / 16 // of a budget
	curvePoints   = mostPace/curveStep + 1
	quartersOfDay = 24 * 4
	lateScores    = 64 // in a row, of days long past, are a log of its own days and no late records

	// MaxLedger is the largest budget that is followed. Beyond it nobody reads
	// alerts one by one, and the ledger would take more memory than the graph: the held-out
	// triplets of the training then say all.
	MaxLedger = 10_000

	secondsOfDay = 24 * 3600
)

// ledgerDay is what is kept of a day that is over.
type ledgerDay struct {
	Scores   []float32             // lowest of each of the lowest triplets, ascending
	Quarters [quartersOfDay]uint32 // how many of them came first in that quarter of an hour
}

// ledgerToday is the day that runs.
type ledgerToday struct {
	Day     int64 // since 1970, of event time; 0: none yet
	Whole   bool  // it was watched from its beginning
	Since   int32 // the quarter of an hour from which it was watched
	Alerts  int
	Entries []ledgerEntry
	// Only scores below Watch are kept. It falls as the day fills up.
	Watch float32
	// Once what may be spent by now is spent, only scores below this are alerts.
	Lowest float32
	late   int     // scores in a row of days long past,
	past   int64   // and the newest of these days
	index  []int32 // hash table of Entries: number+1
}

type ledgerEntry struct {
	Key     uint64
	Score   float32 // the lowest
	Quarter int32   // in which the triplet came first
	Alert   bool
}

// NewLedger returns an empty ledger for a budget of alerts a day.
func NewLedger(perDay float64) *Ledger {
	l := &Ledger{perDay: perDay}
	if l.follows() {
		const least = 256 // the median of many days is only as good as their ranks
		l.depth = max(least, int(8*perDay))
		l.today.Entries = make([]ledgerEntry, 0, l.depth)
		l.today.index = make([]int32, 1<<bits.Len(uint(2*l.depth)))
		l.spare = make([]float32, 0, l.depth)
	}
	l.today.Watch, l.today.Lowest, l.even = 1, 1, 1
	l.plan()
	return l
}

// follows tells whether the ledger corrects the threshold at all.
func (l *Ledger) follows() bool { return l.perDay <= MaxLedger }

// Follow takes up a model that gives the scores from now on.
func (l *Ledger) Follow(m *Model) {
	even := float32(1)
	if m.heldOut.even > 0 {
		even = m.heldOut.even
	}
	l.Expect(func(perDay float64) float32 { return below(m.heldOut.scores, perDay*m.heldOut.days) }, even)
}

// Expect says what scores will look like until there are days to learn from: below which score so many lie on a day. most is
// what no threshold is above.
func (l *Ledger) Expect(below func(perDay float64) float32, most float32) {
	var prior [curvePoints]float32
	for i := range prior {
		prior[i] = below(l.perDay * float64(i) * curveStep)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.prior, l.even = prior, most
	l.plan()
}

// Threshold is the score below which the next triplet would be an alert, by the last low score.
func (l *Ledger) Threshold() float32 { return math.Float32frombits(l.threshold.Load()) }

// Usual is the threshold at the usual pace: for whoever looks at scores out of their time.
func (l *Ledger) Usual() float32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.at(1)
}

// Low judges the score of an event and takes it down, for the event's time as whoever calls believes it. Scores of
// an earlier day count for the one that runs. It does not allocate but for a few small pieces when a day begins.
func (l *Ledger) Low(e *graphbuf.Event, score float32) bool {
	if l.Ignores(score) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follows() {
		return score < l.at(1)
	}
	l.see(e.Time)
	quarter := quarterOf(e.Time)
	threshold := l.now(quarter)
	l.threshold.Store(math.Float32bits(threshold))
	low := score < threshold
	if low || score < l.today.Watch {
		l.note(tripletHash(e), quarter, score, low)
	}
	return low
}

// Ignores tells a score that is neither an alert nor of any use to the ledger, without its lock.
func (l *Ledger) Ignores(score float32) bool { return score >= math.Float32frombits(l.gate.Load()) }

// WouldBeLow is what Low would say of an event, which is not taken down. It begins a day as Reach does.
func (l *Ledger) WouldBeLow(e *graphbuf.Event, score float32) bool {
	if l.Ignores(score) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follows() {
		return score < l.at(1)
	}
	if e.Time/1e9/secondsOfDay > l.today.Day {
		l.turn(e.Time)
	}
	return score < l.now(quarterOf(e.Time))
}

// now is the score below which a triplet is an alert at a time of the day.
func (l *Ledger) now(quarter int32) float32 {
	threshold := l.at(l.pace(quarter))
	switch over := float64(l.today.Alerts) - l.allowance(quarter); {
	case over < 0:
		return threshold
	case over >= leastPace*l.perDay && !l.settled():
		// The scores of new sources fall as a young graph ages, and with each of the first trainings: any of them would be
		// the lowest of the day.
		return 0
	}
	return min(threshold, l.today.Lowest)
}

// quarterOf is the quarter of an hour of its day in which a time lies, unix nanoseconds.
func quarterOf(time int64) int32 {
	return int32(time / 1e9 % secondsOfDay / (secondsOfDay / quartersOfDay))
}

// Reach has the ledger know that a time, in unix nanoseconds, is reached: what comes of days long before it is old.
func (l *Ledger) Reach(time int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.follows() && time/1e9/secondsOfDay > l.today.Day {
		l.turn(time)
	}
}

// see begins a day when its first event comes. The number of the day only goes up, and what was spent of a day stays
// spent. Where a clock was far ahead, or an archive is read, its day may not end for long: then many low scores in a
// row of days long past have their days end with midnights of their own.
func (l *Ledger) see(time int64) {
	day := time / 1e9 / secondsOfDay
	d := &l.today
	switch {
	case day > d.Day:
		l.turn(time)
	case day < d.Day-1:
		if d.late++; d.late >= lateScores {
			d.Whole = false // nobody learns from the days of an archive what is usual now
		}
		if day > d.past && d.late > lateScores {
			late := d.late
			l.turn(d.Day * secondsOfDay * 1e9)
			d.late, d.Whole = late, false
		}
		if d.late == 1 || day > d.past {
			d.past = day
		}
	default:
		d.late = 0
	}
}

// pace is how many budgets a day the threshold stands for at a time of the day.
func (l *Ledger) pace(quarter int32) float64 {
	left := float64(l.after[l.today.Since]) - float64(l.today.Alerts)/l.perDay
	return min(max(left/max(float64(l.after[quarter]), 1e-3), leastPace), mostPace)
}

// allowance is how many alerts of today's budget may be spent by a time of the day. A day that is watched in part has a
// part of the budget. In the first days it is handed out as the day goes by, a leastPace of a budget ahead.
func (l *Ledger) allowance(quarter int32) float64 {
	today := float64(l.after[l.today.Since])
	if l.settled() {
		return l.perDay * today
	}
	return l.perDay * min(today, today-float64(l.after[quarter])+leastPace)
}

// settled tells whether enough days are known to go by.
func (l *Ledger) settled() bool { return l.known >= settledDays }

// at returns the score below which so many budgets of triplets lie on a usual day, at most that of even odds: a quiet
// network may not have so many strange sessions.
func (l *Ledger) at(budgets float64) float32 {
	x := budgets / curveStep
	i := min(int(x), curvePoints-2)
	return min(l.curve[i]+(l.curve[i+1]-l.curve[i])*float32(x-float64(i)), l.even)
}

// note keeps a triplet of today and counts an alert once.
func (l *Ledger) note(key uint64, quarter int32, score float32, alert bool) {
	d := &l.today
	at := d.find(key)
	if d.index[at] == 0 {
		if len(d.Entries) == cap(d.Entries) {
			l.thin()
			at = d.find(key)
		}
		d.Entries = append(d.Entries, ledgerEntry{Key: key, Score: score, Quarter: quarter})
		d.index[at] = int32(len(d.Entries))
	}
	e := &d.Entries[d.index[at]-1]
	e.Score = min(e.Score, score)
	if alert && !e.Alert {
		e.Alert = true
		if d.Alerts++; float64(d.Alerts) >= l.allowance(quarter) {
			l.spare = l.spare[:0]
			for i := range d.Entries {
				l.spare = append(l.spare, d.Entries[i].Score)
			}
			slices.Sort(l.spare)
			d.Lowest = l.spare[min(int(l.perDay*leastPace), len(l.spare)-1)]
		}
	}
}

// ledgerSeed makes the order of collisions in the index unknown to whoever picks the names.
var ledgerSeed = maphash.MakeSeed()

// find returns where in the index a key is, or would be.
func (d *ledgerToday) find(key uint64) int {
	mask := len(d.index) - 1
	i := int(maphash.Comparable(ledgerSeed, key)>>32) & mask
	for d.index[i] != 0 && d.Entries[d.index[i]-1].Key != key {
		i = (i + 1) & mask
	}
	return i
}

func (d *ledgerToday) reindex() {
	clear(d.index)
	for i := range d.Entries {
		d.index[d.find(d.Entries[i].Key)] = int32(i + 1)
	}
}

// thin lets the higher half of today's triplets go, and all like them from now on.
func (l *Ledger) thin() {
	d := &l.today
	slices.SortFunc(d.Entries, func(a, b ledgerEntry) int { return cmp.Compare(a.Score, b.Score) })
	half := len(d.Entries) / 2
	d.Watch = d.Entries[half].Score
	d.Entries = d.Entries[:half]
	d.reindex()
	l.setGate()
}

// turn ends today and begins another day.
func (l *Ledger) turn(time int64) {
	d := &l.today
	if d.Day > 0 && d.Whole {
		slices.SortFunc(d.Entries, func(a, b ledgerEntry) int { return cmp.Compare(a.Score, b.Score) })
		var over ledgerDay
		if len(l.past) == ledgerDays { // its memory serves again
			over = l.past[0]
			over.Scores, over.Quarters = over.Scores[:0], [quartersOfDay]uint32{}
			copy(l.past, l.past[1:])
			l.past = l.past[:ledgerDays-1]
		}
		for _, e := range d.Entries {
			over.Scores = append(over.Scores, e.Score)
			over.Quarters[e.Quarter]++
		}
		l.past = append(l.past, over)
	}
	d.Whole, d.Since = d.Day > 0, 0
	if !d.Whole {
		d.Since = quarterOf(time)
	}
	d.late = 0
	d.Day, d.Alerts, d.Watch, d.Lowest, d.Entries = time/1e9/secondsOfDay, 0, 1, 1, d.Entries[:0]
	clear(d.index)
	l.plan()
}

// plan computes curve and after anew.
func (l *Ledger) plan() {
	defer l.setGate()
	for i := range l.after {
		l.after[i] = 1 - float32(i)/quartersOfDay
	}
	days := l.busy()
	l.known = len(days)
	if len(days) == 0 {
		l.curve = l.prior
		l.threshold.Store(math.Float32bits(l.at(1)))
		return
	}
	var at [ledgerDays]float32
	for i := range l.curve {
		for j, d := range days {
			at[j] = d.rank(l.perDay * float64(i) * curveStep)
		}
		l.curve[i] = median(at[:len(days)])
	}
	var quarters [quartersOfDay]float32
	var all, before float32
	for _, d := range days {
		for i, n := range d.Quarters {
			quarters[i] += float32(n)
			all += float32(n)
		}
	}
	for i := range l.after {
		l.after[i] = 1 - before/all
		before += quarters[i]
	}
	l.threshold.Store(math.Float32bits(l.at(1)))
}

// busy returns the days on which as much happened as on a working day.
func (l *Ledger) busy() []ledgerDay {
	sizes := make([]int, 0, ledgerDays)
	for _, d := range l.past {
		sizes = append(sizes, len(d.Scores))
	}
	if len(sizes) == 0 {
		return nil
	}
	slices.Sort(sizes)
	least := max(1, sizes[(len(sizes)-1)*3/4]/2)
	var days []ledgerDay
	for _, d := range l.past {
		if len(d.Scores) >= least {
			days = append(days, d)
		}
	}
	return days
}

// rank is the score below which n triplets of the day lie, between two of them in between.
func (d *ledgerDay) rank(n float64) float32 {
	last := len(d.Scores) - 1
	i := min(int(n), last)
	a, b := d.Scores[i], d.Scores[min(i+1, last)]
	return a + (b-a)*float32(min(n-float64(i), 1))
}

func median(x []float32) float32 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

func (l *Ledger) setGate() {
	gate := min(l.curve[curvePoints-1], l.even)
	if l.follows() {
		gate = max(gate, l.today.Watch)
	}
	l.gate.Store(math.Float32bits(gate))
}

// tripletHash tells today's triplets apart; it is the same after a restart (FNV-1a), so the index does not go by it.
// Whoever finds a collision is counted once instead of twice, and flagged all the same.
func tripletHash(e *graphbuf.Event) uint64 {
	h := fnvStart
	for _, name := range [][]byte{e.Source, e.Relation, e.Destination} {
		h = fnv1a(h, name)
		h = fnv1a(h, "\xff") // no name in UTF-8 has this byte
	}
	return h ^ h>>29
}

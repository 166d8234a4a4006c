// Package budget holds alerts to a number a day: AlertBudget turns the scores of events into a threshold
// that follows the days before. It takes scores and knows no model.
package budget

import (
	"math"
	"sync"
	"sync/atomic"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/ranking"
)

// AlertBudget holds a threshold to a number of alerts a day. An alert is a triplet that scored
// low on that day, however often.
//
// No training can know what scores will look like tomorrow: the held-out sessions may be those of
// a weekend, a new model puts its scores elsewhere, and where many scores are alike a small shift makes a
// hundred alerts. So the budget keeps the lowest scores of the last days as they were given. Its threshold
// is the median, over those days, of the score below which as many triplets lay as the budget allows. With a budget of
// less than one alert a day, it is a score that only some days go below: of 0.2, about one day in five. Days of
// little activity, such as weekends, do not count; the day of a scan, or of an upgrade everywhere, is one
// among ten.
//
// Within a day the budget is paced. What is left of it is spread over what is left of the day, by the hours
// at which low scores usually come, but at most at mostPace of the usual rate, so that a quiet day does not
// flag usual sessions; below one alert a day, when most days spend nothing, at less than mostPace. Once the budget is
// spent, a triplet is still an alert if its score is among the lowest leastPace of a budget, both on a usual day and
// today; but no day has more alerts than two budgets, or three if that is more.
//
// Until settledDays are known, the threshold comes from the training's held-out triplets, of which there are
// few, or from days that need not be like this one, such as those of a weekend. Until then the budget is handed
// out evenly, and no more than the budget and a leastPace of it is spent in a day, whatever the scores are.
//
// Once enough days are known, new sources together spend at most a newShare of a day's budget, and a leastPace more by what
// is among the lowest scores: a host that the internet reaches has more of them than anybody reads, and yet the
// strangest of them may be the one who gets in.
//
// A source spends at most a sourceShare of a day's budget, so that one host that does much on a day, or whose tools
// change their names with each session, does not silence the others. Its further triplets are no alerts. Once enough
// days are known, one that scores farBelow its lowest alert so far is one all the same: an intruder may come to a host
// that has spent its share on something else. A score that is merely lower is not enough, since those of such a host
// fall from session to session. The same holds for what new sources spend together. Each of them but the first has no
// more than a sourceShare of what is left of that, so that a few do not spend it all.
//
// Of a day no more of a source, or of new sources, is kept than may be alerts. Otherwise a noisy host would fill all days,
// and then the threshold would be that of its scores.
//
// An AlertBudget is safe for many goroutines.
type AlertBudget struct {
	perDay float64
	share  int32 // alerts that a source has a day, at most
	depth  int   // lowest triplets kept of a day

	// Until the day is over, a score at or above gate is neither an alert nor worth keeping: no need for the lock.
	gate      atomic.Uint32 // float32 bits
	day       atomic.Int64  // today.Day; without an end where no days are followed
	threshold atomic.Uint32 // float32 bits, as of the last low score
	settled   atomic.Bool   // history.settled

	mu      sync.Mutex
	history history
	today   today
	left    int // days of a state that serve a smaller budget alone
}

const (
	leastPace   = 0.25
	mostPace    = 3
	sourceShare = 0.25
	newShare    = 0.5
	farBelow    = 0.1 // of the lowest alert's score: below that, another alert is worth it
	lateScores  = 64  // this many scores in a row of days long past are an archive with days of its own, not late records

	// Max is the largest budget that is followed. Beyond it nobody reads alerts one by one, and the lowest
	// scores would take more memory than the graph. The threshold is then that of the held-out triplets.
	Max = 10_000

	secondsOfDay = 24 * 3600
	lastDay      = math.MaxInt64 / 1_000_000_000 / secondsOfDay // whose beginning is a time

	// A day has scoresOf each alert of a budget, and leastDepth at least: the median of many days is only as good as their
	// ranks.
	scoresOf   = 8
	leastDepth = 256
	mostDepth  = scoresOf * Max
)

// New returns an empty budget of so many alerts a day.
func New(perDay float64) *AlertBudget {
	share := int32(max(1, min(perDay, Max)*sourceShare))
	l := &AlertBudget{perDay: perDay, share: share, history: history{perDay: perDay, even: 1}}
	if l.follows() {
		l.depth = max(leastDepth, int(scoresOf*perDay))
	}
	l.today = newToday(l.depth)
	l.today.ofSource = share
	l.recompute()
	return l
}

// follows tells whether the days correct the threshold at all.
func (l *AlertBudget) follows() bool { return l.perDay <= Max }

// Follow takes the held-out scores of the model that gives the scores from now on.
func (l *AlertBudget) Follow(h ranking.HeldOut) {
	prior := curveOf(h, l.perDay) // takes a while, and records wait for the lock
	l.mu.Lock()
	defer l.mu.Unlock()
	l.history.prior, l.history.even = prior, 1
	if h.Even > 0 {
		l.history.even = h.Even
	}
	l.recompute()
}

// Threshold returns the score below which the next triplet would be an alert, as of the last low score.
func (l *AlertBudget) Threshold() float32 { return math.Float32frombits(l.threshold.Load()) }

// Usual returns the threshold at the usual pace, for scores that are looked at out of their time.
func (l *AlertBudget) Usual() float32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.history.scoreAt(1)
}

// Rate returns how many distinct triplets of a usual day had a score or a lower one when they came, on average of the
// last days; of one source, and of new sources together, no more than may be alerts. It is not known, NaN, before enough
// days are, and for scores that are no alerts at any time of the day. Rate does not allocate.
func (l *AlertBudget) Rate(score float32) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follows() || !l.history.settled() || score >= l.history.highest() {
		return math.NaN()
	}
	return l.history.rate(score)
}

// Spender is who spends an alert of a budget.
type Spender struct {
	Name []byte // of the event's source, or of what stands for many of them; nil: the source
	New  bool   // it, or where it goes, is known for less than a day: for short, a new source
}

// Settled tells whether enough days are known to go by.
func (l *AlertBudget) Settled() bool { return l.settled.Load() }

// Low tells whether an event with the given score is an alert, and records it. The event's time is taken as
// true. Scores of an earlier day count for the current one. Low does not allocate, except for a few small
// pieces when a day begins.
func (l *AlertBudget) Low(e *graphbuf.Event, by Spender, score float32) bool {
	low, _ := l.judge(e, by, score, true)
	return low
}

// First is Low, but true only for the first alert of the event's triplet on a day, also after a restart.
func (l *AlertBudget) First(e *graphbuf.Event, by Spender, score float32) bool {
	_, counted := l.judge(e, by, score, true)
	return counted
}

// Record records an event that is no alert whatever its score, so that the days to come know what was usual.
func (l *AlertBudget) Record(e *graphbuf.Event, by Spender, score float32) {
	l.judge(e, by, score, false)
}

// judge tells whether the score of an event that may be an alert is low, and whether the alert is the triplet's first
// today. A budget too large to be followed does not know the second.
func (l *AlertBudget) judge(e *graphbuf.Event, by Spender, score float32, may bool) (low, counted bool) {
	if l.Ignores(e.Time, score) {
		return false, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follows() {
		low = score < l.history.scoreAt(1)
		return low, low
	}
	l.observeDay(e.Time)
	quarter := l.today.quarter(e.Time)
	l.today.latest = max(l.today.latest, quarter)
	threshold := l.thresholdAt(quarter)
	l.threshold.Store(math.Float32bits(threshold))
	low = may && score < threshold
	if !low && score >= l.today.Watch {
		return false, false
	}
	key := tripletKey(e)
	if !low && l.today.again(key, score) {
		return false, false
	}
	source := by.key(e)
	beyond := false
	if low {
		low, beyond = l.affords(key, source, by.New, score)
	}
	if low || score < l.today.Watch {
		counted = l.today.record(entry{Key: key, Score: score, Quarter: quarter, Source: source, New: by.New}, low)
		switch {
		case counted && beyond:
			l.today.Beyond++
		case counted:
			l.today.Alerts++
		}
		if counted && (float64(l.today.Alerts) >= l.allowance(quarter) || l.strangersSpent()) {
			l.today.Lowest = l.today.scoreAtRank(int(l.perDay * leastPace))
		}
		if l.today.refused >= l.depth && l.history.settled() {
			// In a scan, records would take the lock all day to be refused: what can be no alert is not looked at any more.
			l.today.Watch = min(l.today.Watch, l.history.highest())
		}
		l.setGate()
	}
	return low, counted
}

// Ignores tells, without the lock, that a score at a time, unix nanoseconds, is neither an alert nor worth recording.
// None is ignored that begins a day: after a day of many low scores the gate is low, and only the next day opens it.
func (l *AlertBudget) Ignores(time int64, score float32) bool {
	day := l.day.Load() // before the gate, which is stored first
	return score >= math.Float32frombits(l.gate.Load()) && dayOf(time) <= day
}

// affords tells whether a triplet of a source may be an alert: it is one already, or neither the share of the source is
// spent nor, if that is new, what new sources have together. A score farBelow all that the
// share was spent on is an alert too; beyond says so: it spends nothing of the day's budget.
func (l *AlertBudget) affords(key, source uint64, isNew bool, score float32) (may, beyond bool) {
	d := &l.today
	if d.isAlert(key) {
		return true, false
	}
	own, most := d.shares.of(source), float64(l.share)
	if isNew && l.history.settled() {
		left := float64(d.ofNewSources - d.strangers.alerts)
		if left <= 0 || l.strangersSpent() && score >= l.lowest() {
			may = d.strangers.isFarBelow(score)
			return may, may
		}
		if d.strangers.alerts > own.alerts { // others have some, too
			most = min(most, left*sourceShare)
		}
	}
	if float64(own.alerts) < most {
		return true, false
	}
	may = l.history.settled() && own.isFarBelow(score)
	return may, may
}

// strangersSpent tells whether new sources have spent what is theirs of a day, whatever they score. Before enough days are
// known, when all sources are new, they have all of it.
func (l *AlertBudget) strangersSpent() bool {
	return l.history.settled() && float64(l.today.strangers.alerts) >= max(1, l.perDay*newShare)
}

// lowest returns the score below which a leastPace of a budget lies, both on a usual day and today.
func (l *AlertBudget) lowest() float32 { return min(l.history.scoreAt(leastPace), l.today.Lowest) }

// WouldBeLow returns what Low would say of an event, without recording it. It begins a day as Reach does.
func (l *AlertBudget) WouldBeLow(e *graphbuf.Event, by Spender, score float32) bool {
	if l.Ignores(e.Time, score) {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.follows() {
		return score < l.history.scoreAt(1)
	}
	if dayOf(e.Time) > l.today.Day {
		l.startDay(e.Time)
	}
	if score >= l.thresholdAt(l.today.quarter(e.Time)) {
		return false
	}
	low, _ := l.affords(tripletKey(e), by.key(e), by.New, score)
	return low
}

// Reach says that a time, in unix nanoseconds, is reached: what comes of days long before it is old.
func (l *AlertBudget) Reach(time int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch day := dayOf(time); {
	case !l.follows():
	case day > l.today.Day:
		l.startDay(time)
	case day == l.today.Day:
		l.today.latest = max(l.today.latest, quarterOf(time))
	}
}

// dayOf returns the day of a time in unix nanoseconds, counted from 1970.
func dayOf(time int64) int64 { return time / 1e9 / secondsOfDay }

// quarterOf returns the quarter of an hour, within its day, of a time in unix nanoseconds.
func quarterOf(time int64) int32 {
	return int32(time / 1e9 % secondsOfDay / (secondsOfDay / quartersOfDay))
}

// observeDay begins a day when its first event comes. The number of the day only goes up, and what was spent of a day
// stays spent. After a clock that was far ahead, or while an archive is read, that day may not end for long. Then many
// low scores in a row of days long past make their own midnights end the day.
func (l *AlertBudget) observeDay(time int64) {
	day, d := dayOf(time), &l.today
	switch {
	case day > d.Day:
		l.startDay(time)
	case day < d.Day-1:
		if d.late++; d.late >= lateScores {
			d.Whole = false // the days of an archive do not tell what is usual now
		}
		if day > d.past && d.late > lateScores {
			late := d.late
			l.startDay(d.Day * secondsOfDay * 1e9)
			d.late, d.Whole = late, false
		}
		if d.late == 1 || day > d.past {
			d.past = day
		}
	default:
		d.late = 0
	}
}

// startDay ends the current day and begins the one in which a time lies, unix nanoseconds.
func (l *AlertBudget) startDay(time int64) {
	if d := &l.today; d.Day > 0 && d.Whole {
		d.dropGone()
		d.sort()
		l.history.add(d.Entries)
	}
	l.today.begin(time)
	l.recompute()
}

// recompute brings history, threshold and gate up to date.
func (l *AlertBudget) recompute() {
	l.history.recompute()
	l.settled.Store(l.history.settled())
	l.today.ofNewSources = math.MaxInt32
	if l.history.settled() {
		l.today.ofNewSources = int32(max(1, min(l.perDay, Max)*(newShare+leastPace)))
	}
	l.threshold.Store(math.Float32bits(l.history.scoreAt(1)))
	l.setGate()
}

// thresholdAt returns the score below which a triplet is an alert at a time of the day.
func (l *AlertBudget) thresholdAt(quarter int32) float32 {
	threshold := l.history.scoreAt(l.pace(quarter))
	over := float64(l.today.Alerts) - l.allowance(quarter)
	if over >= max(1, l.perDay) || over+float64(l.today.Beyond) >= max(2, l.perDay) {
		// Scores may fall all day: those of one source that goes from host to host, or changes its client each time.
		return 0
	}
	switch {
	case over < 0:
		return threshold
	case over >= leastPace*l.perDay && !l.history.settled():
		// The scores of new sources fall as a young graph ages, and with each of the first trainings: any of them would
		// be the lowest of the day.
		return 0
	}
	return min(threshold, l.today.Lowest)
}

// pace returns for how many budgets a day the threshold stands at a time of the day.
func (l *AlertBudget) pace(quarter int32) float64 {
	after := &l.history.after
	left := float64(after[l.today.Since]) - float64(l.today.Alerts)/l.perDay
	return min(max(left/max(float64(after[quarter]), 1e-3), leastPace), min(1+(mostPace-1)*l.perDay, mostPace))
}

// allowance returns how many alerts of today's budget may be spent by a time of the day. A day that is watched in
// part has a part of the budget. In the first days the budget is handed out as the day goes by, a leastPace of it
// ahead.
func (l *AlertBudget) allowance(quarter int32) float64 {
	today := float64(l.history.after[l.today.Since])
	if l.history.settled() {
		return l.perDay * today
	}
	return l.perDay * min(today, today-float64(l.history.after[quarter])+leastPace)
}

func (l *AlertBudget) setGate() {
	gate, day := l.history.highest(), int64(math.MaxInt64)
	if l.follows() {
		gate, day = max(gate, l.today.Watch), l.today.Day
	}
	l.gate.Store(math.Float32bits(gate))
	l.day.Store(day)
}

package filter

import (
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/evidence"
)

const (
	// ScoreBins are the bins of Scores, equal ones from 0 to 1.
	ScoreBins = 50
	// WatchHours are how far back Hours reach.
	WatchHours = 14 * 24

	recentLow = 1000 // sessions
	longName  = 256  // bytes; the graph keeps no more of a name
)

// Low is a session with a low score.
type Low struct {
	Source, Relation, Destination, Reason string
	Evidence                              string // for people; "" without Explain
	Score                                 float64
	Time                                  int64 // event time, unix nanoseconds
}

// Hour counts the sessions with a score that came in an hour, by the clock of the machine.
type Hour struct {
	Hour             int64 // hours since 1970
	LowScore, Scored uint64
}

// Watched is what the live page shows of the records: the distribution of scores, and the last low ones.
type Watched struct {
	Low, Other [ScoreBins]uint64 // sessions by score
	Hours      []Hour            // those with sessions in the last WatchHours, in order
	Recent     []Low             // the last with a low score, the newest first
}

// watch gathers that. All its memory is there from the start: the record path does not allocate.
type watch struct {
	mu         sync.Mutex // guards all below; held for one low score, one chunk's tally, or one copy
	low, other [ScoreBins]uint64
	hours      [WatchHours]Hour
	recent     []lowSession // a ring
	next       uint64       // of the ring, ever growing
}

type lowSession struct {
	names    [3][]byte
	reason   string
	score    float64
	time     int64
	evidence evidence.Evidence
}

func newWatch() *watch {
	w := &watch{recent: make([]lowSession, recentLow)}
	for i := range w.recent {
		for j := range w.recent[i].names {
			w.recent[i].names[j] = make([]byte, 0, longName)
		}
	}
	return w
}

// tally is what one chunk adds to a watch: sessions by score.
type tally struct{ low, other [ScoreBins]uint32 }

func (t *tally) add(score float64, low bool) {
	i := min(max(int(score*ScoreBins), 0), ScoreBins-1)
	if low {
		t.low[i]++
	} else {
		t.other[i]++
	}
}

// lowScore keeps a session with a low score in place of the oldest.
func (w *watch) lowScore(e *graphbuf.Event, d *decision, of *evidence.Evidence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := &w.recent[w.next%recentLow]
	w.next++
	for i, name := range [][]byte{e.Source, e.Relation, e.Destination} {
		s.names[i] = append(s.names[i][:0], name[:min(len(name), longName)]...)
	}
	s.reason, s.score, s.time, s.evidence = d.reason, d.score, e.Time, *of
}

// merge adds a chunk's tally and empties it.
func (w *watch) merge(t *tally, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := &w.hours[now.Unix()/3600%WatchHours]
	if hour := now.Unix() / 3600; h.Hour != hour {
		*h = Hour{Hour: hour}
	}
	for i := range t.low {
		w.low[i] += uint64(t.low[i])
		w.other[i] += uint64(t.other[i])
		h.LowScore += uint64(t.low[i])
		h.Scored += uint64(t.low[i] + t.other[i])
	}
	*t = tally{}
}

// Watched returns what was gathered; nil unless metrics.listen is set.
func (f *Instance) Watched() *Watched {
	if f.path.watch == nil {
		return nil
	}
	out, found := f.path.watch.copy()
	if f.cfg.Explain {
		for i := range found { // without the lock, for which records may wait
			out.Recent[i].Evidence = found[i].String()
		}
	}
	return out
}

// copy returns what was gathered, and the evidence for the recent low scores.
func (w *watch) copy() (*Watched, []evidence.Evidence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &Watched{Low: w.low, Other: w.other}
	newest := time.Now().Unix() / 3600
	for hour := newest - WatchHours + 1; hour <= newest; hour++ {
		if h := w.hours[hour%WatchHours]; h.Hour == hour {
			out.Hours = append(out.Hours, h)
		}
	}
	var found []evidence.Evidence
	for i := range min(w.next, recentLow) {
		s := &w.recent[(w.next-1-i)%recentLow]
		out.Recent = append(out.Recent, Low{
			Source: string(s.names[0]), Relation: string(s.names[1]), Destination: string(s.names[2]),
			Reason: s.reason, Score: s.score, Time: s.time,
		})
		found = append(found, s.evidence)
	}
	return out, found
}

package filter

import (
	"math"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/report"
)

// WatchHours are how far back Hours reach.
const WatchHours = 14 * 24

// Session is a session that the page tells of by itself.
type Session struct {
	Source, Relation, Destination, Reason string
	Evidence                              string  // for people; "" without Explain
	Score                                 float64 // NaN: none
	Low                                   bool
	Time                                  int64 // event time, unix nanoseconds
	// Of the source, where odd sessions of it are known: its points, and the triplets that they come from.
	Risk     float64
	Triplets int
}

// Hour counts the sessions with a score that came in an hour, by the clock of the machine.
type Hour struct {
	Hour             int64 // hours since 1970
	LowScore, Scored uint64
}

// Watched is what the live page shows of the records: the distribution of scores, the last low ones, and the sources
// that were reported.
type Watched struct {
	Low, Other [report.Bins]uint64 // sessions by score
	Hours      []Hour              // those with sessions in the last WatchHours, in order
	Recent     []Session           // the last with a low score, the newest first
	Alerts     []Session           // the last at which a source was reported, the newest first
}

// watch gathers that. All its memory is there from the start: the record path does not allocate.
type watch struct {
	mu         sync.Mutex // guards all below; held for one low score, one chunk's tally, or one copy
	low, other [report.Bins]uint64
	hours      [WatchHours]Hour
	recent     sessionRing
	alerts     sessionRing
}

// sessionRing keeps the last sessions of many.
type sessionRing struct {
	list []watchedSession
	next uint64 // ever growing
}

type watchedSession struct {
	names    [3][]byte
	decision decision
	time     int64
	evidence evidence.Evidence
}

func newWatch() *watch {
	return &watch{recent: newSessionRing(report.MaxLows), alerts: newSessionRing(report.MaxAlerts)}
}

func newSessionRing(n int) sessionRing {
	r := sessionRing{list: make([]watchedSession, n)}
	for i := range r.list {
		for j := range r.list[i].names {
			r.list[i].names[j] = make([]byte, 0, graphbuf.MaxName)
		}
	}
	return r
}

// tally is what one chunk adds to a watch: sessions by score.
type tally struct{ low, other [report.Bins]uint32 }

func (t *tally) add(score float64, low bool) {
	i := min(max(int(score*report.Bins), 0), report.Bins-1)
	if low {
		t.low[i]++
	} else {
		t.other[i]++
	}
}

// session keeps a session that has a low score, or at which its source is reported. Without a model it has no score.
func (w *watch) session(e *graphbuf.Event, d decision, scored bool, of *evidence.Evidence) {
	if !scored {
		d.score = math.NaN()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.low {
		w.recent.add(e, d, of)
	}
	if d.report {
		w.alerts.add(e, d, of)
	}
}

// add keeps a session in place of the oldest.
func (r *sessionRing) add(e *graphbuf.Event, d decision, of *evidence.Evidence) {
	s := &r.list[r.next%uint64(len(r.list))]
	r.next++
	for i, name := range [][]byte{e.Source, e.Relation, e.Destination} {
		s.names[i] = append(s.names[i][:0], name[:min(len(name), graphbuf.MaxName)]...)
	}
	s.decision, s.time, s.evidence = d, e.Time, *of
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
	out, found := f.path.watch.copy(time.Now())
	if f.cfg.Explain { // without the lock, for which records may wait
		for i := range found {
			if i < len(out.Recent) {
				out.Recent[i].Evidence = found[i].String()
			} else {
				out.Alerts[i-len(out.Recent)].Evidence = found[i].String()
			}
		}
	}
	return out
}

// copy returns what was gathered, and the evidence for the recent low scores, then that for the alerts.
func (w *watch) copy(now time.Time) (*Watched, []evidence.Evidence) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := &Watched{Low: w.low, Other: w.other}
	newest := now.Unix() / 3600
	for hour := max(newest-WatchHours+1, 0); hour <= newest; hour++ {
		if h := w.hours[hour%WatchHours]; h.Hour == hour {
			out.Hours = append(out.Hours, h)
		}
	}
	var found []evidence.Evidence
	out.Recent, found = w.recent.copy(found)
	out.Alerts, found = w.alerts.copy(found)
	return out, found
}

// copy returns the sessions, the newest first, and appends their evidence to found.
func (r *sessionRing) copy(found []evidence.Evidence) ([]Session, []evidence.Evidence) {
	var out []Session
	n := uint64(len(r.list))
	for i := range min(r.next, n) {
		s := &r.list[(r.next-1-i)%n]
		out = append(out, Session{
			Source: string(s.names[0]), Relation: string(s.names[1]), Destination: string(s.names[2]),
			Reason: s.decision.reason, Score: s.decision.score, Low: s.decision.low, Time: s.time,
			Risk: float64(s.decision.pooled.Risk), Triplets: s.decision.pooled.Triplets,
		})
		found = append(found, s.evidence)
	}
	return out, found
}

package filter

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/outage"
)

// source has the graph take in what other agents saw, from a search server that has the records of all. In a live
// filter a goroutine of its own pulls, at the start and as often as trainings come, and a training waits for the pull
// before it; records wait for nothing. While the server fails the graph of this agent's own records serves, and no
// training waits.
type source struct {
	*common
	clock      *clock
	allow      *allowList
	unanswered *unanswered     // takes the low scores that other agents gave; nil: all is learned
	from       *elastic.Source // nil: graph.source is not set, or unfit
	unfit      error           // what is wrong with the settings of a source that nobody may ever ask
	every      time.Duration   // between two pulls
	slowLogged bool            // of the upkeep
	lowSince   int64           // up to when low scores were asked for, unix nanoseconds; 0: not yet
	noLowSaid  bool            // that the index has no low scores

	mu      sync.Mutex // guards all below
	status  SourceStatus
	pulling bool
	next    time.Time     // of the next pull
	began   time.Time     // the pull under way did
	awaited awaited       // of the pull under way
	outage  outage.Outage // while pulls fail
}

// SourceStatus is what was read from a search server.
type SourceStatus struct {
	Index     string                  `json:"index"`     // where, without user and password
	LastPull  *time.Time              `json:"last_pull"` // that succeeded; nil: none since the start
	Seconds   float64                 `json:"seconds"`   // that it took
	Pulls     uint64                  `json:"pulls"`     // that succeeded
	Buckets   uint64                  `json:"buckets"`   // read by all of them, of a triplet and a stretch of time
	Documents uint64                  `json:"documents"` // that the server counted for them
	Added     uint64                  `json:"added"`     // events that this agent did not see itself
	Bytes     uint64                  `json:"bytes"`     // of answers, decompressed
	Errors    map[elastic.Kind]uint64 `json:"errors"`    // pulls that failed
	Problem   string                  `json:"problem,omitempty"`
}

const (
	// usualPull is the time between two pulls where no trainings come.
	usualPull = 10 * time.Minute
	// sourceInterval is how often the goroutine looks whether a pull is due.
	sourceInterval = 200 * time.Millisecond
)

func (s *source) init(c *common, clock *clock, allow *allowList, unanswered *unanswered) error {
	s.common, s.clock, s.allow, s.unanswered = c, clock, allow, unanswered
	g := c.cfg.Graph
	if g.Source == "" || c.frozen {
		return nil
	}
	var err error
	s.from, err = elastic.New(elastic.Config{URL: g.Source, Credentials: g.SourceCredentials, Authorities: g.SourceCA, Query: g.SourceQuery,
		Fields: c.cfg.Fields, Window: g.Window, Live: c.live, LowScore: s.lowScore()})
	if err != nil {
		s.unfit = fmt.Errorf("graph.source = %q: %w", elastic.Redact(g.Source), err)
		if c.live {
			return s.unfit
		}
		return nil
	}
	if s.from.InClear() {
		s.warn(Warning{What: fmt.Sprintf("graph.source: user and password, or the key, cross the network in the clear to %s", s.from), Remedy: "want https"})
	}
	s.every = c.cfg.Train.Interval
	if s.every <= 0 {
		s.every = usualPull
	}
	s.status = SourceStatus{Index: s.from.String(), Errors: map[elastic.Kind]uint64{}}
	return nil
}

// begin has an empty graph of a live filter take in records of the last hour that come late.
func (s *source) begin() {
	if s.from != nil && s.live && s.graph.Stats().Edges == 0 {
		s.graph.BeginSlices(s.clock.now().own)
	}
}

// lateLow is how late documents with a low score may come to be asked for.
const lateLow = int64(2 * time.Hour)

// lowScore is the field of the index that has low scores, "" where they do not matter.
func (s *source) lowScore() string {
	if s.unanswered == nil {
		return ""
	}
	return s.cfg.Fields.LowScore
}

// turn pulls if that is due.
func (s *source) turn(ctx context.Context, now time.Time) {
	s.mu.Lock()
	due := !now.Before(s.next)
	if s.pulling = due; due {
		s.began, s.awaited = now, awaited{since: now}
	}
	s.mu.Unlock()
	if due {
		began := time.Now()
		_, err := s.pull(ctx, s.progressed)
		s.ended(ctx, now.Add(time.Since(began)), err)
	}
}

// pull reads what the graph has not seen. A panic, wherever it came up, is a failure like another.
func (s *source) pull(ctx context.Context, progress func(documents, of uint64)) (r elastic.Report, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = s.panicked(v)
		}
	}()
	o := elastic.Options{Now: s.clock.now().own, Progress: progress}
	if list := s.allow.table(); list.Has(allow.Bad) {
		o.Skip = func(source, relation, destination []byte, at int64) bool {
			return list.Find(allow.Bad, source, relation, destination, at) != nil
		}
	}
	if s.unanswered != nil {
		o.Low, o.LowSince = s.unanswered.addNamed, s.lowSince
	}
	r, err = s.from.Pull(ctx, s.graph, o)
	if err == nil && r.Now != 0 {
		s.lowSince = r.Now - lateLow
	}
	if r.NoLow && !s.noLowSaid {
		s.noLowSaid = true
		s.logf(LevelWarn, "train.hold: %s has no boolean field %s: what other agents gave a low score is learned at once", s.from, s.cfg.Fields.LowScore)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := &s.status
	st.Buckets, st.Documents, st.Added, st.Bytes = st.Buckets+r.Buckets, st.Documents+r.Documents, st.Added+r.Added, st.Bytes+r.Bytes
	if err == nil {
		at := time.Now().UTC().Truncate(time.Second)
		st.LastPull, st.Seconds = &at, r.Took.Seconds()
		st.Pulls++
	}
	if err == nil && (r.Whole || !s.live) {
		s.logf(LevelInfo, "graph: %s; %d documents in %d buckets, %d events new to the graph; %d requests, %d KiB, %.1f s",
			s.from, r.Documents, r.Buckets, r.Added, r.Requests, r.Bytes>>10, r.Took.Seconds())
	}
	return r, err
}

// ended notes how and when a pull ended, and logs what is new about that. The next one is due so long after the end of
// this one, not after its beginning: a pull that takes longer than that leaves a training its turn. Retries are spread, so
// that a fleet does not come back to its server all at once.
func (s *source) ended(ctx context.Context, end time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pulling = false
	if ctx.Err() != nil {
		return
	}
	st := &s.status
	if err == nil {
		s.next = end.Add(s.every)
		if n, since := s.outage.Over(); n > 0 {
			s.logf(LevelInfo, "graph.source answers again: %s, %s since %s; the graph has what other agents saw",
				s.from, outage.After(n, "failed pull"), since.UTC().Format(time.RFC3339))
			s.statusChanged.Store(true)
		}
		st.Problem = ""
		return
	}
	st.Errors[elastic.KindOf(err)]++
	warn := s.outage.Failed(end)
	pause := outage.Retry(s.outage.Failures(), s.every)
	s.next = end.Add(pause)
	st.Problem = "graph.source: " + err.Error()
	if warn {
		s.statusChanged.Store(true)
		s.logf(LevelWarn, "%s; the graph of this agent's own records serves, and the next try is in %v", st.Problem, pause.Round(time.Second))
	}
}

// problem is what is wrong with the server, "" for nothing.
func (s *source) problem() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.status.Problem == "" {
		return ""
	}
	since := "since the start"
	if at := s.status.LastPull; at != nil {
		since = "since " + at.Format(time.DateTime) + " UTC"
	}
	return fmt.Sprintf("%s; what other agents saw %s is missing from the graph", s.status.Problem, since)
}

// report is the status, nil where there is no source.
func (s *source) report() *SourceStatus {
	if s.from == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.status
	st.Errors = maps.Clone(st.Errors)
	return &st
}

// ErrNoSource is returned by Pull where the settings name no source.
var ErrNoSource = errors.New("graph.source is not set")

// Pull has the graph take in what the source has and it has not, once. progress, unless nil, is told how many documents
// were counted, of how many. It is for an instance without a background.
func (f *Instance) Pull(ctx context.Context, progress func(documents, of uint64)) (elastic.Report, error) {
	switch {
	case f.source.unfit != nil:
		return elastic.Report{}, f.source.unfit
	case f.source.from == nil:
		return elastic.Report{}, ErrNoSource
	}
	return f.source.pull(ctx, progress)
}

package filter

import (
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/risk"
	"flb-filter-rgcn/plugin/triplet"
)

// recordPath is the way of a chunk of records. Many goroutines may process chunks at a time, each in a call of its own;
// what they share is atomic or has a lock that is held for moments. Nothing on this way allocates, logs or waits for
// each record.
type recordPath struct {
	*common
	clock *clock
	judge *judge
	allow *allowList
	fit   *fit

	extractor *record.Extractor
	finder    *triplet.Finder
	streams   triplet.Streams
	keys      keys
	calls     sync.Pool // of *call

	// gate is held for reading while a batch is counted and scored, so that its graph and its scorer belong together, and
	// for writing, for moments, while a published state takes the place of both (follow.go).
	gate sync.RWMutex

	newest   atomic.Int64 // event time of the newest record so far
	counters counters
	latency  latency
	watch    *watch // nil: metrics.listen is not set
}

// counters count records since the start: see RecordCounts.
type counters struct {
	records, counted, scored, flagged, reported, allowed, denied, missing, skipped, malformed, unread atomic.Uint64
}

func (p *recordPath) init(c *common, clock *clock, judge *judge, allow *allowList, fit *fit) error {
	p.common, p.clock, p.judge, p.allow, p.fit = c, clock, judge, allow, fit
	if c.cfg.Metrics.Listen != "" {
		p.watch = newWatch()
	}
	fields := &c.cfg.Fields
	spec := record.Spec{Drop: []string{fields.Score, fields.LowScore}}
	if c.cfg.Threshold.SourcesPerDay > 0 {
		spec.Drop = append(spec.Drop, fields.SourceAlert)
	}
	if c.cfg.Explain {
		spec.Drop = append(append(spec.Drop, fields.Reason, fields.Model, fields.SourceRisk, fields.SourceTriplets), fields.Evidence[:]...)
	}
	var err error
	if p.finder, err = triplet.New(*fields, &spec); err != nil {
		return err
	}
	p.keys = newKeys(fields)
	fit.added = spec.Drop
	p.extractor, err = record.Compile(spec)
	p.calls.New = func() any { return &call{walker: p.extractor.NewWalker()} }
	return err
}

// batchSize is how many events wait until the graph sees them: its lock is taken once for them, for some 50
// microseconds at most while all are known. That is once for a usual chunk. With more, smaller batches many callers of
// an instance meet more often, and a caller that has to wait costs more than what it waits for.
const batchSize = 512

// call is what one call of process needs. Its memory is kept between calls.
type call struct {
	walker *record.Walker
	rows   triplet.Rows
	scorer *model.Scorer // of the batch; nil: no model yet
	list   *allow.Table  // of judged sessions, as it is for this call; nil: there is none
	bad    bool          // some line of the list calls sessions bad
	now    times
	newest int64 // event time of the newest record so far

	// The batch: events of the chunk in their order, and of the sessions among them what the graph gets and gives.
	batched [batchSize]batched
	names   [batchSize]triplet.Buffer
	events  [batchSize]graphbuf.Event
	refs    [batchSize]graphbuf.Ref
	denied  [batchSize]*allow.Line // the line that calls the session bad, nil for most
	records int                    // in batched
	session int                    // in events

	// Of the session that is being judged.
	evidence evidence.Evidence
	seen     graphbuf.Evidence

	totals  totals
	tally   tally      // for the watch
	example unreadTime // of the chunk, if there was one
}

// batched is an event of the batch.
type batched struct {
	extent  record.Extent
	session bool // it has a source and a destination
}

// totals are what a call adds to the counters, and what it noticed.
type totals struct {
	records, counted, scored, flagged, reported, missing, skipped, malformed, unread uint64

	timed       bool          // some record has a time of its own
	parts       triplet.Parts // that some session has
	misfit      record.Extent // the last record without a source or a destination
	overwritten record.Extent // the last record that had a field with the name of an added one
}

// process appends to dst the chunk with the fields added to every record that has a source and a destination.
func (p *recordPath) process(dst, chunk, tag []byte) (out []byte, modified bool) {
	began := time.Now()
	c := p.calls.Get().(*call)
	c.rows = p.finder.Of(&p.streams, tag)
	c.list = p.allow.table()
	c.bad = c.list.Has(allow.Bad)
	c.now, c.newest = p.clock.now(), p.newest.Load()
	c.totals = totals{}
	c.walker.Reset(chunk)
	out = dst
	for more := true; more; {
		more = p.collect(c)
		if !p.live && !p.frozen && p.graph.Stats().Events == 0 {
			if at, wrong := p.clock.wrongStart(c.events[:c.session]); wrong {
				p.graph.Begin(at)
			}
		}
		out = p.emit(out, c)
	}
	p.account(c, began, tag)
	counted := c.totals.counted
	c.walker.Reset(nil)
	c.rows, c.scorer, c.list = triplet.Rows{}, nil, nil
	p.calls.Put(c)
	p.latency.add(time.Since(began))
	if counted == 0 {
		return dst, false
	}
	return out, true
}

// collect fills the batch with the next events of the chunk and reports whether there may be more.
func (p *recordPath) collect(c *call) (more bool) {
	c.records, c.session = 0, 0
	for c.records < batchSize {
		if !c.walker.Next() {
			return false
		}
		e := c.walker.Event()
		w := &c.batched[c.records]
		w.extent, w.session = e.Extent, false
		switch e.Kind {
		case record.Log:
			w.session = p.find(c, e)
		case record.Malformed:
			c.totals.malformed++
		}
		c.records++
	}
	return true
}

// find adds the session of a record to the batch and reports whether it has one.
func (p *recordPath) find(c *call, e *record.Event) bool {
	t := &c.totals
	t.records++
	found, verdict := p.finder.Find(&c.names[c.records], &c.rows, e.Values)
	switch verdict {
	case triplet.Missing:
		t.missing++
		t.misfit = e.Extent
		return false
	case triplet.Skipped:
		t.skipped++
		return false
	}
	if c.walker.Drops(e.Extent) > 0 {
		t.overwritten = e.Extent
	}
	at := e.Time
	if found.Time > 0 {
		at = found.Time
	}
	switch {
	case e.Timed || found.Time > 0:
		t.timed = true
	case e.Unread || found.Unread:
		if t.unread++; t.unread == 1 {
			c.example.take(c.walker, &c.names[c.records])
		}
	}
	t.parts |= found.Parts
	if p.live {
		at = p.clock.believed(&c.now, at, c.newest)
	} else {
		at = p.clock.ofLog(c.now.wall, at, c.newest)
	}
	c.newest = max(c.newest, at)
	c.events[c.session] = graphbuf.Event{Source: found.Source, Relation: found.Relation, Destination: found.Destination, Time: at}
	c.denied[c.session] = nil
	if c.bad {
		c.denied[c.session] = c.list.Find(allow.Bad, found.Source, found.Relation, found.Destination, p.listTime(c, at))
	}
	c.session++
	return true
}

// listTime is the time at which a line that calls sessions bad has to hold, for a record at t. In a live filter it is
// that of alertTime, before the graph knows the record.
func (p *recordPath) listTime(c *call, t int64) int64 {
	if p.live {
		return min(c.newest, c.now.own)
	}
	return max(t, 0)
}

// emit appends the events of the batch to out, the sessions among them with the added fields, and empties the batch.
func (p *recordPath) emit(out []byte, c *call) []byte {
	p.gate.RLock()
	defer p.gate.RUnlock()
	c.scorer = p.judge.scorer.Load()
	added := p.addedFields(c.scorer)
	seen, next := 0, 0 // sessions that the graph has seen, and the session to come
	for i := range c.batched[:c.records] {
		w := &c.batched[i]
		if !w.session {
			out = append(out, c.walker.Raw(w.extent)...)
			continue
		}
		if next == seen {
			seen += p.observe(c, seen)
		}
		d := p.decide(c, next)
		if d.low {
			c.totals.flagged++
		}
		if d.report {
			c.totals.reported++
		}
		out = c.walker.AppendSpliced(out, w.extent, added+p.moreFields(c, &d))
		out = p.appendFields(out, c, &d)
		next++
	}
	c.totals.counted += uint64(c.session)
	if c.scorer != nil {
		c.totals.scored += uint64(c.session)
	}
	clear(c.events[:c.session]) // they point into the chunk
	clear(c.denied[:c.session])
	c.walker.Release()
	return out
}

// observe shows the graph the sessions of the batch from the index from on, and returns how many. It stops after the
// first session whose score needs the graph as it is then, without the sessions that follow. Sessions that a line of the
// list calls bad are only looked up, so that they leave no trace in the graph: one call is for such sessions or for
// others, and stops where the other kind begins.
func (p *recordPath) observe(c *call, from int) int {
	events, refs, denied := c.events[from:c.session], c.refs[from:c.session], c.denied[from:c.session]
	if p.frozen {
		p.graph.Look(events, refs)
		return len(events)
	}
	n := 1
	for n < len(events) && (denied[n] != nil) == (denied[0] != nil) {
		n++
	}
	events, refs = events[:n], refs[:n]
	if denied[0] != nil {
		p.graph.Look(events, refs)
		return n
	}
	if c.scorer == nil {
		p.graph.Observe(events, refs)
		return n
	}
	return p.graph.ObserveUntil(events, refs, c.scorer.Asks)
}

// decision is what is said of a session.
type decision struct {
	score  float64
	low    bool
	reason string
	report bool        // the source is reported with this session
	pooled risk.Pooled // of the source, if the session is odd
}

// explained reports whether the evidence goes with the session.
func (d *decision) explained() bool { return d.low || d.report }

// decide judges session i of the batch. The evidence for a low score, where it is asked for, is in c: to gather it
// takes some microseconds, which all other records are spared.
func (p *recordPath) decide(c *call, i int) (d decision) {
	event, ref, by := &c.events[i], &c.refs[i], c.denied[i]
	d.low = by != nil
	var score float32
	if c.scorer != nil {
		score = c.scorer.Score(p.graph, event, ref)
		d.score = round(score)
	}
	at, alertAt := event.Time, p.alertTime(c.now.own, ref)
	event.Time = alertAt
	if c.scorer != nil {
		d.low, by = p.judge.low(event, ref, c.scorer, score, c.list, by)
	}
	d.pooled, d.report = p.judge.source(event, ref, c.scorer, score, c.list, by)
	event.Time = at
	switch {
	case by != nil:
		p.countHit(by)
	case d.low:
		p.judge.unanswered.add(ref, alertAt) // whose date, in a live filter, ends no hold
	}
	d.reason = reason(ref, d.low, by)
	if d.explained() && p.cfg.Explain {
		p.gather(&c.evidence, &c.seen, event, ref, c.scorer, score)
		c.evidence.ReachedBy = p.graph.HostName(d.pooled.ReachedBy)
	}
	if p.watch != nil {
		if c.scorer != nil {
			c.tally.add(d.score, d.low)
		}
		if d.explained() {
			p.watch.session(event, d, c.scorer != nil, &c.evidence)
		}
	}
	return d
}

// alertTime is the day and time on which an alert counts: in a live filter no record can choose it.
func (p *recordPath) alertTime(own int64, ref *graphbuf.Ref) int64 {
	switch {
	case !p.live:
		return max(ref.Time, 0)
	case ref.Now == 0: // the graph has no time before its first event
		return own
	}
	return min(ref.Now, own)
}

func (p *recordPath) countHit(by *allow.Line) {
	by.Hit()
	if by.Verdict == allow.Bad {
		p.counters.denied.Add(1)
	} else {
		p.counters.allowed.Add(1)
	}
}

// account adds up what a call did, and has logged what it noticed, if that is new.
func (p *recordPath) account(c *call, began time.Time, tag []byte) {
	t := &c.totals
	if c.rows.Changed() {
		p.fit.logColumns(tag)
	}
	if p.fit.add(tag, t.records-t.skipped, t.counted, c.walker.Raw(t.misfit)) {
		p.fit.endPeriod(tag, fitPeriod)
	}
	p.judge.logUnreported(began)
	p.fit.checkParts(p.finder, t.parts, t.counted)
	if c.walker.Drops(t.overwritten) > 0 {
		p.fit.logOverwritten(tag, c.walker.Raw(t.overwritten))
	}
	if p.watch != nil {
		p.watch.merge(&c.tally, began)
	}
	for before := p.newest.Load(); before < c.newest && !p.newest.CompareAndSwap(before, c.newest); {
		before = p.newest.Load() // another call was faster
	}
	n := &p.counters
	n.records.Add(t.records)
	n.counted.Add(t.counted)
	n.scored.Add(t.scored)
	n.flagged.Add(t.flagged)
	n.reported.Add(t.reported)
	n.missing.Add(t.missing)
	n.skipped.Add(t.skipped)
	n.malformed.Add(t.malformed)
	if t.unread > 0 {
		p.fit.unreadable.note(&c.example, began)
		n.unread.Add(t.unread)
	}
	p.fit.checkTimes(t, began)
	if t.skipped > 0 && t.counted == 0 {
		p.fit.logLeftOut()
	}
}

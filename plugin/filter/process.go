package filter

import (
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/evidence"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/risk"
	"flb-filter-rgcn/plugin/triplet"
)

// keys are the added fields' names as msgpack.
type keys struct {
	score, lowScore, reason, trained        []byte
	sourceAlert, sourceRisk, sourceTriplets []byte
	evidence                                [evidence.Count][]byte
}

// scratch is what one call of Process needs, kept between calls.
type scratch struct {
	walker  *record.Walker
	waiting [batchSize]waiting
	rooms   [batchSize]triplet.Room
	events  [batchSize]graphbuf.Event // of the sessions among those that wait
	refs    [batchSize]graphbuf.Ref
	bad     [batchSize]*allow.Line // of each event the line that calls it bad, nil for most
	list    *allow.Table           // as it is for this call; nil: there is none
	// Of the session that is being judged.
	evidence evidence.Evidence
	seen     graphbuf.Evidence
	tally    tally
}

// batchSize is how many events wait until the graph sees them: its lock is taken once for them, for some 50
// microseconds at most while all are known. That is once for a usual chunk. With more, smaller batches many callers of an
// instance meet more often, and a caller that has to wait costs more than what it waits for.
const batchSize = 512

// waiting is an event of the chunk on its way.
type waiting struct {
	extent  record.Extent
	session bool // it has a source and a destination
}

// compileFields prepares the look-up of the configured fields in a record.
func (f *Instance) compileFields() error {
	c := &f.cfg.Fields
	spec := record.Spec{Drop: []string{c.Score, c.LowScore, c.SourceAlert}}
	if f.cfg.Explain {
		spec.Drop = append(append(spec.Drop, c.Reason, c.Model, c.SourceRisk, c.SourceTriplets), c.Evidence[:]...)
	}
	var err error
	if f.finder, err = triplet.New(*c, &spec); err != nil {
		return err
	}
	text := func(s string) []byte { return msgp.AppendString(nil, s) }
	f.keys = keys{score: text(c.Score), lowScore: text(c.LowScore), reason: text(c.Reason), trained: text(c.Model),
		sourceAlert: text(c.SourceAlert), sourceRisk: text(c.SourceRisk), sourceTriplets: text(c.SourceTriplets)}
	for i, name := range c.Evidence {
		f.keys.evidence[i] = text(name)
	}
	f.fields, err = record.Compile(spec)
	return err
}

func (f *Instance) newScratch() *scratch { return &scratch{walker: f.fields.NewWalker()} }

// Process is ProcessTagged for records without a tag.
func (f *Instance) Process(dst, chunk []byte) (out []byte, modified bool) {
	return f.ProcessTagged(dst, chunk, nil)
}

// ProcessTagged appends to dst the chunk with the fields added to every record that has a source
// and a destination; all other bytes are as they were. modified is false when no record
// has them, and out is dst then.
func (f *Instance) ProcessTagged(dst, chunk, tag []byte) (out []byte, modified bool) {
	s := f.scratch.Get().(*scratch)
	stream := f.finder.Of(&f.streams, tag)
	scorer := f.scorer.Load()
	began := time.Now()
	now, newest := f.clock.now(), f.newest.Load()
	s.list = f.list()
	listsBad := s.list.Has(allow.Bad)
	var timed bool
	var records, counted, scored, flagged, reported, missing, skipped, malformed uint64
	var misfit, overwritten record.Extent // the last record that was not understood, and one that had a field of the name of an added one
	out = dst
	added := f.added(scorer)
	s.walker.Reset(chunk)
	for more := true; more; {
		events, sessions := 0, 0
		for events < batchSize {
			if more = s.walker.Next(); !more {
				break
			}
			e := s.walker.Event()
			w, room := &s.waiting[events], &s.rooms[events]
			events++
			w.extent, w.session = e.Extent, false
			switch e.Kind {
			case record.Alien:
				malformed++
				continue
			case record.Marker:
				continue
			}
			records++
			found, verdict := f.finder.Find(room, stream, e.Values)
			if verdict == triplet.Missing {
				missing++
				misfit = e.Extent
				continue
			}
			if verdict == triplet.Skipped {
				skipped++
				continue
			}
			w.session = true
			if s.walker.Drops(e.Extent) > 0 {
				overwritten = e.Extent
			}
			t := e.Time
			if found.Time > 0 {
				t = found.Time
			}
			timed = timed || e.Timed || found.Time > 0
			if f.live {
				t = f.clock.believed(&now, t, newest)
			} else {
				t = f.clock.ofLog(now.wall, t, newest)
			}
			newest = max(newest, t)
			s.events[sessions] = graphbuf.Event{Source: found.Source, Relation: found.Relation, Destination: found.Destination, Time: t}
			s.bad[sessions] = nil
			if listsBad {
				s.bad[sessions] = s.list.Find(allow.Bad, found.Source, found.Relation, found.Destination, f.listTime(t, newest, now.own))
			}
			sessions++
		}
		seen, next := 0, 0
		for i := range s.waiting[:events] {
			w := &s.waiting[i]
			if !w.session {
				out = append(out, s.walker.Raw(w.extent)...)
				continue
			}
			if next == seen {
				seen += f.observe(s.events[seen:sessions], s.refs[seen:sessions], s.bad[seen:sessions], scorer)
			}
			d := f.decide(s, next, scorer, now.own)
			if d.low {
				flagged++
			}
			if d.report {
				reported++
			}
			out = s.walker.AppendSpliced(out, w.extent, added+f.moreFields(s, &d))
			out = f.appendFields(out, s, scorer, &d)
			next++
		}
		counted += uint64(sessions)
		clear(s.events[:sessions]) // they point into the chunk
		clear(s.bad[:sessions])
		s.walker.Release()
	}
	if f.fit.add(records-skipped, counted, s.walker.Raw(misfit)) {
		f.judgeFit()
	}
	f.judgeTimes(timed, counted)
	if s.walker.Drops(overwritten) > 0 {
		f.sayOverwritten()
	}
	s.walker.Reset(nil)
	s.list = nil
	if f.watch != nil {
		f.watch.merge(&s.tally, began)
	}
	f.scratch.Put(s)

	f.newest.Store(newest)

	if scorer != nil {
		scored = counted
	}
	c := &f.counters
	c.records.Add(records)
	c.counted.Add(counted)
	c.scored.Add(scored)
	c.flagged.Add(flagged)
	c.reported.Add(reported)
	c.missing.Add(missing)
	c.skipped.Add(skipped)
	c.malformed.Add(malformed)
	if skipped > 0 && counted == 0 && !f.saidLeftOut.Load() {
		f.sayLeftOut()
	}
	f.latency.add(time.Since(began))
	if counted == 0 {
		return dst, false
	}
	return out, true
}

// observe has the graph see the first of the events and some of those behind it, and returns how many. It
// sees none yet that come after one for which the scorer will ask what was before. What is bad leaves no trace in it.
func (f *Instance) observe(events []graphbuf.Event, refs []graphbuf.Ref, bad []*allow.Line, scorer *model.Scorer) int {
	if f.frozen {
		f.graph.Look(events, refs)
		return len(events)
	}
	n := 1
	for n < len(events) && (bad[n] != nil) == (bad[0] != nil) {
		n++
	}
	events, refs = events[:n], refs[:n]
	if bad[0] != nil {
		f.graph.Look(events, refs)
		return n
	}
	if scorer == nil {
		f.graph.Observe(events, refs)
		return len(events)
	}
	return f.graph.ObserveUntil(events, refs, scorer.Asks)
}

// added is how many fields a session gets, but for the evidence.
func (f *Instance) added(scorer *model.Scorer) int {
	switch {
	case !f.cfg.Explain:
		return 2
	case scorer == nil:
		return 3
	}
	return 4
}

// decision is what is said of a session.
type decision struct {
	score  float64
	low    bool
	reason string
	report bool        // the source is to be reported
	pooled risk.Pooled // what is known of the source, for a session that is odd
}

// explained tells whether the evidence goes with the session.
func (d *decision) explained() bool { return d.low || d.report }

// moreFields is how many fields a session gets beside those that all get.
func (f *Instance) moreFields(s *scratch, d *decision) (n int) {
	if d.report {
		n++
	}
	if f.cfg.Explain && d.explained() {
		n += s.evidence.Len()
		if d.pooled.Triplets > 0 {
			n += 2
		}
	}
	return n
}

// decide judges session i of those that wait. own is the filter's own time. The evidence for a low score, where it is asked for, is
// in s: to gather it takes some microseconds, which all other records are spared.
func (f *Instance) decide(s *scratch, i int, scorer *model.Scorer, own int64) (d decision) {
	event, ref, by := &s.events[i], &s.refs[i], s.bad[i]
	d.low = by != nil
	var score float32
	if scorer != nil {
		score = scorer.Score(f.graph, event, ref)
		d.score = shorten(score)
	}
	at := event.Time
	event.Time = f.alertTime(own, ref)
	if scorer != nil {
		d.low, by = f.judge(event, scorer, score, s.list, by)
	}
	d.pooled, d.report = f.judgeSource(event, scorer, score, s.list, by)
	event.Time = at
	if by != nil {
		f.countHit(by)
	}
	d.reason = reason(ref, d.low, by)
	if d.explained() && f.cfg.Explain {
		f.gather(&s.evidence, &s.seen, ref, scorer, score)
	}
	if f.watch != nil && scorer != nil {
		s.tally.add(d.score, d.low)
		if d.low {
			f.watch.lowScore(event, &d, &s.evidence)
		}
	}
	return d
}

// appendFields appends the fields of the session that was decided on last to out, as msgpack.
func (f *Instance) appendFields(out []byte, s *scratch, scorer *model.Scorer, d *decision) []byte {
	out = append(out, f.keys.score...)
	if scorer == nil {
		out = msgp.AppendNil(out)
	} else {
		out = msgp.AppendFloat64(out, d.score)
	}
	out = msgp.AppendBool(append(out, f.keys.lowScore...), d.low)
	if d.report {
		out = msgp.AppendBool(append(out, f.keys.sourceAlert...), true)
	}
	if !f.cfg.Explain {
		return out
	}
	out = msgp.AppendString(append(out, f.keys.reason...), d.reason)
	if scorer != nil {
		out = msgp.AppendString(append(out, f.keys.trained...), scorer.Model().TrainedText())
	}
	if !d.explained() {
		return out
	}
	if d.pooled.Triplets > 0 {
		out = msgp.AppendFloat64(append(out, f.keys.sourceRisk...), math.Round(float64(d.pooled.Risk)*1e3)/1e3)
		out = msgp.AppendInt(append(out, f.keys.sourceTriplets...), d.pooled.Triplets)
	}
	return s.evidence.AppendTo(out, &f.keys.evidence)
}

// shorten leaves six decimals: more would be noise, and bytes in every record.
func shorten(score float32) float64 { return math.Round(float64(score)*1e6) / 1e6 }

// rareCount is the number of earlier sights up to which a triplet is called rare.
const rareCount = 2

// newcomer is for how long all that a source does for the first time is due to its being new.
const newcomer = 24 * time.Hour

// reason tells the most telling thing about a session: the line of the list that decided on it, if one did, or what of it was
// never seen before.
func reason(r *graphbuf.Ref, low bool, by *allow.Line) string {
	c := &r.Counts
	switch {
	case by != nil && by.Verdict == allow.Bad:
		return reasonDenied
	case by != nil:
		return reasonAllowed
	case c.S == 0, c.SRD == 0 && r.Time-r.SourceSince < int64(newcomer):
		return "new_source"
	case c.D == 0:
		return "new_destination"
	case c.SD == 0:
		return "new_pair"
	case c.SRD == 0:
		return "new_relation"
	case r.Time-r.TripletSince < int64(newcomer): // three repeats within a minute make nothing usual
		return "new_today"
	case c.SRD <= rareCount || low:
		return "rare"
	}
	return "usual"
}

package filter

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/outage"
)

// trainer trains the model: on the schedule, or when it is told to.
type trainer struct {
	*common
	judge      *judge
	memory     *memory
	store      *store
	source     *source
	allow      *allowList
	follower   *follower
	publisher  *publisher
	background bool // trainings run beside records: on a thread of the lowest priority

	history  history      // it has a lock of its own
	due      atomic.Int64 // when the next training may come, Unix time in nanoseconds; 0: at once
	underWay atomic.Int64 // when the training began that runs now, unix seconds; 0: none runs
	// why the last training was put off or failed; nil: it was not
	untrained atomic.Pointer[string]

	mu       sync.Mutex // held for one training, with its saving; guards the next five
	schedule schedule
	fallback string        // why the last training was not on the card that it might have had
	smaller  string        // the last line on trainings of a smaller dimension, "" where they are not
	short    outage.Outage // while trainings are put off for want of memory
	failing  outage.Outage // while they fail

	// These two are of the goroutine that trains: see logWaiting.
	waitingLogged bool
	firstSession  time.Time
}

func (t *trainer) init(c *common, judge *judge, memory *memory, store *store, allow *allowList, follower *follower, publisher *publisher) {
	t.common, t.judge, t.memory, t.store, t.allow, t.follower, t.publisher = c, judge, memory, store, allow, follower, publisher
	t.schedule = schedule{cfg: c.cfg.Train}
}

// enterBackground binds the goroutine to a thread of the lowest priority. The goroutine ends locked, which ends the
// thread: its priority could not be raised again.
func enterBackground() {
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19) // on failure training is only less polite
}

// trainIfDue trains if the schedule says so at the given time and reports whether it tried.
func (t *trainer) trainIfDue(ctx context.Context, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.source.holds(now) {
		return false
	}
	st := t.graph.Stats()
	if !t.schedule.due(now, st, t.judge.scorer.Load() != nil) {
		return false
	}
	t.ran(now, st)
	if err := t.train(ctx, now, nil); err == nil {
		t.schedule.trained = true
	}
	return true
}

// ran notes an attempt to train.
func (t *trainer) ran(now time.Time, st graphbuf.Stats) {
	t.schedule.ran(now, st)
	t.due.Store(now.Add(t.cfg.Train.Interval).UnixNano())
}

// trainNow trains at once, whatever the schedule says. progress, unless nil, is called after each step.
func (t *trainer) trainNow(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ran(now, t.graph.Stats())
	return t.train(ctx, now, progress)
}

// train trains on the graph as it is, has the scorer used, and saves both. Whatever goes wrong, records go on being
// scored by what there was before. A panic outside of the training proper goes on; the training counts as failed.
// t.mu is held.
func (t *trainer) train(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) error {
	returned := false
	defer func() {
		if !returned {
			t.history.add(model.CPU, ResultFailed, nil, now)
		}
	}()
	err := t.attempt(ctx, now, progress)
	returned = true
	return err
}

// attempt is train, whose history has what it returns.
func (t *trainer) attempt(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) (err error) {
	t.underWay.Store(time.Now().Unix())
	defer t.underWay.Store(0)
	cfg := ModelConfig(t.cfg)
	cfg.Features = t.features
	if t.background {
		cfg.EnterThread = enterBackground
	}
	if s := t.judge.scorer.Load(); s != nil {
		cfg.Previous = s.Model()
	}
	if t.live {
		t.store.saveChanges() // a training takes more memory than anything else, and the host may be killed for it
	}
	sizes, wanted := t.graph.Sizes(), cfg
	cfg, a, giveBack, err := t.memory.reserve(sizes, cfg)
	if err != nil {
		return t.noMemory(err, now)
	}
	if n, since := t.short.Over(); n > 0 {
		t.logf(LevelInfo, "memory is enough for trainings again, %s since %s", outage.After(n, "attempt"), since.UTC().Format(time.RFC3339))
	}
	if model.TrainingBytes(sizes, cfg) > muchMemory && t.live {
		// The collector keeps what was let go for minutes, in which the process would look twice its size.
		defer debug.FreeOSMemory()
	}
	defer giveBack()
	t.memory.holdGraph(true) // within what is left now
	t.logSmaller(wanted, cfg, sizes.Edges, a)
	noted := t.judge.unanswered.noted()
	snapshot := t.graph.Snapshot()
	t.allow.leaveOutBad(snapshot)
	unlearned := 0
	cfg.Unanswered, unlearned = t.judge.unanswered.among(snapshot, noted)
	cfg.Bad = t.allow.bad()
	scorer, report, err := t.trainApart(ctx, snapshot, cfg, progress)
	t.logFallback(report.Fallback)
	switch {
	case errors.Is(err, context.Canceled):
		t.history.add(report.Device, ResultStopped, nil, now)
		t.host.Log(LevelInfo, "training stopped")
		return err
	case errors.Is(err, model.ErrTooLittle):
		return t.tooLittle(err, snapshot, report.Device, now)
	case err != nil:
		return t.failed(err, report.Device, now)
	}
	t.use(scorer, report, cfg.Previous, unlearned, now)
	return nil
}

// noMemory takes note of a training that there is not enough memory for, and returns the error to report.
func (t *trainer) noMemory(err error, now time.Time) error {
	t.history.add(model.CPU, ResultNoMemory, nil, now)
	why := "training put off: " + err.Error()
	t.note(why)
	if t.short.Failed(now) {
		t.host.Log(LevelWarn, why)
	}
	return fmt.Errorf("the training would take more memory than there is for it: %w", err)
}

// tooLittle takes note of a training for which the snapshot has too little, and returns the error with a hint at why.
func (t *trainer) tooLittle(err error, snapshot *graphbuf.Snapshot, on string, now time.Time) error {
	t.history.add(on, ResultPutOff, nil, now)
	st := t.graph.Stats()
	level, why := LevelWarn, t.outside(&st)
	if why == "" {
		why = ofOneMoment(snapshot)
	}
	if why == "" {
		level = LevelInfo
	}
	err = fmt.Errorf("%w%s", err, why)
	const kind = "training put off: "
	before := t.untrained.Load()
	t.note(kind + err.Error())
	if before == nil || !strings.HasPrefix(*before, kind+model.ErrTooLittle.Error()) { // once, and not at each attempt
		t.host.Log(level, kind+err.Error())
	}
	return err
}

// failed takes note of a training that ended in an error, and returns it.
func (t *trainer) failed(err error, on string, now time.Time) error {
	t.history.add(on, ResultFailed, nil, now)
	t.note("the last training failed: " + err.Error())
	if t.failing.Failed(now) {
		t.logf(LevelError, "training failed, the scores go on as before: %v", err)
	}
	return err
}

// use puts into use what a training made: a new model, or the previous one with the new data. Of the triplets as many as
// unlearned were held back from it.
func (t *trainer) use(scorer *model.Scorer, report model.Report, previous *model.Model, unlearned int, now time.Time) {
	if n, since := t.failing.Over(); n > 0 {
		t.logf(LevelInfo, "trainings work again, %s since %s", outage.After(n, "failure"), since.UTC().Format(time.RFC3339))
	}
	t.untrained.Store(nil)
	result, trained := ResultNew, now
	if report.Kept { // the parameters are as old as they were, whatever was tried since
		result, trained = ResultKept, previous.Trained
	}
	scorer.Model().SetTrained(trained)
	t.judge.use(scorer)
	t.history.add(report.Device, result, &report, now) // whoever reads of the training finds its model in use
	t.host.Log(LevelInfo, t.describe(report, unlearned))
	if why := scorer.Model().Weak(); why != "" {
		t.host.Log(LevelWarn, "scores are added but none counts as low: "+why)
	}
	t.store.save(scorer.Model())
	t.publisher.offer()
}

// note notes why there was no training, for those who ask.
func (t *trainer) note(why string) {
	t.untrained.Store(&why)
	t.statusChanged.Store(true)
}

// ofOneMoment is a hint where all sessions came at once: their times may lie in another field.
func ofOneMoment(s *graphbuf.Snapshot) string {
	if len(s.Edges) == 0 {
		return ""
	}
	first, last := s.Edges[0].First, s.Edges[0].Last
	for i := range s.Edges {
		first, last = min(first, s.Edges[i].First), max(last, s.Edges[i].Last)
	}
	if last-first >= int64(time.Minute) {
		return ""
	}
	return fmt.Sprintf("; all are of one moment, %s: is that the right field for the time?", time.Unix(0, first).UTC().Format(time.RFC3339))
}

// logFallback logs once why trainings are on the CPU, and again when the reason is another.
func (t *trainer) logFallback(why error) {
	text := ""
	if why != nil {
		text = why.Error()
	}
	if text != t.fallback && why != nil {
		level := LevelInfo
		if errors.Is(why, model.ErrDevice) {
			level = LevelWarn
		}
		t.host.Log(level, "training on the CPU: "+text)
	}
	t.fallback = text
}

// logSmaller logs that a training is of a smaller dimension for want of memory, and again when that changes.
func (t *trainer) logSmaller(wanted, cfg model.Config, edges int, a allowance) {
	text := ""
	if is, was := cfg.Width(edges), wanted.Width(edges); is != was {
		text = fmt.Sprintf("memory is short: trainings are of dimension %d instead of %d, which costs some sharpness", is, was)
	}
	if text != t.smaller && text != "" {
		t.logf(LevelWarn, "%s: %s; %s", text, a.by, a.remedy)
	}
	t.smaller = text
}

// trainApart runs the training proper: for a live filter on a thread of the lowest priority. Nothing else happens
// there, above all nothing under the graph's lock, which a thread that gets no processor time would hold for long.
func (t *trainer) trainApart(ctx context.Context, snapshot *graphbuf.Snapshot, cfg model.Config, progress func(step, steps int, loss float32)) (scorer *model.Scorer, report model.Report, err error) {
	report.Device = model.CPU // of a training that panics, which tells no more
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = t.panicked(r)
			}
		}()
		if t.background {
			enterBackground()
		}
		scorer, report, err = model.Train(ctx, snapshot, cfg, progress)
	}()
	<-done
	return scorer, report, err
}

// describe is a training in one line; so many triplets are not learned for their low scores.
func (t *trainer) describe(r model.Report, unlearned int) string {
	start, verdict := "cold start", ""
	if r.Warm {
		start = "warm start"
		verdict = fmt.Sprintf(" (before %.3f)", r.Previous)
		if r.Kept {
			verdict = " (the new parameters were worse, or too bad to tell low scores by; the previous ones stay)"
		}
	}
	nodes := fmt.Sprintf("%d nodes", r.Nodes)
	if t.cfg.Model.Features != "" { // none of them: the file and the records do not name hosts alike
		nodes += fmt.Sprintf(" (%d with features)", r.Featured)
	}
	loss, out := "", ""
	if r.Steps > 0 {
		loss = fmt.Sprintf("loss %.4f, ", r.Loss)
	}
	if unlearned > 0 {
		out = fmt.Sprintf("; %d triplets with a low score are not learned", unlearned)
	}
	return fmt.Sprintf("trained: %d edges, %s, %d relations; %s, %d steps in %.2f s on %s; %sheld-out AUC %.3f%s, threshold %.6f%s",
		r.Edges, nodes, r.Relations, start, r.Steps, r.Duration.Seconds(), r.Device, loss, r.Quality, verdict, r.Threshold, out)
}

package filter

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
)

// schedule says when to train: first when the graph has enough edges, then once an
// interval if enough edges are new.
type schedule struct {
	cfg      config.Train
	trained  bool
	last     time.Time // of the last training or attempt, in the clock of the caller
	newEdges uint64    // as it was then
}

func (s *schedule) due(now time.Time, st graphbuf.Stats, haveModel bool) bool {
	switch {
	case s.cfg.Interval <= 0 || st.Edges < s.cfg.MinEdges:
		return false
	case !s.last.IsZero() && now.Sub(s.last) < s.cfg.Interval:
		return false
	case s.last.IsZero() && haveModel:
		// A model came from the state directory: it serves until the first interval is over.
		s.ran(now, st)
		return false
	}
	return !s.trained || st.NewEdges-s.newEdges >= uint64(s.cfg.MinNewEdges)
}

func (s *schedule) ran(now time.Time, st graphbuf.Stats) { s.last, s.newEdges = now, st.NewEdges }

// pollInterval is how often the background goroutine looks at the schedule.
const pollInterval = 200 * time.Millisecond

// trainInBackground trains on the schedule, by the wall clock, until ctx ends.
func (f *Instance) trainInBackground(ctx context.Context) {
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			f.turn(ctx, now)
		}
	}
}

// turn looks at the schedule once. A panic, wherever it came up, ends this turn alone: it would end the host otherwise, with all
// records on their way.
func (f *Instance) turn(ctx context.Context, now time.Time) {
	defer func() {
		if v := recover(); v != nil {
			f.panicked(v, now)
		}
	}()
	f.sayTimes(false)
	f.TrainIfDue(ctx, now)
	f.sayWaiting(now)
	if f.fit.waits(now) {
		f.judgeFit()
	}
	f.refreshStatus(now)
	f.hold(now)
}

// panicPause keeps a panic that comes up in every turn from filling the log.
const panicPause = time.Minute

func (f *Instance) panicked(v any, now time.Time) {
	f.history.add(model.CPU, ResultFailed, nil, now)
	f.panicMu.Lock()
	defer f.panicMu.Unlock()
	if !f.lastPanic.IsZero() && now.Sub(f.lastPanic) < panicPause {
		return
	}
	f.lastPanic = now
	f.host.Log(LevelError, fmt.Sprintf("background: panic: %v; the scores go on by the model there is, the next training is tried on the schedule; please report this", v))
	for line := range strings.Lines(string(debug.Stack())) {
		f.host.Log(LevelDebug, strings.TrimSpace(line))
	}
}

// enterBackground binds the goroutine to a thread of the lowest priority. The goroutine
// ends locked, which ends the thread: its priority could not be raised again.
func enterBackground() {
	runtime.LockOSThread()
	unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19) // on failure training is only less polite
}

// TrainIfDue trains if the schedule says so at the given time and reports whether it tried.
func (f *Instance) TrainIfDue(ctx context.Context, now time.Time) bool {
	f.trainMu.Lock()
	defer f.trainMu.Unlock()
	st := f.graph.Stats()
	if !f.schedule.due(now, st, f.scorer.Load() != nil) {
		return false
	}
	f.ran(now, st)
	if err := f.train(ctx, now, nil); err == nil {
		f.schedule.trained = true
	}
	return true
}

// ran notes an attempt to train.
func (f *Instance) ran(now time.Time, st graphbuf.Stats) {
	f.schedule.ran(now, st)
	f.due.Store(now.Add(f.cfg.Train.Interval).UnixNano())
}

// Train trains at once, whatever the schedule says. progress, unless nil, hears of each step.
func (f *Instance) Train(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) error {
	f.trainMu.Lock()
	defer f.trainMu.Unlock()
	f.ran(now, f.graph.Stats())
	return f.train(ctx, now, progress)
}

// train trains on the graph as it is, publishes the scorer and saves both. Whatever goes
// wrong, records go on being scored by what there was before.
func (f *Instance) train(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) (err error) {
	cfg := ModelConfig(f.cfg)
	cfg.Features = f.features
	if f.done != nil {
		cfg.EnterThread = enterBackground
	}
	if s := f.scorer.Load(); s != nil {
		cfg.Previous = s.Model()
	}
	if f.live {
		f.saveChanges() // what comes next takes most of all, and might be the last that is done
	}
	sizes, wanted := f.graph.Sizes(), cfg
	cfg, a, giveBack, err := f.reserve(sizes, cfg)
	if err != nil {
		f.history.add(model.CPU, ResultNoMemory, nil, now)
		why := "training put off: " + err.Error()
		f.putOff.Store(&why)
		f.staleStatus.Store(true)
		f.host.Log(LevelWarn, why)
		return errTooLarge
	}
	f.putOff.Store(nil)
	if model.TrainingBytes(sizes, cfg) > muchMemory && f.live {
		// The collector keeps what was let go for minutes, in which the process would look twice its size.
		defer debug.FreeOSMemory()
	}
	defer giveBack()
	f.holdGraph(true) // within what is left now
	f.sayThrift(wanted, cfg, sizes.Edges, a)
	snapshot := f.graph.Snapshot()
	scorer, report, err := f.trainApart(ctx, snapshot, cfg, progress)
	f.sayFallback(report.Fallback)
	switch {
	case errors.Is(err, context.Canceled):
		f.history.add(report.Device, ResultStopped, nil, now)
		f.host.Log(LevelInfo, "training stopped")
		return err
	case errors.Is(err, model.ErrTooLittle):
		err = fmt.Errorf("%w%s", err, ofOneMoment(snapshot))
		f.history.add(report.Device, ResultPutOff, nil, now)
		f.host.Log(LevelInfo, fmt.Sprintf("training put off: %v (%d edges)", err, report.Edges))
		return err
	case err != nil:
		f.history.add(report.Device, ResultFailed, nil, now)
		f.host.Log(LevelError, fmt.Sprintf("training failed, the scores go on as before: %v", err))
		return err
	}
	result, trained := ResultNew, now
	if report.Kept { // the parameters are as old as they were, whatever was tried since
		result, trained = ResultKept, cfg.Previous.Trained
	}
	f.history.add(report.Device, result, &report, now)
	scorer.Model().SetTrained(trained)
	f.publish(scorer)
	f.host.Log(LevelInfo, f.describe(report))
	if why := scorer.Model().Weak(); why != "" {
		f.host.Log(LevelWarn, "scores are added but none counts as low: "+why)
	}
	f.save(scorer.Model())
	return nil
}

// ofOneMoment says that all sessions came at once, where they did: their times may lie in another field.
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

// sayFallback logs once why trainings are on the CPU, and again when the reason is another.
func (f *Instance) sayFallback(why error) {
	text := ""
	if why != nil {
		text = why.Error()
	}
	if text != f.fallback && why != nil {
		level := LevelInfo
		if errors.Is(why, model.ErrDevice) {
			level = LevelWarn
		}
		f.host.Log(level, "training on the CPU: "+text)
	}
	f.fallback = text
}

// trainApart runs the training proper: for a live filter on a thread of the lowest priority.
// Nothing else happens there, above all nothing under the graph's lock, which a thread that
// gets no processor time would hold for long.
func (f *Instance) trainApart(ctx context.Context, snapshot *graphbuf.Snapshot, cfg model.Config, progress func(step, steps int, loss float32)) (scorer *model.Scorer, report model.Report, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("panic: %v", r)
			}
		}()
		if f.done != nil {
			enterBackground()
		}
		scorer, report, err = model.Train(ctx, snapshot, cfg, progress)
	}()
	<-done
	return scorer, report, err
}

// describe is a training in one line.
func (f *Instance) describe(r model.Report) string {
	start, verdict := "cold start", ""
	if r.Warm {
		start = "warm start"
		verdict = fmt.Sprintf(" (before %.3f)", r.Previous)
		if r.Kept {
			verdict = " (the new parameters were worse, the previous ones stay)"
		}
	}
	nodes := fmt.Sprintf("%d nodes", r.Nodes)
	if f.features != nil { // none of them: the file and the records do not name hosts alike
		nodes += fmt.Sprintf(" (%d with features)", r.Featured)
	}
	return fmt.Sprintf("trained: %d edges, %s, %d relations; %s, %d steps in %.2f s on %s; loss %.4f, held-out AUC %.3f%s, threshold %.6f",
		r.Edges, nodes, r.Relations, start, r.Steps, r.Duration.Seconds(), r.Device, r.Loss, r.Quality, verdict, r.Threshold)
}

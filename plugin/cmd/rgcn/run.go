package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
)

// run is a filter instance and the records on their way through it: what replay, train and score have in common.
type run struct {
	settings settings
	input    input

	env      *env
	host     *host
	reading  bool // only settings of fields count
	among    bool // other runs beside it: it draws no progress, and what it tells is for debugging
	config   config.Config
	filter   *filter.Instance
	progress *progress
	began    time.Time
	records  int
	newest   time.Time // event time of the newest record so far
	out      []byte
}

func newRun(fs *flag.FlagSet) *run {
	r := &run{settings: settings{}}
	r.settings.declare(fs)
	r.input.declare(fs)
	return r
}

// newReading is newRun for a command that reads enriched records, for which only settings of fields count.
func newReading(fs *flag.FlagSet) *run {
	r := &run{settings: settings{}, reading: true}
	r.settings.declareFields(fs)
	r.input.declare(fs)
	return r
}

// check reads the settings and looks at the arguments, before anything is made.
func (r *run) check(e *env) (err error) {
	if err := r.checkSettings(e); err != nil {
		return err
	}
	return r.input.start(e, r.config.Fields)
}

// checkSettings reads the settings.
func (r *run) checkSettings(e *env) (err error) {
	r.env = e
	load := func() (config.Config, error) { return r.settings.load() }
	if r.reading {
		load = r.settings.loadFields
	}
	if r.config, err = load(); err != nil {
		return err
	}
	for _, line := range r.config.SummaryLines() {
		e.Log(filter.LevelDebug, line)
	}
	return nil
}

// start makes the instance.
func (r *run) start(make func(filter.Host) (*filter.Instance, error)) (err error) {
	r.began = time.Now()
	r.host = &host{console: r.env.console, settings: r.settings, muted: r.among}
	r.filter, err = make(r.host)
	return err
}

// each runs every chunk through the filter and hands over what comes out, which is good until use returns.
func (r *run) each(ctx context.Context, use func(chunk []byte) error) error {
	if !r.among {
		r.progress = newProgress(r.env.console, "records")
		defer r.progress.done()
	}
	return r.input.each(ctx, func(c chunk) error {
		out, modified := r.filter.Process(r.out[:0], c.data)
		r.out = out
		if !modified {
			out = c.data
		}
		r.records += c.records
		r.newest = c.newest
		if r.progress != nil {
			r.progress.update(r.records, c.share)
		}
		return use(out)
	})
}

// chunksPerInterval is the least number of chunks in a training interval. Whether a training is due is asked at the end
// of a chunk, and in a sparse log -chunk records last for days. A training that comes late delays those after it too:
// in 64 intervals by one interval at most.
const chunksPerInterval = 64

// replay is each with trainings on the filter's schedule, in event time. It returns how many gave another model.
func (r *run) replay(ctx context.Context, use func(chunk []byte) error) (trainings int, err error) {
	if every := r.config.Train.Interval; every > 0 {
		r.input.span = max(every/chunksPerInterval, time.Second)
	}
	err = r.each(ctx, func(chunk []byte) error {
		if err := use(chunk); err != nil {
			return err
		}
		before := r.filter.Scorer()
		r.filter.TrainIfDue(ctx, r.newest)
		if r.filter.Scorer() != before {
			trainings++
		}
		return ctx.Err()
	})
	return trainings, err
}

// close ends the instance, which saves what it learned.
func (r *run) close() error { return r.end(r.filter.Close) }

// abandon ends the instance of a run that failed, so that the state is as it was before and the run can be repeated.
func (r *run) abandon() error { return r.end(r.filter.Abandon) }

func (r *run) end(how func() error) error {
	r.host.muted = true // the command has a summary of its own
	err := how()
	handOver(r.config.State.Dir, r.began, r.env.Log)
	return err
}

// sumUp logs what was done, with more in the words of the command.
func (r *run) sumUp(more ...string) {
	st := r.filter.Counts()
	d := time.Since(r.began)
	parts := append([]string{fmt.Sprintf("%d records", r.records)}, more...)
	parts = append(parts, fmt.Sprintf("%d counted, %d scored, %d with a low score, %d without source or destination", st.Counted, st.Scored, st.LowScore, st.Missing))
	if st.Reported > 0 {
		parts = append(parts, fmt.Sprintf("%d with an alert about their source", st.Reported))
	}
	if st.Allowed+st.Denied > 0 {
		parts = append(parts, fmt.Sprintf("%d allowed, %d denied", st.Allowed, st.Denied))
	}
	if st.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("%d left out", st.Skipped))
	}
	if st.Malformed > 0 {
		parts = append(parts, fmt.Sprintf("%d malformed", st.Malformed))
	}
	if n := r.input.bad.Load(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d bad lines skipped", n))
	}
	parts = append(parts, fmt.Sprintf("%.1f s, %.0f records/s", d.Seconds(), rate(r.records, d)))
	r.env.Log(filter.LevelInfo, strings.Join(parts, ", "))
	if a := r.filter.Allow(); a != nil && a.Lines > 0 {
		var b bytes.Buffer
		printAllow(&b, a)
		r.env.Log(filter.LevelInfo, strings.TrimSpace(b.String()))
	}
	if r.filter.Scorer() == nil { // other problems have been logged already
		if st := r.filter.Status(); st.State == filter.StateWaiting {
			r.env.Log(filter.LevelWarn, st.Problem)
		}
	}
}

// warnOfOrder logs what the order of the records, which were scored and learned in turn, cost.
func (r *run) warnOfOrder() {
	if r.input.isBackwards() {
		r.env.Log(filter.LevelWarn, fmt.Sprintf("%d of %d records are older than the one before them: the newest come first, so that little can be learned before they are scored; "+
			"sort them by time, or name the oldest file first", r.input.earlier.Load(), r.input.timed.Load()))
	}
	if st := r.filter.Counts(); r.filter.Scorer() != nil && st.Counted > 0 && st.Scored == 0 {
		r.env.Log(filter.LevelWarn, fmt.Sprintf("none of %d sessions has a score: all came before the first training", st.Counted))
	}
}

// ended reports whether a run deserves a summary: it ended regularly or was interrupted.
func ended(err error) bool { return err == nil || errors.Is(err, context.Canceled) }

// first returns the first error that is one; the later ones mostly follow from it.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

var errNoRecords = errors.New("no records to learn from")

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

// session is a filter instance and the records on their way through it: what replay, train
// and score have in common.
type session struct {
	settings settings
	input    input

	env      *env
	host     *host
	config   config.Config
	filter   *filter.Instance
	progress *progress
	began    time.Time
	records  int
	newest   time.Time // event time of the newest record so far
	out      []byte
}

func newSession(fs *flag.FlagSet) *session {
	s := &session{settings: settings{}}
	s.settings.declare(fs)
	s.input.declare(fs)
	return s
}

// check reads the settings and looks at the arguments, before anything is made.
func (s *session) check(e *env) (err error) {
	s.env = e
	if s.config, err = s.settings.load(); err != nil {
		return err
	}
	e.Log(filter.LevelDebug, s.config.Summary())
	return s.input.start(e, s.config.Fields)
}

// start makes the instance.
func (s *session) start(make func(filter.Host) (*filter.Instance, error)) (err error) {
	s.began = time.Now()
	s.host = &host{console: s.env.console, settings: s.settings}
	s.filter, err = make(s.host)
	return err
}

// each runs every chunk through the filter and hands over what comes out, which is good until
// use returns.
func (s *session) each(ctx context.Context, use func(chunk []byte) error) error {
	s.progress = newProgress(s.env.console, "records")
	defer s.progress.done()
	return s.input.each(ctx, func(c chunk) error {
		out, modified := s.filter.Process(s.out[:0], c.data)
		s.out = out
		if !modified {
			out = c.data
		}
		s.records += c.records
		s.newest = c.newest
		s.progress.update(s.records, c.share)
		return use(out)
	})
}

// close ends the instance, which saves what it learned.
func (s *session) close() error {
	s.host.closing = true
	return s.filter.Close()
}

// sumUp says what was done, with more in the words of the command.
func (s *session) sumUp(more ...string) {
	st := s.filter.Counts()
	d := time.Since(s.began)
	parts := append([]string{fmt.Sprintf("%d records", s.records)}, more...)
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
		parts = append(parts, fmt.Sprintf("%d not understood", st.Malformed))
	}
	if n := s.input.bad.Load(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d bad lines skipped", n))
	}
	parts = append(parts, fmt.Sprintf("%.1f s, %.0f records/s", d.Seconds(), rate(s.records, d)))
	s.env.Log(filter.LevelInfo, strings.Join(parts, ", "))
	if a := s.filter.Allow(); a != nil && a.Lines > 0 {
		var b bytes.Buffer
		printAllow(&b, a)
		s.env.Log(filter.LevelInfo, strings.TrimSpace(b.String()))
	}
	if s.filter.Scorer() == nil { // other problems were said when they were seen
		if st := s.filter.Status(); st.State == filter.StateWaiting {
			s.env.Log(filter.LevelWarn, st.Problem)
		}
	}
}

// ended tells an end that is worth a summary: the regular one, and an interruption.
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

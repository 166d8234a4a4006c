package main

import (
	"context"
	"flag"

	"flb-filter-rgcn/plugin/filter"
)

var trainCommand = command{
	name:    "train",
	args:    "-state DIR FILE...",
	summary: "Learn from the records of files, train once at the end, and save graph and model.",
	example: "rgcn train -state /var/lib/rgcn ssh.2026-03-*.log.gz",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newRun(fs)
		return func(ctx context.Context, e *env) error { return train(ctx, e, s) }
	},
}

var errNoState = usagef("no state directory: want -state DIR, or dir under [state] in the -config file")

func train(ctx context.Context, e *env, s *run) error {
	if err := s.check(e); err != nil {
		return err
	}
	if s.config.State.Dir == "" {
		return errNoState
	}
	if err := s.start(filter.NewOffline); err != nil {
		return err
	}
	err := s.each(ctx, func([]byte) error { return nil })
	if err == nil && s.records == 0 {
		err = errNoRecords
	}
	if err == nil {
		steps := newProgress(e.console, "steps")
		err = s.filter.Train(ctx, s.newest, func(step, of int, _ float32) { steps.update(step, float64(step)/float64(of)) })
		steps.done()
	}
	if err = first(err, s.close()); ended(err) {
		s.sumUp("state in " + s.config.State.Dir)
	}
	return err
}

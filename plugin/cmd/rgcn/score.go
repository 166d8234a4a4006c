package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"

	"flb-filter-rgcn/plugin/filter"
)

var scoreCommand = command{
	name:    "score",
	args:    "-state DIR FILE...",
	summary: "Score the records of files by a saved model and graph as they lie; learn nothing, change nothing.",
	example: "rgcn score -state /var/lib/rgcn -lowest 10 -o scored.ndjson ssh.log",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newRun(fs)
		w := declareWriter(fs)
		return func(ctx context.Context, e *env) error { return score(ctx, e, s, w) }
	},
}

func score(ctx context.Context, e *env, s *run, w *writer) error {
	if err := s.check(e); err != nil {
		return err
	}
	dir := s.config.State.Dir
	if dir == "" {
		return errNoState
	}
	switch _, err := os.ReadDir(dir); {
	case errors.Is(err, fs.ErrNotExist): // an instance would make it
		return fmt.Errorf("state directory: %w; 'rgcn train' makes one", err)
	case err != nil:
		return fmt.Errorf("state directory: %w", err)
	}
	if err := s.start(filter.NewFrozen); err != nil {
		return err
	}
	if s.filter.Scorer() == nil {
		return first(fmt.Errorf("state directory %s holds no model: 'rgcn train -state %s FILE...' makes one", dir, dir), s.close())
	}
	if err := w.open(s); err != nil {
		return first(err, s.close())
	}
	if why := s.filter.OtherNaming(); why != "" {
		e.Log(filter.LevelWarn, "state: "+why)
	}
	err := s.each(ctx, w.write)
	err = first(err, w.close(), s.close())
	if ended(err) {
		s.sumUp(fmt.Sprintf("%d out", w.records))
		err = first(err, w.table())
	}
	return err
}

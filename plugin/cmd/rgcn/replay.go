package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"strconv"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/record"
)

var replayCommand = command{
	name:    "replay",
	args:    "FILE...",
	summary: "Score the records of files as the running filter would, training on its schedule in event time.",
	more: "It trains as often as the filter would: with the default train_interval of 10 minutes up to 144 times\n" +
		"for a day of records. For a log of many days -set train_interval=6h takes a fraction of the time.",
	example: "rgcn replay -set train_interval=6h -lowest 10 -o scored.ndjson ssh.log",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newRun(fs)
		w := declareWriter(fs)
		return func(ctx context.Context, e *env) error { return replay(ctx, e, s, w) }
	},
}

func replay(ctx context.Context, e *env, s *run, w *writer) error {
	if err := s.check(e); err != nil {
		return err
	}
	if s.config.State.From != "" {
		return usagef("replay trains models of its own, and reads none from state.from (%s): want it unset (-set state_from=), or rgcn score to score by a state directory", fleet.PlaceName(s.config.State.From))
	}
	for _, idle := range s.config.NoEffect {
		if idle.Remedy == "" {
			continue // it is empty, as -set state_from= has it
		}
		e.Log(filter.LevelWarn, idle.Text()+"; "+idle.Fix())
	}
	if err := s.start(filter.NewOffline); err != nil {
		return err
	}
	if err := w.open(s); err != nil {
		return first(err, s.close())
	}
	trainings, err := s.replay(ctx, w.write)
	if err = first(err, w.close(), s.close()); !ended(err) && s.config.State.Dir != "" && s.records > 0 {
		err = fmt.Errorf("%w; the %d records before are in %s, and count again if they are read again", err, s.records, s.config.State.Dir)
	}
	if ended(err) {
		s.sumUp(fmt.Sprintf("%d out", w.records), fmt.Sprintf("%d trainings", trainings))
		s.warnOfOrder()
		err = first(err, w.table())
	}
	return err
}

// writer writes enriched records as lines of JSON, and keeps the lowest.
type writer struct {
	output
	n       int // rows of the table, 0: none
	env     *env
	reader  *scoredReader
	walker  *record.Walker
	lowest  *lowest
	records int
}

func declareWriter(fs *flag.FlagSet) *writer {
	w := new(writer)
	w.output.declare(fs)
	fs.Func("lowest", "at the end show the `N` distinct triplets with the lowest scores, those with low_score true first, on standard output if -o takes the records, else on standard error", func(text string) (err error) {
		if w.n, err = strconv.Atoi(text); err != nil || w.n < 1 || w.n > maxLowest {
			return fmt.Errorf("want 1 to %d", maxLowest)
		}
		return nil
	})
	return w
}

// open opens the output of a run that has been checked.
func (w *writer) open(s *run) (err error) {
	w.env = s.env
	if w.n > 0 {
		w.lowest = newLowest(w.n)
		if w.reader, err = newScoredReader(s.config.Fields); err != nil {
			return err
		}
		w.walker = w.reader.NewWalker()
	} else {
		x, err := record.Compile(record.Spec{})
		if err != nil {
			return err
		}
		w.walker = x.NewWalker()
	}
	if err := w.output.open(w.env.stdout, s.input.files); err != nil {
		return err
	}
	if w.path == "" && isTerminal(w.env.stdout) {
		w.env.width = nil // records and a line of progress would mix on the screen
	}
	return nil
}

// write writes a chunk.
func (w *writer) write(chunk []byte) error {
	w.walker.Reset(chunk)
	for w.walker.Next() {
		e := w.walker.Event()
		if err := w.output.write(w.walker.Raw(e.Extent)); err != nil {
			return err
		}
		w.records++
		if w.lowest == nil {
			continue
		}
		if s, ok := w.reader.read(w.walker); ok {
			w.lowest.add(&s)
		}
	}
	return nil
}

// table shows the lowest, where the records are not.
func (w *writer) table() error {
	if w.lowest == nil {
		return nil
	}
	if w.path == "" {
		var b bytes.Buffer
		w.lowest.print(&b)
		w.env.printf("%s", bytes.TrimSpace(b.Bytes()))
		return nil
	}
	if err := w.lowest.print(w.env.stdout); err != nil {
		return fmt.Errorf("write standard output: %w", err)
	}
	return nil
}

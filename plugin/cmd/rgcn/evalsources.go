package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/model/simulate"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
)

// judgeAlerts replays simulated days for each seed, as the command replay would, and writes the table of what the
// filter's alerts found.
func (v *evaluation) judgeAlerts(ctx context.Context, e *env, settings config.Config) error {
	for _, s := range []struct {
		name string
		set  bool
	}{
		{"state.dir", settings.State.Dir != ""}, {"state.from", settings.State.From != ""}, {"publish", settings.Publish.To != ""},
		{"graph.source", settings.Graph.Source != ""}, {"metrics.listen", settings.Metrics.Listen != ""},
	} {
		if s.set {
			return usagef("-sources: %s is set, want it unset: each seed has a filter of its own, which begins with nothing", s.name)
		}
	}
	for property, flag := range map[string]string{"train_interval": "-train-every", "train_seed": "-seed"} {
		if _, set := v.run.settings[property]; set {
			return usagef("-sources: want %s in place of -set %s", flag, property)
		}
	}
	runs, err := perSeed(ctx, v, e, func(seed uint64) (eval.AlertResult, error) { return v.replaySimulation(ctx, e, seed) })
	if err != nil {
		return err
	}
	rows := eval.SummarizeAlerts(runs)
	if v.json {
		return printJSON(e, rows)
	}
	return eval.PrintAlerts(e.stdout, rows)
}

// replaySimulation has a new filter score the simulated days of a seed, and judges what it says.
func (v *evaluation) replaySimulation(ctx context.Context, e *env, seed uint64) (result eval.AlertResult, err error) {
	c := v.simulation
	c.Seed = seed
	file, err := simulationFile(ctx, c)
	if err != nil {
		return result, err
	}
	defer os.Remove(file)
	s := &run{settings: maps.Clone(v.run.settings), input: input{chunkSize: v.run.input.chunkSize, strict: true}, among: true}
	s.settings["train_interval"] = cmp.Or(v.trainEvery, allTrainEvery).String()
	s.settings["train_seed"] = strconv.FormatUint(seed, 10)
	if err := s.check(&env{console: e.console, args: []string{file}}); err != nil {
		return result, err
	}
	r, err := newScoredReader(s.config.Fields)
	if err != nil {
		return result, err
	}
	if err := s.start(filter.NewOffline); err != nil {
		return result, err
	}
	judge, w := eval.NewAlertJudge(seed), r.NewWalker()
	_, err = s.replay(ctx, func(chunk []byte) error {
		w.Reset(chunk)
		for w.Next() {
			x, ok := r.session(w)
			if !ok {
				return errOtherFields
			}
			judge.Add(&eval.Session{
				Event: graphbuf.Event{Source: x.source, Relation: x.relation, Destination: x.destination, Time: x.time.UnixNano()},
				Label: string(x.label), Note: string(x.note),
			}, eval.Verdict{Score: x.score, Low: x.low, Reported: x.alert})
		}
		return nil
	})
	return judge.Result(), first(err, s.close())
}

var errOtherFields = errors.New("a simulated session has no source or destination by these settings: want the preset zeek, whose fields simulated sessions have")

// simulationFile writes the sessions of a simulation to a new file, as the command simulate does, and returns its path.
func simulationFile(ctx context.Context, c simulate.Config) (path string, err error) {
	f, err := os.CreateTemp("", "rgcn-eval-*.ndjson")
	if err != nil {
		return "", fmt.Errorf("simulated sessions: %w", err)
	}
	f.Close()
	defer func() {
		if err != nil {
			os.Remove(f.Name())
		}
	}()
	out := output{path: f.Name()}
	if err := out.open(nil, nil); err != nil {
		return "", err
	}
	var line []byte
	var failed error
	err = simulate.Generate(c, func(s *simulate.Session) bool {
		line = simulate.AppendNDJSON(line[:0], s)
		failed = first(ctx.Err(), out.writeLine(line))
		return failed == nil
	})
	return f.Name(), first(failed, err, out.close())
}

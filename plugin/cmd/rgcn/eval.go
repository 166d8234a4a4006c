package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/evaluate"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/simulate"
	"flb-filter-rgcn/plugin/triplet"
)

var evalCommand = command{
	name: "eval",
	args: "[FILE...]",
	summary: "Judge the scores: learn from the days before, score the next one, and compare with simple rules.\n" +
		"Without FILE on simulated days, for several seeds, each distinct triplet once a day; with FILE on\n" +
		"records that carry a label field or, with -inject, on real ones among which anomalies are planted,\n" +
		"in -parts instead of days, every session counting; so too a simulation with attacks on its first day.",
	example: "rgcn eval -seeds 6 -ablations",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		v := &evaluation{session: newSession(fs), simulation: simulate.Default()}
		declareSimulation(fs, &v.simulation)
		fs.IntVar(&v.seeds, "seeds", 6, "simulations, or plantings, with seeds from -seed on: `N`")
		fs.IntVar(&v.jobs, "jobs", 2, "seeds at a time: `N`")
		fs.BoolVar(&v.json, "json", false, "write the table as JSON")
		fs.BoolVar(&v.resistance, "resistance", false, fmt.Sprintf("judge two patient attackers instead: one who repeats a pair %d times, and one who moves to %d servers over %d days",
			patientRepeats, patientTargets, patientDays-simulate.Default().AttackStart))
		fs.BoolVar(&v.ablations, "ablations", false, "add a row for each part of the model left out")
		fs.StringVar(&v.without, "without", "", "leave `PARTS` of the model out everywhere: "+strings.Join(model.Ablations, ", "))
		fs.BoolVar(&v.inject, "inject", false, "plant anomalies of three kinds in the records of FILE")
		fs.Float64Var(&v.from, "from", 0.4, "with FILE: judge what comes after this `SHARE` of the sessions")
		fs.IntVar(&v.every, "every", 30, "with -inject: plant one anomaly for so many sessions: `N`")
		fs.IntVar(&v.parts, "parts", 6, "with FILE, or attacks on the first simulated day: learn anew so often: `N`")
		return func(ctx context.Context, e *env) error {
			if v.resistance {
				v.patient(fs)
			}
			return v.run(ctx, e)
		}
	},
}

// evaluation is one run of eval.
type evaluation struct {
	session                 *session
	simulation              simulate.Config
	seeds, jobs             int
	json, ablations, inject bool
	resistance              bool
	from                    float64
	every, parts            int
	without                 string
	model                   model.Config // from the settings
}

func (v *evaluation) run(ctx context.Context, e *env) error {
	switch {
	case v.seeds < 1 || v.seeds > 1000:
		return usagef("-seeds %d: want 1 to 1000", v.seeds)
	case v.jobs < 1:
		return usagef("-jobs %d: want 1 or more", v.jobs)
	case !(v.from > 0 && v.from < 1):
		return usagef("-from %v: want a share between 0 and 1", v.from)
	case v.every < 1 || v.parts < 1:
		return usagef("-every and -parts: want 1 or more")
	case v.inject && len(e.args) == 0:
		return usagef("-inject wants a FILE to plant anomalies in")
	case v.resistance && len(e.args) > 0:
		return usagef("-resistance reads no files: it simulates its attackers")
	case v.resistance && v.simulation.AttackStart < 1:
		return usagef("-resistance learns from days without attacks: want -attack-start 1 or more")
	}
	for _, part := range strings.Split(v.without, ",") {
		if part != "" && !slices.Contains(model.Ablations, part) {
			return usagef("-without %q: want some of %s", part, strings.Join(model.Ablations, ", "))
		}
	}
	settings, err := v.session.settings.load()
	if err != nil {
		return err
	}
	v.model = filter.ModelConfig(settings)
	if v.model.Features, err = filter.HostFeatures(settings); err != nil {
		return err
	}
	if len(e.args) > 0 {
		sessions, err := v.read(ctx, e)
		if err != nil {
			return err
		}
		return v.table(ctx, e, "part", func(seed uint64) ([]evaluate.Result, error) { return v.judgeFile(sessions, seed) })
	}
	if err := v.simulation.Validate(); err != nil {
		return usageError{err}
	}
	if v.resistance {
		runs, err := perSeed(ctx, v, e, v.judgeResistance)
		if err != nil {
			return err
		}
		rows := evaluate.SummarizeEndurance(runs)
		if v.json {
			return printJSON(e, rows)
		}
		return evaluate.PrintEndurance(e.stdout, rows)
	}
	return v.table(ctx, e, v.period(), v.judgeSimulation)
}

// table judges and writes the table of quality.
func (v *evaluation) table(ctx context.Context, e *env, period string, judge func(seed uint64) ([]evaluate.Result, error)) error {
	runs, err := perSeed(ctx, v, e, judge)
	if err != nil {
		return err
	}
	rows := evaluate.Summarize(runs)
	if v.json {
		return printJSON(e, rows)
	}
	return evaluate.Print(e.stdout, rows, period)
}

func printJSON(e *env, rows any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}

// perSeed runs judge for each seed, some at a time.
func perSeed[T any](ctx context.Context, v *evaluation, e *env, judge func(seed uint64) (T, error)) ([]T, error) {
	runs, errs := make([]T, v.seeds), make([]error, v.seeds)
	bar := newProgress(e.console, "seeds")
	var next atomic.Int64
	var mu sync.Mutex // guards bar, which is for one goroutine at a time, and done
	done := 0
	var wg sync.WaitGroup
	for range min(v.jobs, v.seeds) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(v.seeds) && ctx.Err() == nil; i = next.Add(1) - 1 {
				runs[i], errs[i] = judge(v.simulation.Seed + uint64(i))
				mu.Lock()
				done++
				bar.update(done, float64(done)/float64(v.seeds))
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	bar.done()
	return runs, first(append([]error{ctx.Err()}, errs...)...)
}

// methods are the rows of the table.
func (v *evaluation) methods(seed uint64) []evaluate.Method {
	cfg := v.model
	cfg.Seed = seed
	if v.without != "" {
		cfg.Without = strings.Split(v.without, ",")
	}
	without := func(parts ...string) model.Config {
		c := cfg
		c.Without = slices.Concat(cfg.Without, parts)
		return c
	}
	methods := []evaluate.Method{
		evaluate.Trained("R-GCN", cfg),
		evaluate.Reference(seed),
		evaluate.NeverSeen(),
		evaluate.Trained("count prior", without("structure", "names", "neighbours", "fan-out")),
		evaluate.Trained("count prior (no campaigns)", without("structure", "names", "neighbours", "fan-out", "campaigns")),
	}
	if v.ablations {
		for _, part := range model.Ablations {
			if part == "features" && cfg.Features == nil {
				continue
			}
			methods = append(methods, evaluate.Trained("  without "+part, without(part)))
		}
	}
	return methods
}

func (v *evaluation) judgeSimulation(seed uint64) ([]evaluate.Result, error) {
	c := v.simulation
	c.Seed = seed
	sessions, err := simulated(c)
	if err != nil {
		return nil, err
	}
	if v.period() == "part" {
		start := c.Start.Add(time.Duration(c.AttackHour) * time.Hour).UnixNano()
		before, _ := slices.BinarySearchFunc(sessions, start, func(s evaluate.Session, t int64) int { return cmp.Compare(s.Time, t) })
		return evaluate.Parts(sessions, float64(before)/float64(len(sessions)), v.parts, v.methods(seed), seed)
	}
	return evaluate.Prequential(sessions, c.AttackStart, v.methods(seed), seed)
}

// period is what a simulation is judged in. One with attacks on its first day
// has no day before to learn from.
func (v *evaluation) period() string {
	if v.simulation.AttackStart == 0 {
		return "part"
	}
	return "day"
}

func simulated(c simulate.Config) (sessions []evaluate.Session, err error) {
	err = simulate.Generate(c, func(s *simulate.Session) bool {
		sessions = append(sessions, evaluate.Session{
			Event: graphbuf.Event{Source: []byte(s.Source), Relation: []byte(s.Client), Destination: []byte(s.Destination), Time: s.Time.UnixNano()},
			Label: s.Label, Note: s.Note,
		})
		return true
	})
	return sessions, err
}

func (v *evaluation) judgeFile(sessions []evaluate.Session, seed uint64) ([]evaluate.Result, error) {
	if v.inject {
		sessions = evaluate.Inject(sessions, v.from, v.every, seed)
	}
	return evaluate.Parts(sessions, v.from, v.parts, v.methods(seed), seed)
}

// read reads the sessions of the files, in order of time.
func (v *evaluation) read(ctx context.Context, e *env) (sessions []evaluate.Session, err error) {
	if err := v.session.check(e); err != nil {
		return nil, err
	}
	spec := record.Spec{Fields: [][]string{{"label"}}}
	finder, err := triplet.New(v.session.config.Fields, &spec)
	if err != nil {
		return nil, err
	}
	x, err := record.Compile(spec)
	if err != nil {
		return nil, err
	}
	w := x.NewWalker()
	var room triplet.Room
	labelled := false
	err = v.session.input.each(ctx, func(c chunk) error {
		w.Reset(c.data)
		for w.Next() {
			ev := w.Event()
			if ev.Kind != record.Log {
				continue
			}
			found, verdict := finder.Find(&room, nil, ev.Values)
			if verdict != triplet.Found {
				continue
			}
			at := ev.Time
			if found.Time > 0 {
				at = found.Time
			}
			label := string(ev.Values[finder.Values()])
			labelled = labelled || label != ""
			sessions = append(sessions, evaluate.Session{
				Event: graphbuf.Event{
					Source: bytes.Clone(found.Source), Relation: bytes.Clone(found.Relation), Destination: bytes.Clone(found.Destination), Time: at,
				},
				Label: label,
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(sessions) == 0 {
		return nil, fmt.Errorf("%s: no record has a source and a destination", strings.Join(e.args, ", "))
	}
	if !labelled && !v.inject {
		return nil, fmt.Errorf("%s: no record has a label, so there is nothing to find; -inject plants anomalies", strings.Join(e.args, ", "))
	}
	slices.SortStableFunc(sessions, func(a, b evaluate.Session) int { return int(min(max(a.Time-b.Time, -1), 1)) })
	return sessions, nil
}

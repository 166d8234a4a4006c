package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/model/simulate"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
)

var evalCommand = command{
	name:    "eval",
	args:    "[FILE...]",
	summary: "Judge the scores: learn from what came before, score what comes next, and compare with simple rules.",
	more: "  eval                    simulated days, for several seeds; each distinct triplet counts once a day; where\n" +
		"                          attacks begin on the first day, in -parts of it, and every session counts\n" +
		"  eval FILE               records with a label, in -parts instead of days; every record counts\n" +
		"  eval -by-day FILE       the same by day, from -from-day on, with a training each -train-every\n" +
		"  eval -inject FILE       real records among which anomalies are planted, in -parts\n" +
		"  eval -links TEST FILE   link prediction: true pairs of hosts in TEST against made-up ones, learned\n" +
		"                          from the records of FILE that lie before them\n" +
		"  eval -resistance        two patient attackers in simulated days\n" +
		"  eval -sources           simulated days through the filter itself, with its trainings, thresholds and budgets:\n" +
		"                          what its alerts about sources and its low scores find, on the days with attacks\n" +
		"  eval -fleet N           simulated days, shared among N agents that take the states of a trainer, beside one\n" +
		"                          machine that has all sessions, and agents that learn alone\n" +
		"  eval -all [-data DIR]   every simulated world and every well-known data set in DIR, in one table:\n" +
		"                          many minutes a seed\n\n" +
		"An attack is a record that fits -attack-if, or one whose field label has a value other than 0, false, -\n" +
		"and benign. TEST has records as FILE has, with label (0 true, 1 made up), and may have new (1: not\n" +
		"among the records before), seed (of the draw of made-up pairs) and, as FILE then has too, snapshot;\n" +
		"without that the days are the snapshots.",
	example: "rgcn eval -seeds 6 -ablations",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		v := &evaluation{run: newRun(fs), simulation: simulate.Default(), chosen: methodNames}
		declareSimulation(fs, &v.simulation)
		fs.IntVar(&v.seeds, "seeds", 6, "simulations, plantings or trainings, with seeds from -seed on: `N`")
		fs.IntVar(&v.jobs, "jobs", 2, "seeds at a time: `N`")
		fs.BoolVar(&v.json, "json", false, "write the table as JSON")
		fs.BoolVar(&v.ablations, "ablations", false, "add a row for each part of the model left out")
		fs.StringVar(&v.without, "without", "", "leave `PARTS` of the model out everywhere: "+strings.Join(model.Ablations, ", "))
		fs.Func("methods", "judge these `METHODS` only, the first of them against the others: "+strings.Join(methodNames, ", ")+" (default all, but with -all no reference in "+strings.Join(slowForReference, " and ")+", where it would take minutes a seed)", func(text string) error {
			v.named, v.chosen = true, strings.Split(text, ",")
			for _, name := range v.chosen {
				if !slices.Contains(methodNames, name) {
					return fmt.Errorf("%q: want some of %s", name, strings.Join(methodNames, ", "))
				}
			}
			return nil
		})
		fs.BoolVar(&v.resistance, "resistance", false, fmt.Sprintf("judge two patient attackers instead: one who repeats a pair %d times, and one who moves to %d servers over %d days",
			patientRepeats, patientTargets, patientDays-simulate.Default().AttackStart))
		fs.BoolVar(&v.sources, "sources", false, "judge the alerts of the filter itself instead, about sources and by low scores; with -resistance on its two attackers")
		fs.IntVar(&v.agents, "fleet", 0, "share simulated days among `N` agents instead")
		fs.Func("split", "with -fleet: whose sessions an agent has, those of its `HOSTS`: destinations (default) or sources", func(text string) error {
			if v.bySource = text == "sources"; !v.bySource && text != "destinations" {
				return errors.New("want destinations or sources")
			}
			return nil
		})
		fs.BoolVar(&v.inject, "inject", false, "plant anomalies of three kinds in the records of FILE")
		fs.Float64Var(&v.from, "from", 0.4, "with FILE: judge what comes after this `SHARE` of the sessions")
		fs.IntVar(&v.every, "every", 30, "with -inject: plant one anomaly for so many sessions: `N`")
		fs.IntVar(&v.parts, "parts", 6, "with FILE, or attacks on the first simulated day: learn anew so often: `N`")
		fs.BoolVar(&v.byDay, "by-day", false, "judge FILE day by day; days begin at the time of day of the first record")
		fs.IntVar(&v.fromDay, "from-day", 0, fmt.Sprintf("with -by-day: first day judged, `N`, 1 or more; day 0 is the first of all (default %d, or half of the days where there are fewer than %d)", firstDay, 2*firstDay))
		fs.Func("train-every", "time between two trainings on days that are judged, a `DURATION` such as 6h (default 1d; 6h with -sources, and with -all in simulated worlds but flat, which is judged in -parts)", func(text string) error {
			var ok bool
			if v.trainEvery, ok = config.ParseDuration(text); !ok || v.trainEvery < leastTrainEvery || v.trainEvery > config.LongestDuration {
				return fmt.Errorf("want a duration such as 6h or 1d, at least %v, at most %s", leastTrainEvery, config.FormatDuration(config.LongestDuration))
			}
			return nil
		})
		conditions := func(name string, into *[]config.Condition, usage string) {
			fs.Func(name, usage, func(text string) error {
				var ok bool
				if *into, ok = config.ParseConditions(text); !ok {
					return errors.New("want key=value, key=value|value or key!=value, with commas between several, all of which must fit")
				}
				return nil
			})
		}
		conditions("attack-if", &v.labels.attack, "with FILE: the records that are attacks, `CONDITIONS` such as category=r2l|u2r")
		conditions("benign-if", &v.labels.benign, "with FILE: the records that are benign, `CONDITIONS` such as label=0; those that are neither are learned from and not judged (default: all but the attacks)")
		conditions("drop-if", &v.labels.drop, "with FILE: the records that are left out, `CONDITIONS` such as category=dos|probe")
		fs.StringVar(&v.pairs, "links", "", "judge link prediction on the pairs in `TEST`")
		fs.BoolVar(&v.linkPlan.Undirected, "undirected", false, "with -links: a pair's score is the mean of those in both directions")
		fs.BoolVar(&v.linkPlan.Pooled, "pool", false, "with -links: judge the pairs of all snapshots together, not each snapshot alone")
		fs.IntVar(&v.linkPlan.Step, "step", 1, "with -links: judge each `N`th snapshot or day of TEST")
		fs.BoolVar(&v.everything, "all", false, "judge all worlds, in one table")
		fs.Func("data", "with -all: also judge the well-known data sets in `DIR`; repeatable", func(dir string) error {
			v.data = append(v.data, dir)
			return nil
		})
		return func(ctx context.Context, e *env) error {
			if v.resistance {
				v.patient(fs)
			}
			return v.execute(ctx, e, fs)
		}
	},
}

// leastTrainEvery guards against a typing error that would ask for a training every second.
const leastTrainEvery = 10 * time.Minute

// firstDay is the first day of a log that is judged: a week shows what is usual.
const firstDay = 7

// evaluation is one run of eval.
type evaluation struct {
	run                       *run
	simulation                simulate.Config
	seeds, jobs               int
	json, ablations           bool
	inject, byDay, resistance bool
	sources                   bool // what the filter's alerts find
	everything                bool
	agents                    int  // of a fleet, 0: none
	bySource                  bool // they share sessions by source
	from                      float64
	every, parts, fromDay     int
	trainEvery                time.Duration // 0: the default
	labels                    labels
	pairs                     string // file of link prediction
	linkPlan                  eval.LinkPlan
	data                      []string
	without                   string
	chosen                    []string      // of methodNames
	named                     bool          // chosen by -methods
	model                     model.Config  // from the settings
	fields                    config.Fields // the same
	train                     config.Train  // the same
}

// The modes of eval, as an error names them.
const (
	onSimulation = "simulated days"
	onFirstDay   = "attacks on the first simulated day"
	onPatience   = "-resistance"
	inParts      = "FILE"
	inDays       = "-by-day"
	onSources    = "-sources"
	onFleet      = "-fleet"
	onLinks      = "-links"
	onAll        = "-all"
)

func (v *evaluation) mode(e *env) string {
	switch {
	case v.everything:
		return onAll
	case v.pairs != "":
		return onLinks
	case v.byDay:
		return inDays
	case v.sources:
		return onSources
	case v.resistance:
		return onPatience
	case v.agents != 0:
		return onFleet
	case len(e.args) > 0:
		return inParts
	case judgedInParts(v.simulation):
		return onFirstDay
	}
	return onSimulation
}

// comparing are the modes that compare methods.
var comparing = []string{onSimulation, onFirstDay, onPatience, inParts, inDays, onLinks, onAll}

// flagModes are the modes that a flag goes with, where it is not all of them. Those of the simulation are beside.
var flagModes = map[string][]string{
	"inject": {inParts}, "from": {inParts, onAll}, "every": {inParts, onAll}, "parts": {inParts, onFirstDay, onAll},
	"by-day": {inDays}, "from-day": {inDays}, "resistance": {onPatience, onSources}, "sources": {onSources},
	"train-every": {onSimulation, onPatience, inDays, onSources, onFleet, onAll},
	"fleet":       {onFleet}, "split": {onFleet}, "methods": comparing, "ablations": comparing, "without": comparing,
	"attack-if": {inParts, inDays}, "benign-if": {inParts, inDays}, "drop-if": {inParts, inDays},
	"columns": {inParts, inDays, onLinks}, "strict": {inParts, inDays, onLinks, onAll},
	"undirected": {onLinks}, "pool": {onLinks}, "step": {onLinks}, "data": {onAll},
}

// fit refuses a flag that has no meaning in this mode.
func (v *evaluation) fit(mode string, flags *flag.FlagSet) (err error) {
	simulation := flag.NewFlagSet("", flag.ContinueOnError)
	declareSimulation(simulation, new(simulate.Config))
	flags.Visit(func(f *flag.Flag) {
		modes := flagModes[f.Name]
		if f.Name != "seed" && simulation.Lookup(f.Name) != nil {
			modes = []string{onSimulation, onFirstDay, onPatience, onSources, onFleet}
		}
		if modes != nil && !slices.Contains(modes, mode) && err == nil {
			err = usagef("-%s does not go with %s: it is for %s", f.Name, mode, strings.Join(modes, ", "))
		}
	})
	return err
}

func (v *evaluation) execute(ctx context.Context, e *env, flags *flag.FlagSet) error {
	mode := v.mode(e)
	files := mode == inParts || mode == inDays || mode == onLinks
	switch {
	case v.seeds < 1 || v.seeds > 1000:
		return usagef("-seeds %d: want 1 to 1000", v.seeds)
	case v.jobs < 1:
		return usagef("-jobs %d: want 1 or more", v.jobs)
	case !(v.from > 0 && v.from < 1):
		return usagef("-from %v: want a share between 0 and 1", v.from)
	case v.every < 1 || v.parts < 1 || v.linkPlan.Step < 1:
		return usagef("-every, -parts and -step: want 1 or more")
	case v.fromDay < 1 && isGiven(flags, "from-day"):
		return usagef("-from-day %d: want 1 or more, the first day of all is learned from", v.fromDay)
	case v.inject && len(e.args) == 0:
		return usagef("-inject wants a FILE to plant anomalies in")
	case files && len(e.args) == 0:
		return usagef("%s wants a FILE", mode)
	case mode == onPatience && len(e.args) > 0:
		return usagef("-resistance reads no files: it simulates its attackers")
	case mode == onSources && len(e.args) > 0:
		return usagef("-sources reads no files: it simulates its sessions")
	case mode == onPatience && v.simulation.AttackStart < 1:
		return usagef("-resistance learns from days without attacks: want -attack-start 1 or more")
	case isGiven(flags, "fleet") && (v.agents < 1 || v.agents > mostAgents):
		return usagef("-fleet %d: want 1 to %d", v.agents, mostAgents)
	case mode == onFleet && len(e.args) > 0:
		return usagef("-fleet reads no files: it simulates its sessions")
	case mode == onFleet && judgedInParts(v.simulation):
		return usagef("-fleet learns from days without attacks: want -attack-start 1 or more")
	case isGiven(flags, "state") && mode != onSources: // which tells of each setting that does not go with it
		return usagef("-state does not go with %s: eval begins with nothing, and keeps nothing", mode)
	case mode == onAll && len(e.args) > 0:
		return usagef("-all reads no FILE: its files are in the DIR of -data")
	}
	if err := v.fit(mode, flags); err != nil {
		return err
	}
	for _, part := range strings.Split(v.without, ",") {
		if v.without != "" && !slices.Contains(model.Ablations, part) {
			return usagef("-without %q: want some of %s", part, strings.Join(model.Ablations, ", "))
		}
	}
	settings, err := v.run.settings.load("model_features")
	if err != nil {
		return err
	}
	v.fields, v.train = settings.Fields, settings.Train
	v.model = filter.ModelConfig(settings)
	if v.model.Features, err = filter.HostFeatures(settings); err != nil {
		return err
	}
	switch mode {
	case onAll:
		return v.all(ctx, e)
	case onLinks:
		return v.links(ctx, e)
	case inParts:
		sessions, err := v.sessions(ctx, e, v.source(e.args), v.labels, v.inject)
		if err != nil {
			return err
		}
		return v.table(ctx, e, "part", func(seed uint64) ([]eval.Result, error) { return v.judgeParts(ctx, sessions, seed) })
	case inDays:
		sessions, err := v.sessions(ctx, e, v.source(e.args), v.labels, false)
		if err != nil {
			return err
		}
		plan, err := v.daysPlan(e, sessions)
		if err != nil {
			return err
		}
		return v.table(ctx, e, "day", func(seed uint64) ([]eval.Result, error) {
			return eval.Days(ctx, sessions, plan, v.methods(seed), seed)
		})
	}
	if err := v.simulation.Validate(); err != nil {
		return usageError{err}
	}
	if mode == onPatience {
		return v.patience(ctx, e)
	}
	if mode == onSources {
		return v.judgeAlerts(ctx, e, settings)
	}
	if mode == onFleet {
		return v.table(ctx, e, "day", func(seed uint64) ([]eval.Result, error) { return v.judgeFleet(ctx, v.simulation, seed) })
	}
	period := "day"
	if mode == onFirstDay {
		period = "part"
	}
	return v.table(ctx, e, period, func(seed uint64) ([]eval.Result, error) { return v.judgeSimulation(ctx, v.simulation, seed) })
}

// isGiven reports whether a flag is on the command line.
func isGiven(flags *flag.FlagSet, name string) (is bool) {
	flags.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// source returns the source of the given files, with the fields that the settings name.
func (v *evaluation) source(files []string) source {
	return source{files, v.fields, v.run.input.columns}
}

// plan returns how simulated days are judged.
func (v *evaluation) plan(c simulate.Config) eval.Plan {
	p := eval.Plan{From: c.AttackStart, Every: v.trainEvery}
	if v.everything {
		p.Every = cmp.Or(v.trainEvery, allTrainEvery)
	}
	return p
}

// mostEmptyDays is how many days a log may have for each that has sessions.
const mostEmptyDays = 10

// daysPlan is how the sessions of a file are judged by day: with trainings on the filter's schedule, but for the
// interval.
func (v *evaluation) daysPlan(e *env, sessions []eval.Session) (eval.DaysPlan, error) {
	p := eval.DaysPlan{From: v.fromDay, Every: v.trainEvery, MinEdges: v.train.MinEdges, MinNewEdges: v.train.MinNewEdges}
	var days []int // with sessions
	for i := range sessions {
		if day := int((sessions[i].Time - sessions[0].Time) / int64(eval.Day)); len(days) == 0 || day > days[len(days)-1] {
			days = append(days, day)
		}
	}
	last := days[len(days)-1]
	sparse := last+1 > mostEmptyDays*len(days) // a single wrong time makes thousands of days
	switch {
	case p.From > 0:
	case sparse:
		p.From = days[min(firstDay, len(days)/2)]
	default:
		p.From = min(firstDay, (last+1)/2)
	}
	if p.From < 1 || p.From > last {
		return p, fmt.Errorf("days in the records: %d; want a day or more before those that are judged, and one to judge; without -by-day a short log is judged in -parts", last+1)
	}
	if sparse {
		e.Log(filter.LevelWarn, fmt.Sprintf("the records span %d days, of which only %d have any: is a time wrong?", last+1, len(days)))
	}
	return p, nil
}

// table judges and writes the table of quality.
func (v *evaluation) table(ctx context.Context, e *env, period string, judge func(seed uint64) ([]eval.Result, error)) error {
	runs, err := perSeed(ctx, v, e, judge)
	if err != nil {
		return err
	}
	judged := eval.JudgedIn(runs)
	if why := judged.Problem(); why != "" {
		return errors.New("there is nothing to compare: " + why + v.remedy(judged))
	}
	e.Log(filter.LevelInfo, fmt.Sprintf("judged: %d sessions, %d of them attacks, in %s of %s", judged.Sessions, judged.Attacks, count(judged.Periods, period), count(len(runs), "run")))
	if judged.Unscored > 0 {
		e.Log(filter.LevelWarn, fmt.Sprintf("%d of them came before the first training, and count as neither usual nor strange", judged.Unscored))
	}
	rows := eval.Summarize(runs)
	if v.json {
		return printJSON(e, rows)
	}
	return eval.Print(e.stdout, rows, period)
}

// remedy is what to do where nothing can be learned from what was judged.
func (v *evaluation) remedy(j eval.Judged) string {
	switch {
	case j.Unscored == j.Sessions && j.Attacks > 0 && j.Attacks < j.Sessions:
		const few = ": the log has too few distinct triplets to learn from"
		if v.train.MinEdges == 0 {
			return few + " (50, or 8 once the sessions span a day; see train.min_edges)"
		}
		return fmt.Sprintf("%s (train.min_edges = %d)", few, v.train.MinEdges)
	case j.Attacks == j.Sessions && j.Sessions > 0:
		return fmt.Sprintf(": say which are benign by %s in the field %q, or which are attacks by -attack-if",
			strings.Join(unlabelled[1:], ", "), labelField)
	}
	return ": see which part of the log is judged (-from, -from-day), and when attacks come"
}

func printJSON(e *env, rows any) error {
	enc := json.NewEncoder(e.stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(rows)
}

// perSeed runs judge for each seed, several at a time.
func perSeed[T any](ctx context.Context, v *evaluation, e *env, judge func(seed uint64) (T, error)) ([]T, error) {
	return parallel(ctx, v.jobs, v.seeds, newProgress(e.console, "seeds"), func(i int) (T, error) { return judge(v.simulation.Seed + uint64(i)) })
}

func (v *evaluation) judgeSimulation(ctx context.Context, c simulate.Config, seed uint64) ([]eval.Result, error) {
	c.Seed = seed
	sessions, err := simulated(c)
	if err != nil {
		return nil, err
	}
	if judgedInParts(c) {
		start := c.Start.Add(time.Duration(c.AttackHour) * time.Hour).UnixNano()
		before, _ := slices.BinarySearchFunc(sessions, start, func(s eval.Session, t int64) int { return cmp.Compare(s.Time, t) })
		return eval.Parts(ctx, sessions, float64(before)/float64(len(sessions)), v.parts, v.methods(seed), seed)
	}
	return eval.Prequential(ctx, sessions, v.plan(c), v.methods(seed), seed)
}

// judgedInParts reports whether the attacks begin on the first day, so that no day before it can be learned from.
func judgedInParts(c simulate.Config) bool { return c.AttackStart == 0 }

func simulated(c simulate.Config) (sessions []eval.Session, err error) {
	err = simulate.Generate(c, func(s *simulate.Session) bool {
		sessions = append(sessions, eval.Session{
			Event: graphbuf.Event{Source: []byte(s.Source), Relation: []byte(s.Client), Destination: []byte(s.Destination), Time: s.Time.UnixNano()},
			Label: s.Label, Note: s.Note,
		})
		return true
	})
	return sessions, err
}

func (v *evaluation) judgeParts(ctx context.Context, sessions []eval.Session, seed uint64) ([]eval.Result, error) {
	if v.inject {
		sessions = eval.Inject(sessions, v.from, v.every, seed)
	}
	return eval.Parts(ctx, sessions, v.from, v.parts, v.methods(seed), seed)
}

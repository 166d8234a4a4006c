package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/model/simulate"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/filter"
)

// The settings of -all, unless flags override them.
const (
	allTrainEvery = 6 * time.Hour // in simulated worlds; a filter trains more often than once a day
	allLinkStep   = 6             // of radoslaw's days, of which there are sixty
)

// trial is one world that -all judges. judge returns the figures of each method.
type trial struct {
	name    string
	figures []string
	judge   func(seed uint64) ([][]float64, error)
}

// The figures in the table of -all. The first of each list is that by which methods are compared.
var (
	attackFigures  = []string{"AP", "recall@20", "recall@40"}
	recordFigures  = []string{"AP", "AUC", "recall@10"}
	plantedFigures = []string{"AP", "AUC"}
	linkFigures    = []string{"AP", "AUC", "new pairs: AP", "new pairs: AUC"}
)

// figuresOf picks figures from results by name.
func figuresOf(results []eval.Result, names []string) (out [][]float64) {
	for i := range results {
		r := &results[i]
		by := map[string]float64{"AP": r.AP, "AUC": r.AUC, "recall@10": r.Recall10, "recall@20": r.Recall20, "recall@40": r.Recall40}
		var row []float64
		for _, n := range names {
			row = append(row, by[n])
		}
		out = append(out, row)
	}
	return out
}

// all judges every available world and writes one table.
func (v *evaluation) all(ctx context.Context, e *env) error {
	var trials []trial
	for _, name := range simulate.Worlds() {
		c, err := simulate.World(name)
		if err != nil {
			return err
		}
		trials = append(trials, v.simulatedTrial(ctx, name, c))
	}
	found := 0
	for _, dir := range v.data {
		for _, w := range realWorlds {
			t, err := w.trial(ctx, v, e, dir, w.name)
			if errors.Is(err, fs.ErrNotExist) {
				e.Log(filter.LevelDebug, fmt.Sprintf("%s: %v", w.name, err))
				continue
			}
			if err != nil {
				return err
			}
			trials = append(trials, *t)
			found++
		}
	}
	if len(v.data) > 0 && found == 0 {
		return fmt.Errorf("%s: none of the files is there: want %s", strings.Join(v.data, ", "), realFiles())
	}
	runs, err := parallel(ctx, v.jobs, len(trials)*v.seeds, newProgress(e.console, "runs"), func(i int) ([][]float64, error) {
		t := &trials[i/v.seeds]
		figures, err := t.judge(v.simulation.Seed + uint64(i%v.seeds))
		if err != nil {
			err = fmt.Errorf("%s: %w", t.name, err)
		}
		return figures, err
	})
	if err != nil {
		return err
	}
	var methods []string
	for _, m := range v.methods(0) {
		methods = append(methods, m.Name)
	}
	var worlds []eval.World
	for i, t := range trials {
		worlds = append(worlds, eval.Gather(t.name, t.figures, methods, runs[i*v.seeds:(i+1)*v.seeds]))
	}
	if v.json {
		return printJSON(e, struct {
			Worlds []eval.World `json:"worlds"`
			Worst  *eval.Gap    `json:"worst"`
		}{worlds, eval.Worst(worlds)})
	}
	if err := eval.PrintWorlds(e.stdout, worlds); err != nil || v.named {
		return err
	}
	_, err = fmt.Fprintf(e.stdout, "in %s the reference objective is left out, as it would take minutes a seed; -methods with its name judges it there too\n", strings.Join(slowForReference, " and "))
	return err
}

// slowForReference are the worlds where a training of the reference objective takes 7 to 25 s, and a seed with its 16
// to 20 trainings minutes. There it is judged only if -methods names it.
var slowForReference = []string{"exposed", "large"}

func (v *evaluation) simulatedTrial(ctx context.Context, name string, c simulate.Config) trial {
	w, left := *v, -1
	if !v.named && slices.Contains(slowForReference, name) {
		left = slices.Index(v.chosen, "reference")
		w.chosen = slices.Delete(slices.Clone(v.chosen), left, left+1)
	}
	return trial{name, attackFigures, func(seed uint64) ([][]float64, error) {
		r, err := w.judgeSimulation(ctx, c, seed)
		figures := figuresOf(r, attackFigures)
		if err == nil && left >= 0 {
			figures = slices.Insert(figures, left, slices.Repeat([]float64{math.NaN()}, len(attackFigures)))
		}
		return figures, err
	}}
}

// realWorld is a well-known data set, and how it is judged.
type realWorld struct {
	name  string
	files []string
	trial func(ctx context.Context, v *evaluation, e *env, dir, name string) (*trial, error) // fs.ErrNotExist: a file is not there
}

var realWorlds = []realWorld{
	{"enron10", []string{"enron10.ndjson.gz", "enron10_test.ndjson.gz"}, linkTrial(eval.LinkPlan{Undirected: true})},
	{"radoslaw", []string{"radoslaw.ndjson.gz", "radoslaw_test.ndjson.gz"}, linkTrial(eval.LinkPlan{Step: allLinkStep, Pooled: true})},
	{"darpa98", []string{darpaFile}, darpaTrial("")},
	{"darpa98, no floods", []string{darpaFile}, darpaTrial("category=" + floods)},
	{"ssh_lab, planted", []string{labFile}, plantedTrial(labFile, ownFields, "")},
	{"notebook, planted", []string{notebookFile}, plantedTrial(notebookFile, nil, notebookColumns)},
}

const (
	darpaFile    = "darpa98_june.ndjson.gz"
	labFile      = "ssh_lab.ndjson.gz"
	notebookFile = "maccdc2012_ssh.log"
	// notebookColumns are those of Zeek's old log that matter here.
	notebookColumns = "ts,uid,id.orig_h,id.orig_p,id.resp_h,id.resp_p,status,direction,client,server"
	// What of DARPA's categories is an attack that a graph can see, and what floods the stream.
	breakIns = "r2l|u2r"
	floods   = "dos|probe|dos+r2l"
)

func realFiles() string {
	var names []string
	for _, w := range realWorlds {
		names = append(names, strings.Join(w.files, " with "))
	}
	return strings.Join(slices.Compact(names), ", ")
}

// ownFields are the settings for the fields of records that were made for this purpose.
var ownFields = settings{"preset": "custom", "source": "source", "destination": "destination", "relation": "relation", "time": "ts"}

// known returns the source of a file of a data set, whose fields are known, whatever the flags say of fields.
func (v *evaluation) known(dir, file string, fields settings, columns string) (source, error) {
	path := filepath.Join(dir, file)
	if _, err := os.Stat(path); err != nil {
		return source{}, err
	}
	c, err := fields.load()
	return source{[]string{path}, c.Fields, columns}, err
}

func linkTrial(plan eval.LinkPlan) func(context.Context, *evaluation, *env, string, string) (*trial, error) {
	return func(ctx context.Context, v *evaluation, e *env, dir, name string) (*trial, error) {
		events, err := v.known(dir, name+".ndjson.gz", ownFields, "")
		if err != nil {
			return nil, err
		}
		test, err := v.known(dir, name+"_test.ndjson.gz", ownFields, "")
		if err != nil {
			return nil, err
		}
		w, err := v.readLinks(ctx, e, events, test, plan)
		if err != nil {
			return nil, err
		}
		return &trial{name, linkFigures, func(seed uint64) (out [][]float64, err error) {
			results, err := v.judgeLinks(ctx, w, seed)
			for _, r := range results {
				out = append(out, []float64{r.AP, r.AUC, r.NewAP, r.NewAUC})
			}
			return out, err
		}}, nil
	}
}

func darpaTrial(drop string) func(context.Context, *evaluation, *env, string, string) (*trial, error) {
	return func(ctx context.Context, v *evaluation, e *env, dir, name string) (*trial, error) {
		src, err := v.known(dir, darpaFile, ownFields, "")
		if err != nil {
			return nil, err
		}
		var l labels
		for text, list := range map[string]*[]config.Condition{"category=" + breakIns: &l.attack, "label=0": &l.benign, drop: &l.drop} {
			if text != "" {
				*list, _ = config.ParseConditions(text)
			}
		}
		sessions, err := v.sessions(ctx, e, src, l, false)
		if err != nil {
			return nil, err
		}
		plan, err := v.daysPlan(e, sessions)
		if err != nil {
			return nil, err
		}
		plan.Every = eval.Day // a record is a pair on a day
		return &trial{name, recordFigures, func(seed uint64) ([][]float64, error) {
			r, err := eval.Days(ctx, sessions, plan, v.methods(seed), seed)
			return figuresOf(r, recordFigures), err
		}}, nil
	}
}

func plantedTrial(file string, fields settings, columns string) func(context.Context, *evaluation, *env, string, string) (*trial, error) {
	return func(ctx context.Context, v *evaluation, e *env, dir, name string) (*trial, error) {
		src, err := v.known(dir, file, fields, columns)
		if err != nil {
			return nil, err
		}
		sessions, err := v.sessions(ctx, e, src, labels{}, true)
		if err != nil {
			return nil, err
		}
		return &trial{name, plantedFigures, func(seed uint64) ([][]float64, error) {
			planted := eval.Inject(sessions, v.from, v.every, seed)
			r, err := eval.Parts(ctx, planted, v.from, v.parts, v.methods(seed), seed)
			return figuresOf(r, plantedFigures), err
		}}, nil
	}
}

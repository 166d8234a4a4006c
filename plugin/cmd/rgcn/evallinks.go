package main

import (
	"context"
	"fmt"
	"strconv"

	"flb-filter-rgcn/model/eval"
)

// pairFields are those of the records of link prediction beside what a session has; see readLinks.
var pairFields = []string{"label", "seed", "new", "snapshot"}

// linkWorld are the events and pairs of link prediction.
type linkWorld struct {
	events []eval.Dated
	pairs  []eval.Pair
	plan   eval.LinkPlan
}

// readLinks reads events, and from test the pairs to judge: label is 0 for a true pair and 1 for a made-up one, new is
// 1 for one that is not among the events before, seed tells several draws of made-up pairs apart. The snapshot of a
// record is the number in snapshot, or else the day of its time.
func (v *evaluation) readLinks(ctx context.Context, e *env, events, test source, plan eval.LinkPlan) (*linkWorld, error) {
	w := &linkWorld{plan: plan}
	past, err := v.records(ctx, e, events, pairFields)
	if err != nil {
		return nil, err
	}
	numbered := past[0].values[3] != ""
	dated := func(r *sessionRecord, file string) (eval.Dated, error) {
		d := eval.Dated{Event: r.Event, Snapshot: r.Time / int64(eval.Day)}
		text := r.values[3]
		if (text != "") != numbered {
			return d, fmt.Errorf("%s: some records have a snapshot and others have none", file)
		}
		if numbered {
			var err error
			if d.Snapshot, err = strconv.ParseInt(text, 10, 64); err != nil {
				return d, fmt.Errorf("%s: snapshot is %q: want an integer", file, text)
			}
		}
		return d, nil
	}
	for i := range past {
		d, err := dated(&past[i], events.files[0])
		if err != nil {
			return nil, err
		}
		w.events = append(w.events, d)
	}
	pairs, err := v.records(ctx, e, test, pairFields)
	if err != nil {
		return nil, err
	}
	for i := range pairs {
		r := &pairs[i]
		d, err := dated(r, test.files[0])
		if err != nil {
			return nil, err
		}
		label, draw, isNew := r.values[0], r.values[1], r.values[2]
		if label != "0" && label != "1" {
			return nil, fmt.Errorf("%s: label is %q: want 0 for a true pair and 1 for a made-up one", test.files[0], label)
		}
		w.pairs = append(w.pairs, eval.Pair{Dated: d, True: label == "0", New: isNew == "1" || isNew == "true", Draw: draw})
	}
	return w, nil
}

func (v *evaluation) judgeLinks(ctx context.Context, w *linkWorld, seed uint64) ([]eval.LinkResult, error) {
	return eval.Links(ctx, w.events, w.pairs, w.plan, func() []eval.Method { return v.methods(seed) }, seed)
}

// links judges link prediction and writes its table.
func (v *evaluation) links(ctx context.Context, e *env) error {
	test := v.source([]string{v.pairs})
	w, err := v.readLinks(ctx, e, v.source(e.args), test, v.linkPlan)
	if err != nil {
		return err
	}
	runs, err := perSeed(ctx, v, e, func(seed uint64) ([]eval.LinkResult, error) { return v.judgeLinks(ctx, w, seed) })
	if err != nil {
		return err
	}
	rows := eval.SummarizeLinks(runs)
	if v.json {
		return printJSON(e, rows)
	}
	return eval.PrintLinks(e.stdout, rows)
}

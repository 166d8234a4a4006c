package model

import (
	"context"
	"errors"
	"math"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Report says how a training went.
type Report struct {
	Nodes, Relations, Edges int
	Featured                int     // nodes with a feature, of Config.Features
	Warm                    bool    // started from a previous model
	Steps                   int     // optimiser steps made
	Loss                    float32 // mean of the last tenth of the steps
	Quality                 float64 // of the Scorer: AUC over held-out triplets, the last tenth of the activity, against corrupted ones
	Previous                float64 // the same for the model that training started from; 0 on a cold start
	Kept                    bool    // the new parameters were worse than the previous ones, which stay
	Threshold               float32
	Device                  string // CPU, or the number and name of a card
	Fallback                error  // why Auto did not train a graph of this size on a card; nil where it did, or the graph is small
	Duration                time.Duration
}

// ErrTooLittle is what Train returns for a snapshot in which nothing follows on anything.
var ErrTooLittle = errors.New("model: too little to learn from: no new or repeated sessions after the first ones")

// ErrDiverged is what Train returns when the loss is no number any more.
var ErrDiverged = errors.New("model: training diverged")

// The shares of the activity at which cuts lie: trainWindows windows from firstCut to
// heldOut, whose triplets are learned from, and the rest, whose triplets judge.
const (
	firstCut     = 0.15
	heldOut      = 0.90
	trainWindows = 11
	warmShare    = 0.25 // of the steps, when training goes on from a previous model
	heldOutRows  = 2048 // true triplets judged at most
)

// Train trains on a snapshot and returns a Scorer over all of it. It calls progress, unless
// nil, after each step. It returns ctx's error when that ends: within one step, on a card two
// passes, or, before and after the steps, within one pass over the edges. The same snapshot, Config, number of
// threads and device give the same Scorer to the bit.
func Train(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, progress func(step, steps int, loss float32)) (*Scorer, Report, error) {
	start := time.Now()
	report := Report{Nodes: len(snap.Nodes), Relations: len(snap.Relations), Edges: len(snap.Edges), Device: CPU}
	if err := cfg.Validate(); err != nil {
		return nil, report, err
	}
	cfg = cfg.sized(len(snap.Edges))
	if cfg.Objective == ReferenceGoal {
		return trainByReference(ctx, snap, cfg, progress)
	}
	report.Featured = featured(snap, cfg.Features)
	t := &training{snap: snap, cfg: cfg, ds: newDataset(snap, cfg.Features), progress: progress}
	if cfg.without("tenure") {
		t.ds.tenures.source, t.ds.tenures.relation = 0, 0
	}
	t.windows, t.heldOut = newWindows(t.ds, cfg.OneWindow)
	if t.windows.len() == 0 || !t.ds.hasTargets(t.heldOut) {
		return nil, report, ErrTooLittle
	}
	t.model = newModel(snap, cfg)
	if cfg.Previous != nil && t.model.adopt(cfg.Previous) {
		report.Warm = true
		t.before = t.model.clone()
	} else if err := t.model.measure(ctx, t.windows, cfg); err != nil {
		return nil, report, err
	}
	t.x, t.y = t.ds.inputs(snap, cfg.Dim)

	s, err := t.run(ctx, &report)
	if cfg.Device == Auto && errors.Is(err, ErrDevice) {
		// The lost card may have left half of its parameters in the model, and windows in another order.
		lost := err
		cfg.Device = CPU
		s, report, err = Train(ctx, snap, cfg, progress)
		report.Fallback = lost
	}
	report.Duration = time.Since(start)
	return s, report, err
}

// training is one call of Train.
type training struct {
	snap     *graphbuf.Snapshot
	cfg      Config
	ds       *dataset
	windows  *windows
	heldOut  span
	model    *Model
	before   *Model    // that training started from, nil on a cold start
	x, y     []float32 // the fixed inputs of destinations and sources
	progress func(step, steps int, loss float32)
}

// run trains on one device, judges what came of it and makes the scorer.
func (t *training) run(ctx context.Context, report *Report) (*Scorer, error) {
	ds, cfg, m := t.ds, t.cfg, t.model
	sh := shape{len(ds.sources), len(ds.destinations), ds.relations}
	e, device, fallback, err := newEngine(cfg, sh, m, m.steps(cfg, report.Warm), len(ds.edges), t.x, t.y)
	if err != nil {
		return nil, err
	}
	defer e.close()
	report.Device = device
	if fallback != nil {
		report.Fallback = fallback
	}
	if err := m.fit(ctx, t.windows, cfg, e, report, t.progress); err != nil {
		return nil, err
	}

	t.windows.forget()
	judged := t.windows.make(t.heldOut)
	var b batch
	judged.sample(ds, &b, newPhilox(cfg.Seed, streamHeldOut), heldOutRows, cfg)
	judge := func(m *Model) ([]scored, float64, error) {
		em, err := e.embed(m.params, judged.cut)
		if err != nil {
			return nil, 0, err
		}
		scores, quality := m.decoder().judge(em, &b)
		return scores, quality, nil
	}
	scores, quality, err := judge(m)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(quality) {
		return nil, ErrDiverged
	}
	if t.before != nil {
		old, previous, err := judge(t.before)
		if err != nil {
			return nil, err
		}
		report.Previous = previous
		if quality < previous-cfg.Tolerance {
			m, scores, quality, report.Kept = t.before, old, previous, true
		}
	}
	report.Quality = quality
	even := 1 / float32(1+cfg.Negatives) // for each true triplet there are so many corrupted ones of its weight
	m.heldOut = heldOutScores{scores, ds.busyDays(t.heldOut), even}
	m.SetThreshold(cfg.Threshold)
	m.Quality = quality
	report.Threshold = m.Threshold

	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.scorer(t.snap, ds, e.embed)
}

// inputs returns the fixed vectors of destinations, x, and sources, y, each [rows][k]: the
// signs of the names' hashes. Where k is at least the number of rows, orthogonal vectors
// of the same length take their place, and the inner products are exact.
func (ds *dataset) inputs(snap *graphbuf.Snapshot, k int) (x, y []float32) {
	return input(snap, ds.destinations, k), input(snap, ds.sources, k)
}

// input returns the fixed vectors of one side.
func input(snap *graphbuf.Snapshot, side []int32, k int) []float32 {
	out := make([]float32, len(side)*k)
	for i, node := range side {
		if len(side) <= k {
			out[i*k+i] = sqrt(float32(k))
		} else {
			fillSigns(row(out, int32(i), k), snap.Nodes[node].Name)
		}
	}
	return out
}

// measure takes the scaling of the decoder's inputs from a sample of each window.
func (m *Model) measure(ctx context.Context, train *windows, cfg Config) error {
	var sum, squares [features]float64
	var n float64
	d := m.decoder()
	d.scaling = nil
	var b batch
	for i := range train.len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		// Without embeddings: structural inputs are already of the scale of one.
		train.get(i).sample(train.ds, &b, newPhilox(cfg.Seed, streamHeldOut+uint64(i)<<32), sampleSize, cfg)
		for j := range b.s {
			var f [features]float32
			d.inputs(&f, &b.n[j], structure{})
			for k, v := range f[:featWalk] {
				sum[k] += float64(v)
				squares[k] += float64(v * v)
			}
			n++
		}
	}
	s := &m.scaling
	for k := range s.Inv {
		s.Inv[k] = 1
		if k < featWalk {
			mean := sum[k] / n
			s.Mean[k] = float32(mean)
			s.Inv[k] = float32(1 / math.Sqrt(max(squares[k]/n-mean*mean, 0)+0.01))
		}
	}
	return nil
}

// edgesPerRound is for how many edges the decoder makes one more step on each pass of the
// layers, maxRounds the most. A step of the decoder costs the same however large the graph is,
// a pass of the layers, whose weights move slowly, grows with it. On six simulations 4 and 16
// rounds scored as well as 1.
const (
	edgesPerRound = 2500
	maxRounds     = 16
)

func rounds(edges int) int { return min(1+edges/edgesPerRound, maxRounds) }

// fit makes the optimiser's steps on an engine.
func (m *Model) fit(ctx context.Context, train *windows, cfg Config, e engine, report *Report, progress func(step, steps int, loss float32)) error {
	steps, rate := m.steps(cfg, report.Warm), cfg.LearningRate
	if report.Warm {
		rate /= 2
	}
	known := losses{steps: steps, progress: progress}
	first := streamSample + uint64(m.params.step)
	batches, rates := make([]batch, rounds(len(train.ds.edges))), make([]float64, rounds(len(train.ds.edges)))
	for step := 0; step < steps; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(batches), steps-step)
		var w *window
		for i := range n {
			rng := newPhilox(cfg.Seed, first+uint64(step+i))
			if j := rng.intn(train.len()); i == 0 {
				w = train.get(j)
			}
			w.sample(train.ds, &batches[i], rng, sampleSize, cfg)
			batches[i].dropout(rng, cfg.Dropout)
			rates[i] = rate * schedule(step+i, steps)
		}
		if err := e.pass(w, batches[:n], rates[:n]); err != nil {
			return err
		}
		step += n
		if err := known.tell(e.losses()); err != nil {
			return err
		}
	}
	if err := e.finish(); err != nil {
		return err
	}
	report.Steps = steps
	err := known.tell(e.losses())
	report.Loss = float32(known.tail)
	return err
}

// steps is how many steps of the decoder a training makes.
func (m *Model) steps(cfg Config, warm bool) int {
	if warm {
		return max(1, int(float64(cfg.Steps)*warmShare))
	}
	return cfg.Steps
}

// schedule is the share of the learning rate at a step: a rise over the first twentieth,
// then half a cosine down.
func schedule(step, steps int) float64 {
	rise := max(1, steps/20)
	if step < rise {
		return float64(step+1) / float64(rise)
	}
	return 0.5 + 0.5*math.Cos(math.Pi*float64(step-rise)/float64(max(1, steps-rise)))
}

// dropout draws which hidden units stay; they are scaled up for those that do not.
func (b *batch) dropout(rng *philox, p float64) {
	if p == 0 {
		return
	}
	for i := range b.s {
		b.keep = append(b.keep, [hidden]float32{})
		rng.dropOut(b.keep[i][:], p)
	}
}

// judge scores a batch: the scores of its true triplets as often as they occur, and the AUC.
func (d *decoder) judge(e *embeddings, b *batch) (natural []scored, quality float64) {
	var true_, false_ []scored
	var f [features]float32
	var h [hidden]float32
	for i := range b.s {
		d.inputs(&f, &b.n[i], d.structure(e, b.s[i], b.r[i], b.d[i], &b.near[i]))
		y := d.logit(&f, &h, nil)
		if y != y {
			return nil, math.NaN()
		}
		s := scored{sigmoid(y + b.tenure[i]), b.weight[i]}
		if b.label[i] > 0 {
			true_ = append(true_, s)
			natural = append(natural, scored{s.score, b.mass[i]})
		} else {
			false_ = append(false_, s)
		}
	}
	return natural, auc(true_, false_)
}

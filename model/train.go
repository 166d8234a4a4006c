package model

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Report says how a training went.
type Report struct {
	Nodes, Relations, Edges int
	Warm                    bool    // started from a previous model
	Steps                   int     // optimiser steps made
	Loss                    float32 // mean of the last tenth of the steps
	Quality                 float64 // of the Scorer: AUC over held-out triplets, the last tenth of the activity, against corrupted ones
	Previous                float64 // the same for the model that training started from; 0 on a cold start
	Kept                    bool    // the new parameters were worse than the previous ones, which stay
	Threshold               float32
	Device                  string
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
// nil, after each step. It returns ctx's error when that ends: within one step or, before and
// after the steps, within one pass over the edges. The same
// snapshot, Config and number of threads give the same Scorer to the bit.
func Train(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, progress func(step, steps int, loss float32)) (*Scorer, Report, error) {
	start := time.Now()
	report := Report{Nodes: len(snap.Nodes), Relations: len(snap.Relations), Edges: len(snap.Edges), Device: "cpu"}
	if err := cfg.Validate(); err != nil {
		return nil, report, err
	}
	ds := newDataset(snap)
	train, test := newWindows(ds)
	if train.len() == 0 || !ds.hasTargets(test) {
		return nil, report, ErrTooLittle
	}
	m := newModel(snap, cfg)
	var before *Model
	if cfg.Previous != nil && m.adopt(cfg.Previous) {
		report.Warm = true
		before = m.clone()
	} else if err := m.measure(ctx, train, cfg); err != nil {
		return nil, report, err
	}

	x, y := ds.inputs(snap, cfg.Dim)
	sh := shape{len(ds.sources), len(ds.destinations), ds.relations}
	if err := m.fit(ctx, train, cfg, sh, x, y, &report, progress); err != nil {
		return nil, report, err
	}

	train.forget()
	judged := train.make(test)
	convs := newConvs(cfg, sh)
	setMessages(&convs, judged.messages)
	var b batch
	judged.sample(ds, &b, newPhilox(cfg.Seed, streamHeldOut), heldOutRows, cfg)
	judge := func(m *Model) ([]scored, float64) {
		e := embed(&convs, m.params, cfg.Dim, x, y)
		return m.decoder().judge(e, &b)
	}
	scores, quality := judge(m)
	if math.IsNaN(quality) {
		return nil, report, ErrDiverged
	}
	if before != nil {
		var old []scored
		old, report.Previous = judge(before)
		if quality < report.Previous-cfg.Tolerance {
			m, scores, quality, report.Kept = before, old, report.Previous, true
		}
	}
	report.Quality = quality
	even := 1 / float32(1+cfg.Negatives) // for each true triplet there are so many corrupted ones of its weight
	m.heldOut = heldOutScores{scores, ds.busyDays(test), even}
	m.SetThreshold(cfg.Threshold)
	m.Quality = quality
	report.Threshold = m.Threshold

	if err := ctx.Err(); err != nil {
		return nil, report, err
	}
	s := m.scorer(snap, ds, crew{cfg.Threads, cfg.EnterThread}, x, y)
	report.Duration = time.Since(start)
	return s, report, nil
}

// inputs returns the fixed vectors of destinations, x, and sources, y, each [rows][k]: the
// signs of the names' hashes. Where k is at least the number of rows, orthogonal vectors
// of the same length take their place, and the inner products are exact.
func (ds *dataset) inputs(snap *graphbuf.Snapshot, k int) (x, y []float32) {
	make_ := func(side []int32) []float32 {
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
	return make_(ds.destinations), make_(ds.sources)
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
			d.inputs(&f, nil, -1, -1, -1, &b.n[j], &near{})
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

// fit makes the optimiser's steps.
func (m *Model) fit(ctx context.Context, train *windows, cfg Config, sh shape, x, y []float32, report *Report, progress func(step, steps int, loss float32)) error {
	net, err := newNetwork(cfg, sh, m.params, x, y)
	if err != nil {
		return err
	}
	defer net.close()
	net.decoder.scaling = &m.scaling
	ds := train.ds
	steps, rate := cfg.Steps, cfg.LearningRate
	if report.Warm {
		steps, rate = max(1, int(float64(steps)*warmShare)), rate/2
	}
	var tail float64
	tailSteps := max(1, steps/10)
	step := 0
	update := func(grads [][]float32, layers bool) {
		m.params.adam(grads, rate*schedule(step, steps), layers)
		step++
	}
	var w *window
	draw := func() {
		rng := newPhilox(cfg.Seed, streamSample+uint64(m.params.step))
		if i := rng.intn(train.len()); w == nil {
			w = train.get(i)
		}
		w.sample(ds, &net.batch, rng, sampleSize, cfg)
		net.batch.dropout(rng, cfg.Dropout)
	}
	for step < steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		w = nil
		draw()
		setMessages(&net.convs, w.messages)
		first, n := step, min(rounds(len(ds.edges)), steps-step)
		loss, err := net.run(n, func() {
			update(net.decoderGrads, false)
			draw()
		})
		if err != nil {
			return err
		}
		if math.IsNaN(float64(loss)) || math.IsInf(float64(loss), 0) {
			return fmt.Errorf("%w: loss %v at step %d", ErrDiverged, loss, step)
		}
		if cfg.without("layers") { // they stay plain propagation
			for i, p := range m.params.list {
				if p.layer {
					clear(net.grads[i])
				}
			}
		}
		update(net.grads, true)
		for i := first; i < step; i++ {
			if i >= steps-tailSteps {
				tail += float64(loss) / float64(tailSteps)
			}
			if progress != nil {
				progress(i+1, steps, loss)
			}
		}
	}
	report.Steps, report.Loss = steps, float32(tail)
	return nil
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
	scale := float32(1 / (1 - p))
	for range b.s {
		var keep [hidden]float32
		for j := range keep {
			if rng.float() >= float32(p) {
				keep[j] = scale
			}
		}
		b.keep = append(b.keep, keep)
	}
}

// judge scores a batch: the scores of its true triplets as often as they occur, and the AUC.
func (d *decoder) judge(e *embeddings, b *batch) (natural []scored, quality float64) {
	var true_, false_ []scored
	var f [features]float32
	var h [hidden]float32
	for i := range b.s {
		d.inputs(&f, e, b.s[i], b.r[i], b.d[i], &b.n[i], &b.near[i])
		y := d.logit(&f, &h, nil)
		if y != y {
			return nil, math.NaN()
		}
		s := scored{sigmoid(y), b.weight[i]}
		if b.label[i] > 0 {
			true_ = append(true_, s)
			natural = append(natural, scored{s.score, b.mass[i]})
		} else {
			false_ = append(false_, s)
		}
	}
	return natural, auc(true_, false_)
}

package model

import (
	"context"
	"errors"
	"math"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/internal/temporal"
	"flb-filter-rgcn/model/ranking"
)

// Report says how a training went.
type Report struct {
	Nodes, Relations, Edges int
	Featured                int     // nodes that Config.Features knows more of than their names
	Warm                    bool    // started from a previous model
	Steps                   int     // optimiser steps made; 0 where too little is new for one: the parameters stay, and score by the newer graph
	Loss                    float32 // mean of the last tenth of the last steps, 0 without any
	Quality                 float64 // of the parameters that stay: AUC over held-out triplets, the newest of the activity, against corrupted ones
	Previous                float64 // the same for the model that training started from; 0 on a cold start
	Kept                    bool    // the new parameters were worse than the previous ones, which stay, or weak: see Model.IsWeak
	Threshold               float32
	Device                  string // CPU, or the number and name of a card
	Fallback                error  // why Auto did not train a graph of this size on a card; nil where it did, or the graph is small
	Duration                time.Duration
}

// ErrDiverged is what Train returns when the loss is no number any more.
var ErrDiverged = optim.ErrDiverged

// ErrTooLittle is what Train returns for a snapshot in which nothing follows on anything.
var ErrTooLittle = errors.New("model: too little to learn from: no new or repeated sessions after the first ones")

const (
	warmRate    = 0.5  // of the learning rate, when training goes on from a previous model
	lastShare   = 0.25 // of the steps, made again once the model is judged: they learn from what was held out as well
	heldOutRows = 2048 // positives judged at most
)

// Train trains on a snapshot and returns a Scorer over all of it. It calls progress, unless
// nil, after each step. It returns ctx's error when that ends: within one pass of the layers and the steps of the decoder
// that belong to it, on a card two, or, before and after them, within one pass over the edges. The same snapshot, Config, number of
// threads and device give the same Scorer to the bit.
func Train(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, progress func(step, steps int, loss float32)) (*Scorer, Report, error) {
	start := time.Now()
	report := Report{Nodes: len(snap.Nodes), Relations: len(snap.Relations), Edges: len(snap.Edges), Device: device.CPU}
	if err := cfg.Validate(); err != nil {
		return nil, report, err
	}
	cfg = cfg.sized(len(snap.Edges))
	if cfg.Objective == ReferenceGoal {
		return trainByReference(ctx, snap, cfg, progress)
	}
	report.Featured = temporal.CountFeatured(snap, cfg.Features)
	pool := num.NewPool(cfg.Threads, cfg.EnterThread)
	defer pool.Close()
	t, err := newTraining(ctx, snap, cfg, pool, report)
	if err != nil {
		return nil, report, err
	}
	t.progress = progress
	s, err := t.run(ctx)
	report = t.report
	if cfg.Device == device.Auto && errors.Is(err, device.ErrFailed) {
		// The lost card may have left half of its parameters in the model, and windows in another order.
		lost := err
		cfg.Device = device.CPU
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
	pool     *num.Pool
	ds       *temporal.Dataset
	bad      []temporal.Bad
	windows  *temporal.Windows
	heldOut  temporal.Span
	model    *Model
	before   *Model // that training started from, nil on a cold start
	progress func(step, steps int, loss float32)
	made     int // steps, of those that are to be told to progress
	report   Report
}

// newTraining prepares the data and the model of a training, which the pool computes; report says what is known of the
// snapshot.
func newTraining(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, pool *num.Pool, report Report) (*training, error) {
	t := &training{snap: snap, cfg: cfg, pool: pool, ds: temporal.NewDataset(snap, cfg.Features, pool), report: report}
	if cfg.without("tenure") {
		t.ds.IgnoreTenure()
	}
	t.ds.Unanswered = cfg.Unanswered
	t.bad = badOf(snap, t.ds, cfg.Bad)
	t.windows, t.heldOut = temporal.NewWindows(t.ds, cfg.OneWindow)
	if t.windows.Len() == 0 || !t.ds.HasPositives(t.heldOut) {
		return nil, ErrTooLittle
	}
	t.model = newModel(snap, cfg)
	if cfg.Previous != nil && cfg.Previous.until != 0 && t.model.adopt(cfg.Previous) {
		t.report.Warm = true
		t.before = t.model.clone()
		t.before.heldOut, t.before.Quality = cfg.Previous.heldOut, cfg.Previous.Quality
		t.before.extent = cfg.Previous.extent
		t.before.SetThreshold(cfg.Threshold)
		before, after := t.steps()
		t.model.fade(before + after)
		if !t.hasGrown(t.model.measured) {
			return t, nil
		}
	}
	return t, t.measure(ctx)
}

// measure takes the scaling of the decoder's inputs from a sample of each window. A model that goes on from a previous
// one computes what it did.
func (t *training) measure(ctx context.Context) error {
	var sums gnn.ScalingSums
	var b temporal.Batch
	for i := range t.windows.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.windows.Get(i).Sample(t.ds, &b, num.NewPhilox(t.cfg.Seed, num.StreamHeldOut+uint64(i)<<32), temporal.SampleSize, t.cfg.sampling())
		sums.Add(&b)
	}
	if t.report.Warm {
		t.model.rescale(sums.Scaling())
	}
	t.model.scaling, t.model.measured = sums.Scaling(), t.extent()
	return nil
}

// steps is how many steps of the decoder the training makes before it is judged, and how many after that.
func (t *training) steps() (before, after int) {
	all := float64(t.cfg.Steps)
	if t.report.Warm {
		before, after = t.due(all), t.due(all*lastShare)
	} else {
		before, after = t.cfg.Steps, max(1, int(all*lastShare))
	}
	if t.cfg.without("newest") {
		after = 0
	}
	return before, after
}

// run trains on one device, judges what came of it, has it learn the rest and makes the scorer.
func (t *training) run(ctx context.Context) (*Scorer, error) {
	ds, cfg := t.ds, t.cfg
	network := cfg.network()
	network.Pool = t.pool
	before, after := t.steps()
	spec := gnn.Spec{
		Network: network, Shape: gnn.Shape{Sources: len(ds.Sources), Destinations: len(ds.Destinations), Relations: ds.Relations},
		Params: t.model.params, Scaling: &t.model.scaling,
		DestinationInputs: gnn.FixedInputs(t.snap, ds.Destinations, cfg.Dim), SourceInputs: gnn.FixedInputs(t.snap, ds.Sources, cfg.Dim),
		Device: cfg.Device, Steps: before, Edges: len(ds.Edges), MaxBatch: temporal.SampleSize * (1 + cfg.Negatives), Dropout: cfg.Dropout,
	}
	on, err := gnn.NewEngine(spec)
	if err != nil {
		return nil, err
	}
	e := on.Engine
	defer func() {
		if e != nil {
			e.Close()
		}
	}()
	t.report.Device, t.report.Fallback = on.Device, on.Fallback
	rate := cfg.LearningRate
	if t.report.Warm {
		rate *= warmRate
	}
	if err := t.fit(ctx, e, before, rate); err != nil {
		return nil, err
	}
	m, err := t.judge(e)
	if err != nil {
		return nil, err
	}
	if !t.report.Kept && after > 0 {
		// What comes next resembles the newest activity most. Threshold and quality were taken before, from a model that
		// did not know it.
		t.windows.Add(t.heldOut)
		e.Close()
		e, spec.Steps = nil, after
		if on, err = gnn.NewEngine(spec); err != nil {
			return nil, err
		}
		e = on.Engine
		if on.Fallback != nil { // the card is not to be had any more
			t.report.Device, t.report.Fallback = on.Device, on.Fallback
		}
		if err := t.fit(ctx, e, after, warmRate*cfg.LearningRate); err != nil {
			return nil, err
		}
		t.windows.Release()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.scorer(t.snap, ds, e.Embed)
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

// fit makes steps of the optimiser on an engine.
func (t *training) fit(ctx context.Context, e gnn.Engine, steps int, rate float64) error {
	if steps == 0 {
		return e.Finish()
	}
	sampling := t.cfg.sampling()
	sampling.Bad = t.bad // not where models are judged, so that a list that changes moves no threshold
	known := optim.Losses{Steps: steps, Progress: t.tell}
	earlier := uint64(t.model.params.Steps) // steps before these
	batches, rates := make([]gnn.StepBatch, rounds(len(t.ds.Edges))), make([]float64, rounds(len(t.ds.Edges)))
	for step := 0; step < steps; {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(len(batches), steps-step)
		var w *temporal.Window
		for i := range n {
			number := earlier + uint64(step+i)
			rng := num.NewPhilox(t.cfg.Seed, num.StreamSample+number)
			sampling.BadDraws = num.NewPhilox(t.cfg.Seed, num.StreamBad+number)
			if j := rng.IntN(t.windows.Len()); i == 0 { // every step draws, so that the number of rounds moves no other draw
				w = t.windows.Get(j)
			}
			w.Sample(t.ds, &batches[i].Batch, rng, temporal.SampleSize, sampling)
			batches[i].Dropout(rng, t.cfg.Dropout)
			rates[i] = rate * schedule(step+i, steps)
		}
		if err := e.Pass(w, batches[:n], rates[:n]); err != nil {
			return err
		}
		step += n
		if err := known.Tell(e.Losses()); err != nil {
			return err
		}
	}
	if err := e.Finish(); err != nil {
		return err
	}
	err := known.Tell(e.Losses())
	t.made += steps
	t.report.Steps, t.report.Loss = t.made, float32(known.Tail)
	if err == nil && !t.model.params.Finite() {
		err = optim.ErrDiverged
	}
	return err
}

// tell passes progress on, as a share of all steps.
func (t *training) tell(step, _ int, loss float32) {
	if t.progress != nil {
		before, after := t.steps()
		t.progress(t.made+step, before+after, loss)
	}
}

// judge scores the held-out triplets by the trained model and by the one before it, and returns the one that stays, with
// its threshold. The one before has learned from most of these triplets, which is worth 0.0015 of AUC on average.
func (t *training) judge(e gnn.Engine) (*Model, error) {
	t.windows.Release()
	judged := t.windows.Make(t.heldOut)
	var b temporal.Batch
	judged.Sample(t.ds, &b, num.NewPhilox(t.cfg.Seed, num.StreamHeldOut), heldOutRows, t.cfg.sampling())
	scoresOf := func(m *Model) ([]ranking.Weighted, float64, error) {
		em, err := e.Embed(m.params, judged.Cut)
		if err != nil {
			return nil, 0, err
		}
		scores, quality := m.decoder().Judge(em, &b)
		return scores, quality, nil
	}
	m := t.model
	scores, quality, err := scoresOf(m)
	if err != nil {
		return nil, err
	}
	if math.IsNaN(quality) {
		return nil, optim.ErrDiverged
	}
	even := 1 / float32(1+t.cfg.Negatives) // for each positive there are so many corrupted ones of its weight
	m.heldOut = ranking.HeldOut{Scores: scores, Days: t.ds.BusyDays(t.heldOut), Even: even, Settled: t.ds.Settled()}
	m.Quality, m.extent = quality, t.extent()
	if t.before != nil {
		_, previous, err := scoresOf(t.before)
		if err != nil {
			return nil, err
		}
		t.report.Previous = previous
		if !t.before.IsWeak() && (quality < previous-t.cfg.Tolerance || m.IsWeak() && t.previousIsRecent(len(scores))) {
			// It keeps the held-out scores of its own training: most of these triplets it has learned since.
			t.report.Kept, t.report.Quality, t.report.Threshold = true, previous, t.before.Threshold
			return t.before, nil
		}
	}
	m.SetThreshold(t.cfg.Threshold)
	t.report.Quality, t.report.Threshold = quality, m.Threshold
	return m, nil
}

// weakWait is how long a model outlasts newer ones that are weak, and fewWait where few triplets are held out. A scanner
// who fills the newest activity for an hour would end all alerts otherwise, or on a small network any intruder: for days
// his triplets are much of what is held out. What data are like from then on has to be learned in the end.
const (
	weakWait = 24 * time.Hour
	fewWait  = 7 * weakWait
)

// previousIsRecent tells whether a weak model, judged by so many triplets, comes too soon after the one before.
func (t *training) previousIsRecent(heldOut int) bool {
	wait := weakWait
	if heldOut < temporal.EnoughHeldOut {
		wait = fewWait
	}
	age := time.Duration(t.ds.End - t.cfg.Previous.until)
	return age > -wait && age < wait
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

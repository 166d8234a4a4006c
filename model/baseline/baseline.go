// Package baseline is the algorithm that the model is compared with: the R-GCN (Schlichtkrull et
// al. 2018) of a well-known notebook on SSH sessions, with a free table of node embeddings, to the
// letter and with its weaknesses. Corrupted triplets carry messages as positives do, a positive is in its own
// message graph, messages only run from source to destination, chatty pairs dominate, and the events that are
// scored were trained on.
package baseline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/internal/optim"
	"flb-filter-rgcn/model/ranking"
)

// Config says how to train the reference. The zero value is not usable.
type Config struct {
	Dim            int // width of embeddings and layers
	Epochs         int // one is StepsPerEpoch optimiser steps, whatever the size of the graph
	StepsPerEpoch  int
	Sample         int     // events drawn in a step, each with one corrupted triplet beside it
	LearningRate   float64 // of Adam, constant
	Dropout        float64 // after either layer, 0 to below 1
	Regularization float64 // weight of the mean squares of embeddings and relation vectors
	TrainShare     float64 // of the events; the rest judge
	Decoder        string  // distmult, transe or rotate, as logit has them
	Seed           uint64
	K              float64 // the threshold lies K standard deviations below the mean
}

// The names of the decoders, which logit defines.
const (
	DistMult = "distmult"
	TransE   = "transe"
	RotatE   = "rotate"
)

func Default() Config {
	return Config{
		Dim: 32, Epochs: 10, StepsPerEpoch: 50, Sample: 1000, LearningRate: 0.01, Dropout: 0.2,
		Regularization: 0.01, TrainShare: 0.8, Decoder: DistMult, Seed: 1, K: 2,
	}
}

func (c Config) Validate() error {
	bad := func(name string, value any, allowed string) error {
		return fmt.Errorf("model: reference: %s is %v, allowed %s", name, value, allowed)
	}
	switch {
	case c.Dim < 1 || c.Dim > 4096:
		return bad("Dim", c.Dim, "are 1 to 4096")
	case c.Epochs < 1:
		return bad("Epochs", c.Epochs, "are 1 and more")
	case c.StepsPerEpoch < 1:
		return bad("StepsPerEpoch", c.StepsPerEpoch, "are 1 and more")
	case c.Sample < 1 || c.Sample > 1<<20:
		return bad("Sample", c.Sample, "are 1 to 1048576")
	case !(c.LearningRate > 0):
		return bad("LearningRate", c.LearningRate, "are numbers above 0")
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return bad("Dropout", c.Dropout, "are 0 to below 1")
	case !(c.Regularization >= 0):
		return bad("Regularization", c.Regularization, "are 0 and more")
	case !(c.TrainShare > 0 && c.TrainShare < 1):
		return bad("TrainShare", c.TrainShare, "are numbers between 0 and 1")
	case c.Decoder != DistMult && c.Decoder != TransE && c.Decoder != RotatE:
		return bad("Decoder", c.Decoder, "are distmult, transe, rotate")
	case !(c.K >= 0):
		return bad("K", c.K, "are 0 and more")
	}
	return nil
}

// Model is a trained reference model. It is immutable.
type Model struct {
	Dim       int
	Decoder   string
	Nodes     []float32 // [nodes][dim], what the layers made of the table over all training events
	Relations []float32 // [relations][dim]
	Mean, SD  float64   // of the scores of all events; sd of a sample
	Threshold float32   // mean - K sd
	recall    float64   // share of the held-out events with a score of at least 0.5
}

// Score tells how expected a triplet is, 0 to 1; its parts are indices into the Nodes and
// Relations of the snapshot that was trained on. This model has no embedding for what it
// has not seen: anything unknown, -1, makes the score 0, the lowest there is.
func (m *Model) Score(s, r, d int32) float32 {
	if s < 0 || r < 0 || d < 0 {
		return 0
	}
	return num.Sigmoid(logit(m.Decoder, num.Row(m.Nodes, s, m.Dim), num.Row(m.Relations, r, m.Dim), num.Row(m.Nodes, d, m.Dim)))
}

// ErrTooFew is what a training returns for events that cannot be parted into some that train and some that judge.
var ErrTooFew = errors.New("baseline: too few events to train and to judge")

// Report says how a training of the reference went.
type Report struct {
	Steps     int     // optimiser steps made
	Loss      float32 // mean of the last tenth of the steps
	Quality   float64 // AUC over held-out events against corrupted ones
	Threshold float32
	Device    string // CPU, or the number and name of a card
	Fallback  error  // why Auto did not train a graph of this size on a card; nil where it did, or the graph is small
}

// Train trains the reference on a snapshot, on the caller's goroutine alone or on a card. It
// calls progress, unless nil, after each step, and returns ctx's error within one step of
// its end. The same snapshot, configuration and device give the same model to the bit.
func Train(ctx context.Context, snap *graphbuf.Snapshot, cfg Config, where string, progress func(step, steps int, loss float32)) (*Model, Report, error) {
	report := Report{Device: device.CPU}
	if err := cfg.Validate(); err != nil {
		return nil, report, err
	}
	train, test, err := splitEvents(ctx, snap.Edges, cfg.TrainShare, num.NewPhilox(cfg.Seed, num.StreamHeldOut))
	if err != nil {
		return nil, report, err
	}
	if train.total() == 0 || test.total() == 0 {
		return nil, report, ErrTooFew
	}

	net := newNetwork(cfg, len(snap.Nodes), len(snap.Relations))
	on, err := newEngine(where, net, len(snap.Edges))
	if err != nil {
		return nil, report, err
	}
	e := on.Engine
	defer e.close()
	report.Device, report.Fallback = on.Device, on.Fallback
	steps := cfg.Epochs * cfg.StepsPerEpoch
	tail, err := fit(ctx, e, train, num.NewPhilox(cfg.Seed, num.StreamSample), steps, progress)
	if err != nil {
		return nil, report, err
	}
	outputs, err := e.embed(train)
	if err != nil {
		return nil, report, err
	}
	m := &Model{Dim: cfg.Dim, Decoder: cfg.Decoder, Nodes: outputs, Relations: net.relation}
	report.Quality, m.recall = m.evaluate(test, len(snap.Nodes), num.NewPhilox(cfg.Seed, num.StreamHeldOut+1<<32))
	mean, sd := m.moments(snap.Edges)
	m.Mean, m.SD, m.Threshold = mean, sd, float32(mean-cfg.K*sd)
	if math.IsNaN(mean) || math.IsNaN(report.Quality) {
		return nil, report, fmt.Errorf("%w: mean score %v, AUC %v after the last step", optim.ErrDiverged, mean, report.Quality)
	}
	report.Steps, report.Loss, report.Threshold = steps, float32(tail), m.Threshold
	return m, report, nil
}

// fit makes the steps and returns the mean loss of the last tenth of them.
func fit(ctx context.Context, e engine, train *eventTable, rng *num.Philox, steps int, progress func(step, steps int, loss float32)) (tail float64, err error) {
	known := optim.Losses{Steps: steps, Progress: progress}
	for range steps {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		if err := e.step(train, rng); err != nil {
			return 0, err
		}
		if err := known.Tell(e.losses()); err != nil {
			return 0, err
		}
	}
	if err := e.finish(); err != nil {
		return 0, err
	}
	err = known.Tell(e.losses())
	return known.Tail, err
}

// heldOutNegatives is how many corrupted events judge.
const heldOutNegatives = 2048

// evaluate returns the AUC of held-out events against corrupted ones, and the recall at 0.5.
// The AUC of scores that are no numbers is none either.
func (m *Model) evaluate(test *eventTable, nodes int, rng *num.Philox) (quality, recall float64) {
	var positives, negatives []ranking.Weighted
	for i := range test.edges {
		n := test.count(i)
		if n == 0 {
			continue
		}
		e := &test.edges[i]
		s := ranking.Weighted{Score: m.Score(e.Source, e.Relation, e.Destination), Weight: float32(n)}
		positives = append(positives, s)
		if s.Score >= 0.5 {
			recall += float64(n)
		}
	}
	for range heldOutNegatives {
		s, r, d := test.draw(rng)
		s, d = corrupt(s, d, nodes, rng)
		negatives = append(negatives, ranking.Weighted{Score: m.Score(s, r, d), Weight: 1})
	}
	if slices.ContainsFunc(append(positives, negatives...), func(s ranking.Weighted) bool { return s.Score != s.Score }) {
		return math.NaN(), 0
	}
	return ranking.AUC(positives, negatives), recall / float64(test.total())
}

// moments returns mean and sample standard deviation of the scores over events: an edge
// counts as often as it was seen.
func (m *Model) moments(edges []graphbuf.Edge) (mean, sd float64) {
	var n, squares float64
	for i := range edges { // West 1979
		e := &edges[i]
		w, x := float64(e.Count), float64(m.Score(e.Source, e.Relation, e.Destination))
		n += w
		delta := x - mean
		mean += delta * w / n
		squares += w * delta * (x - mean)
	}
	return mean, math.Sqrt(squares / (n - 1)) // a split has two events at least
}

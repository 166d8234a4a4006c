package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"flb-filter-rgcn/model/internal/device"
	"flb-filter-rgcn/model/internal/gnn"
	"flb-filter-rgcn/model/internal/temporal"
)

// Config says how to train. The zero value is not usable; see DefaultConfig.
type Config struct {
	Dim          int     // width k of the layers, a multiple of 4; 0: by the size of the graph, see dimSteps
	Decoder      string  // relational score: "distmult", "transe" or "rotate"
	Layer1       string  // relation weights of the first layers: "diagonal", "basis:N" or "full"
	Layer2       string  // the same for the second layers
	Dropout      float64 // share of the decoder's hidden units left out in a step, 0 to 0.9
	Steps        int     // optimiser steps of a cold start; a warm one makes fewer, see due
	LearningRate float64 // of the decoder; the relational parts take a fifth of it
	Negatives    int     // corrupted triplets for each true one
	Seed         uint64
	Threads      int     // goroutines of one training, at least 1
	Tolerance    float64 // how much held-out quality a new model may lose against the previous one
	Threshold    Threshold
	Device       string // Auto, CPU, CUDA or CUDA:N; empty is CPU

	// Objective is Temporal (or empty) or ReferenceGoal. The latter has no layers, negatives, threads, warm
	// start and tolerance, and two settings of its own: Sample and TrainShare.
	Objective  string
	Sample     int     // events of a step
	TrainShare float64 // share of the events that train, the rest judge

	// Features is what is known of hosts beside their sessions; nil: nothing. ReferenceGoal ignores it.
	Features HostFeatures

	// Bad are sessions that people have called bad, which serve as corrupted triplets; nil: none. ReferenceGoal ignores
	// them.
	Bad []Bad

	// Unanswered are the edges of the snapshot that a model does not learn to expect, by their place in it: nobody knows
	// yet whether they are benign. They carry messages and are counted all the same. nil: none. ReferenceGoal ignores
	// them.
	Unanswered []bool

	// OneWindow keeps one window in memory at a time, as is done for large graphs in any case. It takes less memory
	// and more time.
	OneWindow bool

	shrunk bool // Dim is not what the settings named: see Thriftier

	// Without names parts to leave out, to see what each brings: see Ablations.
	Without []string

	// EnterThread is called at the start of every goroutine that a training makes beside
	// the caller's; nil for nothing to do.
	EnterThread func()

	// Previous is where training starts from, nil for a cold start. A model of
	// another shape is a cold start too.
	Previous *Model
}

// DefaultConfig returns the default settings.
func DefaultConfig() Config {
	return Config{
		Decoder: gnn.DistMult, Layer1: "diagonal", Layer2: "diagonal", Dropout: 0.1,
		Steps: 400, LearningRate: 0.005, Negatives: 4, Seed: 1, Threads: 1, Tolerance: 0.02,
		Threshold: Threshold{Method: Budget, K: 2, Quantile: 0.01, PerDay: 20},
	}
}

// Validate returns an error for the first setting that is out of bounds.
func (c Config) Validate() error {
	bad := func(name string, value any, allowed string) error {
		return fmt.Errorf("model: %s is %v, allowed %s", name, value, allowed)
	}
	switch {
	case c.Dim < 0 || c.Dim%4 != 0 || c.Dim > 4096:
		return bad("Dim", c.Dim, "are multiples of 4 up to 4096, and 0")
	case c.Decoder != gnn.DistMult && c.Decoder != gnn.TransE && c.Decoder != gnn.RotatE:
		return bad("Decoder", c.Decoder, "are distmult, transe, rotate")
	case c.Dropout < 0 || c.Dropout > 0.9:
		return bad("Dropout", c.Dropout, "are 0 to 0.9")
	case c.Steps < 1:
		return bad("Steps", c.Steps, "are 1 and more")
	case !(c.LearningRate > 0 && c.LearningRate <= 1):
		return bad("LearningRate", c.LearningRate, "are numbers above 0 up to 1")
	case c.Negatives < 1 || c.Negatives > 64:
		return bad("Negatives", c.Negatives, "are 1 to 64")
	case c.Threads < 1:
		return bad("Threads", c.Threads, "are 1 and more")
	}
	if _, err := device.Parse(c.Device); err != nil {
		return err
	}
	switch c.Objective {
	case Temporal, "":
	case ReferenceGoal:
		if err := c.reference().Validate(); err != nil {
			return err
		}
	default:
		return bad("Objective", c.Objective, "are temporal, reference")
	}
	for _, part := range c.Without {
		if !slices.Contains(Ablations, part) {
			return bad("Without", part, "are "+strings.Join(Ablations, ", "))
		}
	}
	for _, l := range []struct{ name, layer string }{{"Layer1", c.Layer1}, {"Layer2", c.Layer2}} {
		if _, err := gnn.ParseLayer(l.layer); err != nil {
			return bad(l.name, l.layer, "are diagonal, basis:N with N from 1 to 64, full")
		}
	}
	return c.Threshold.Validate()
}

// dimSteps are the dimensions and the largest numbers of edges for which each is taken. Inner products of hashed
// vectors are off by the order of 1/sqrt(k), and exact where k is at least the number of rows, which small
// graphs can afford. On the mail of 184 people link prediction gains 1.3 points of AUC from dimension 128 to
// 512, and 2.9 on pairs never seen before.
var dimSteps = [...]struct{ dim, edges int }{{512, 10_000}, {256, 40_000}, {128, math.MaxInt}}

// sized returns the settings with a dimension for a graph of so many edges, unless they name one. The dimension
// of the previous model stays until the graph is a quarter beyond its bounds, because a training of another
// dimension is a cold start.
func (c Config) sized(edges int) Config {
	if c.Dim != 0 {
		return c
	}
	if c.Objective == ReferenceGoal {
		c.Dim = DefaultReference().Dim
		return c
	}
	for i, s := range dimSteps {
		if c.Dim == 0 && edges <= s.edges {
			c.Dim = s.dim
		}
		if p := c.Previous; p != nil && p.reference == nil && p.dim == s.dim {
			above := i == 0 || edges > dimSteps[i-1].edges*3/4
			if below := s.edges == math.MaxInt || edges <= s.edges*5/4; above && below {
				c.Dim = s.dim
				return c
			}
		}
	}
	return c
}

// Ablations are the parts that Config.Without may name, to measure what each brings.
var Ablations = []string{"structure", "relational", "layers", "names", "neighbours", "fan-out", "recent", "half-days", "near", "campaigns", "returns", "newest", "features", "tenure"}

// without tells whether a part is left out.
func (c Config) without(part string) bool { return slices.Contains(c.Without, part) }

// mask returns which inputs of the decoder are left out, nil for none.
func (c Config) mask() *[gnn.NumInputs]bool {
	var m [gnn.NumInputs]bool
	for part, inputs := range map[string][]int{
		"structure":  {gnn.InputWalk, gnn.InputProfile, gnn.InputNeighbours, gnn.InputRelational},
		"relational": {gnn.InputRelational},
		"names":      {temporal.Similar},
		"neighbours": {temporal.DestinationsOfS, temporal.RelationsOfS, temporal.SourcesOfD, temporal.SourcesOfR, temporal.CountR, gnn.InputZero + temporal.CountR},
		"fan-out":    {temporal.NewDestinations},
		"recent":     {temporal.RecentOfS, temporal.RecentOfD},
		"half-days":  {temporal.HalfDays},
		"near":       {gnn.InputNeighbours},
		"features":   {temporal.PeersToD, temporal.ToPeersOfD, temporal.PeersUseR, temporal.PeersOfS, temporal.PeersOfD, temporal.GroupsMet},
	} {
		for _, i := range inputs {
			m[i] = m[i] || c.without(part)
		}
	}
	if m == ([gnn.NumInputs]bool{}) {
		return nil
	}
	return &m
}

// network returns the settings of the network, without a pool. Validate must have passed.
func (c Config) network() gnn.Config {
	first, _ := gnn.ParseLayer(c.Layer1)
	second, _ := gnn.ParseLayer(c.Layer2)
	return gnn.Config{
		Dim: c.Dim, Decoder: c.Decoder, Layers: [4]gnn.LayerKind{first, second, first, second}, Mask: c.mask(), FixedLayers: c.without("layers"),
		Seed: c.Seed,
	}
}

// sampling says what is drawn beside each positive triplet.
func (c Config) sampling() temporal.Sampling {
	return temporal.Sampling{Negatives: c.Negatives, Campaigns: !c.without("campaigns"), Returns: !c.without("returns")}
}

// CheckDevice returns why the card that the settings insist on cannot be used. It returns nil where it can, or
// where they do not insist on one.
func CheckDevice(cfg Config) error {
	var unfit error
	if cfg.Objective != ReferenceGoal {
		n := cfg.network()
		unfit = n.Unfit()
	}
	return device.Check(cfg.Device, unfit)
}

// The relational scores that Config.Decoder names.
const (
	DistMult = gnn.DistMult // <h_s, w_r, h_d>, Yang et al. 2015
	TransE   = gnn.TransE   // -|h_s + w_r - h_d|, Bordes et al. 2013
	RotatE   = gnn.RotatE   // -|h_s * e^(i w_r) - h_d|, pairs of dimensions as complex numbers, Sun et al. 2019
)

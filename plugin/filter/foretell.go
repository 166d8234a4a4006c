package filter

import (
	"math"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/memlimit"
)

// Forecast is what an instance takes, in bytes, with a graph of some size.
type Forecast struct {
	Graph    int64 // for as long as it runs
	Training int64 // on top of that for the time of a training, of which a save may be part
	Dim      int   // of the training's embeddings
}

// GraphBytes is about what a graph of some size takes under the settings.
func GraphBytes(c config.Config, s graphbuf.Sizes) int64 {
	return int64(s.Edges)*edgeBytes(c) + int64(s.Nodes)*graphbuf.NodeBytes
}

// edgeBytes is what one more edge adds to a graph.
func edgeBytes(c config.Config) int64 {
	if c.Graph.Source != "" {
		return graphbuf.EdgeBytes + graphbuf.LedgerBytes
	}
	return graphbuf.EdgeBytes
}

// Foretell returns the forecast for trainings as the settings wish them and, where that is more than may be taken, for
// the most that fits; fits is false where even the least does not.
func Foretell(c config.Config, features model.HostFeatures, s graphbuf.Sizes, may int64) (wanted, fitting Forecast, fits bool) {
	cfg := ModelConfig(c)
	cfg.Features = features
	of := func(cfg model.Config) Forecast {
		f := Forecast{Graph: GraphBytes(c, s), Training: model.TrainingBytes(s, cfg), Dim: cfg.Width(s.Edges)}
		if c.State.Dir != "" {
			f.Training += s.SavingBytes()
		}
		f.Training = withGarbage(f.Training, f.Graph)
		return f
	}
	wanted = of(cfg)
	for fitting = wanted; fitting.Training > may; fitting = of(cfg) {
		var thriftier bool
		if cfg, thriftier = cfg.Thriftier(s.Edges); !thriftier {
			return wanted, fitting, false
		}
	}
	return wanted, fitting, true
}

// Allowance is how much of a limit a training may take, if nothing else takes of it than what is taken now and so many
// bytes more.
func Allowance(c config.Config, l memlimit.Limit, more int64) int64 {
	may := Share(l, more)
	if most := int64(c.Train.MaxMemory) << 20; most > 0 {
		may = min(may, most)
	}
	return may
}

// Share is Allowance for what is no training.
func Share(l memlimit.Limit, more int64) int64 { return share(l, l.Left-more) }

// Unlimited is the allowance where no limit is known.
func Unlimited(c config.Config) int64 {
	if most := int64(c.Train.MaxMemory) << 20; most > 0 {
		return most
	}
	return math.MaxInt64
}

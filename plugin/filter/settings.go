package filter

import (
	"fmt"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/hosts"
	"flb-filter-rgcn/plugin/triplet"
)

// Features are what is known of hosts, with names for people.
type Features interface {
	model.HostFeatures
	Name(host []byte, feature uint64) string
}

// HostFeatures loads what the settings say is known of hosts; nil where that is nothing.
func HostFeatures(c config.Config) (Features, error) {
	features, err := hosts.Load(c.Model.Features, c.Model.Prefixes, triplet.HostForm(c.Fields), triplet.HostParts(c.Fields))
	if err != nil {
		return nil, fmt.Errorf("model.features = %q: %w", c.Model.Features, err)
	}
	if features == nil { // and not a nil of some type
		return nil, nil
	}
	return features, nil
}

// ModelConfig translates the settings for package model, but for the features of hosts.
func ModelConfig(c config.Config) model.Config {
	m, t, th := c.Model, c.Train, c.Threshold
	return model.Config{
		Dim: m.Dim, Decoder: m.Decoder, Layer1: m.Layer1, Layer2: m.Layer2, Dropout: m.Dropout,
		Objective: m.Objective, Sample: t.Sample, TrainShare: t.Share,
		Device: t.Device, Steps: t.Steps, LearningRate: t.LearningRate, Negatives: t.Negatives, Seed: t.Seed,
		Threads: t.Threads, Tolerance: t.Tolerance,
		Threshold: model.Threshold{Method: th.Method, K: th.K, Quantile: th.Quantile, PerDay: th.PerDay},
	}
}

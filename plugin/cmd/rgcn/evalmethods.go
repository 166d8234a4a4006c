package main

import (
	"slices"
	"strings"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/evaluate"
)

// methodNames are what -methods may name, in the order of the table.
var methodNames = []string{"r-gcn", "reference", "never-seen", "counts", "no-campaigns", "sort"}

// methods are the rows of the table.
func (v *evaluation) methods(seed uint64) (methods []evaluate.Method) {
	cfg := v.model
	cfg.Seed = seed
	if v.without != "" {
		cfg.Without = strings.Split(v.without, ",")
	}
	without := func(parts ...string) model.Config {
		c := cfg
		c.Without = slices.Concat(cfg.Without, parts)
		return c
	}
	for _, name := range v.chosen {
		var m evaluate.Method
		switch name {
		case "r-gcn":
			m = evaluate.Trained("R-GCN", cfg)
		case "reference":
			m = evaluate.Reference(seed)
		case "never-seen":
			m = evaluate.NeverSeen()
		case "counts":
			m = evaluate.Trained("count prior", without("structure", "names", "neighbours", "fan-out"))
		case "no-campaigns":
			m = evaluate.Trained("count prior (no campaigns)", without("structure", "names", "neighbours", "fan-out", "campaigns"))
		case "sort":
			m = evaluate.Sort()
		}
		methods = append(methods, m)
	}
	if v.ablations {
		for _, part := range model.Ablations {
			if part == "features" && cfg.Features == nil {
				continue
			}
			methods = append(methods, evaluate.Trained(evaluate.AblationPrefix+"without "+part, without(part)))
		}
	}
	return methods
}

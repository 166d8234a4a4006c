package main

import (
	"slices"
	"strings"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/eval"
)

// methodNames are what -methods may name, in the order of the table.
var methodNames = []string{"r-gcn", "reference", "never-seen", "counts", "no-campaigns", "sort"}

// methods are the rows of the table.
func (v *evaluation) methods(seed uint64) (methods []eval.Method) {
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
		var m eval.Method
		switch name {
		case "r-gcn":
			m = eval.Trained("R-GCN", cfg)
		case "reference":
			m = eval.Reference(seed)
		case "never-seen":
			m = eval.NeverSeen()
		case "counts":
			m = eval.Trained("count prior", without("structure", "names", "neighbours", "fan-out", "recent", "half-days", "features"))
		case "no-campaigns":
			m = eval.Trained("count prior (no campaigns)", without("structure", "names", "neighbours", "fan-out", "recent", "half-days", "features", "campaigns"))
		case "sort":
			m = eval.Sort()
		}
		methods = append(methods, m)
	}
	if v.ablations {
		for _, part := range model.Ablations {
			if part == "features" && cfg.Features == nil {
				continue
			}
			methods = append(methods, eval.Trained(eval.AblationPrefix+"without "+part, without(part)))
		}
	}
	return methods
}

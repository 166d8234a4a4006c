package main

import (
	"context"
	"flag"

	"flb-filter-rgcn/model/eval"
)

// The attackers of `rgcn eval -resistance`: what the flags of the simulation do not say.
const (
	patientDays    = 33 // with those before the attacks: 26 days, two servers on each
	patientTargets = 50
	patientRepeats = 2000
)

// patient makes the simulation one of patient attackers.
func (v *evaluation) patient(fs *flag.FlagSet) {
	set := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { set[f.Name] = true })
	for name, use := range map[string]func(){
		"days":        func() { v.simulation.Days = patientDays },
		"slow":        func() { v.simulation.SlowTargets = patientTargets },
		"brute-force": func() { v.simulation.BruteForce = patientRepeats },
		"attacks":     func() { v.simulation.AttacksPerDay = 0 },
	} {
		if !set[name] {
			use()
		}
	}
}

// patience judges how methods stand patient attackers, and writes the table.
func (v *evaluation) patience(ctx context.Context, e *env) error {
	runs, err := perSeed(ctx, v, e, func(seed uint64) ([]eval.ResistanceResult, error) { return v.judgeResistance(ctx, seed) })
	if err != nil {
		return err
	}
	rows := eval.SummarizeResistance(runs)
	if v.json {
		return printJSON(e, rows)
	}
	return eval.PrintResistance(e.stdout, rows)
}

func (v *evaluation) judgeResistance(ctx context.Context, seed uint64) ([]eval.ResistanceResult, error) {
	c := v.simulation
	c.Seed = seed
	sessions, err := simulated(c)
	if err != nil {
		return nil, err
	}
	return eval.Resistance(ctx, sessions, v.plan(c), v.methods(seed), seed)
}

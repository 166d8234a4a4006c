package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

var reportCommand = command{
	name:    "report",
	args:    "FILE...",
	summary: "Make a page of enriched records: the graph with its low scores, the lowest, low scores over time.",
	example: "rgcn report -o report.html scored.ndjson",
	setup: func(fs *flag.FlagSet) func(context.Context, *env) error {
		s := newReading(fs)
		var out output
		out.declare(fs)
		return func(ctx context.Context, e *env) error {
			if err := s.settings.onlyFields("report"); err != nil {
				return err
			}
			if err := s.check(e); err != nil {
				return err
			}
			r, err := newEnrichedReader(s.settings, s.config)
			if err != nil {
				return err
			}
			b := report.NewBuilder()
			err = s.input.each(ctx, func(c chunk) error {
				r.each(c.data, func(v *scored) {
					risk, triplets := v.sourceRisk()
					b.Add(&report.Session{
						Source: v.source, Relation: v.relation, Destination: v.destination,
						Reason: v.reason, Evidence: v.evidence(), Score: v.score,
						Low: v.low, Denied: v.low && string(v.reason) == filter.ReasonDenied,
						SourceAlert: v.alert, Risk: risk, Triplets: triplets, Time: v.time.UnixNano(),
					})
				}, b.Skip)
				return nil
			})
			if err != nil {
				return err
			}
			d := b.Data()
			if err := out.open(e.stdout, s.input.files); err != nil { // an older page stays where reading failed
				return err
			}
			if err := report.WritePage(out.buf, d); err != nil {
				return first(out.failed(err), out.close())
			}
			if err := out.close(); err != nil {
				return err
			}
			where := "standard output"
			if out.path != "" {
				where = out.path
			}
			e.Log(filter.LevelInfo, fmt.Sprintf("%s: %d records, %d scored, %d with a low score; %d hosts and %d connections drawn, %d left out",
				where, d.Records, d.Scored, d.Low, len(d.Nodes), len(d.Edges), d.Omitted))
			if d.Scored == 0 {
				e.Log(filter.LevelWarn, cmp.Or(r.unscored(s.config.Fields), noScoreYet))
			}
			return nil
		}
	},
}

package elastic

import (
	"context"
	"slices"
	"time"
)

// mostLow is how many buckets of a triplet and a day are read of low scores. A fleet has a budget of alerts a day.
const mostLow = 10_000

// readLow tells which triplets had a low score, the latest first. m is that of the pull, whose time ends at limit.
func (s *Source) readLow(ctx context.Context, m *mapped, o *Options, now, limit int64) error {
	if !m.low {
		s.report.NoLow = true
		return nil
	}
	low := *m
	low.conditions = append(slices.Clone(m.conditions), condition{name: s.cfg.LowScore, values: []string{"true"}})
	from := o.LowSince
	if s.cfg.Window > 0 {
		from = max(from, now-int64(s.cfg.Window))
	}
	has, err := s.probe(ctx, &low, from, limit, true)
	if err != nil || has.documents == 0 {
		return err
	}
	// A triplet that had a low score on several days comes with each of them, the latest first.
	first := map[[3]string]int64{}
	var inOrder [][3]string
	r := reading{m: &low, has: has, from: from, to: limit, interval: (24 * time.Hour).Milliseconds(), most: mostLow, skip: o.Skip,
		low: func(source, relation, destination []byte, at int64) {
			names := [3]string{string(source), string(relation), string(destination)}
			before, ok := first[names]
			if !ok {
				inOrder, before = append(inOrder, names), at
			}
			first[names] = min(before, at)
		}}
	if err := s.read(ctx, nil, &r); err != nil {
		return err
	}
	for _, names := range inOrder {
		o.Low([]byte(names[0]), []byte(names[1]), []byte(names[2]), first[names])
	}
	return nil
}

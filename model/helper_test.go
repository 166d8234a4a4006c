package model

import (
	"context"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

func quickConfig() Config {
	cfg := DefaultConfig()
	cfg.Dim, cfg.Steps = 16, 40
	return cfg
}

func train(t testing.TB, snap *graphbuf.Snapshot, cfg Config) (*Scorer, Report) {
	t.Helper()
	s, report, err := Train(context.Background(), snap, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, report
}

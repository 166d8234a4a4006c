package filter

import (
	"math"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/memlimit"
)

// What may be taken is foretold as an instance finds it.
func TestAllowanceIsTheInstances(t *testing.T) {
	f := offline(t, host())
	for _, left := range []int64{0, 10 * mib, 70 * mib, 200 * mib, 900 * mib} {
		f.memory.files = pod(left)
		l, ok := memlimit.Tightest(f.memory.files)
		if !ok {
			t.Fatal("no limit")
		}
		shared.mu.Lock()
		want := f.memory.allowed().bytes
		shared.mu.Unlock()
		if got := Allowance(f.cfg, l, 0); got != want {
			t.Errorf("%d left: %d, the instance says %d", left, got, want)
		}
	}
	if got := Unlimited(f.cfg); got != 1024*mib {
		t.Errorf("without a limit %d", got)
	}
	if got := Unlimited(offline(t, host("train_max_memory", "0")).cfg); got != math.MaxInt64 {
		t.Errorf("without any limit %d", got)
	}
}

func TestForetell(t *testing.T) {
	cfg := offline(t, host("model_dim", "0")).cfg
	s := graphbuf.Sizes{Nodes: 2000, Sources: 2000, Destinations: 2000, Relations: 20, Edges: 20000}
	wanted, fitting, fits := Foretell(cfg, nil, s, math.MaxInt64)
	if !fits || wanted != fitting || wanted.Dim != 256 || wanted.Graph != 20000*graphbuf.EdgeBytes+2000*graphbuf.NodeBytes {
		t.Errorf("%+v, %+v, %v", wanted, fitting, fits)
	}
	last := wanted
	for may := wanted.Training; may > 0; may -= wanted.Training / 20 {
		w, f, ok := Foretell(cfg, nil, s, may)
		if w != wanted || ok && f.Training > may || !ok && f.Training <= may || f.Training > last.Training || f.Dim > last.Dim {
			t.Fatalf("%d may be taken: %+v, %+v after %+v, %v", may, w, f, last, ok)
		}
		last = f
	}
	if last.Dim != 8 {
		t.Errorf("the least is of dimension %d", last.Dim)
	}
	cfg.State.Dir = "somewhere"
	if kept, _, _ := Foretell(cfg, nil, s, math.MaxInt64); kept.Training <= wanted.Training {
		t.Error("a save takes nothing")
	}
	cfg.Graph.Source = "http://127.0.0.1:9200/logs"
	if merging, _, _ := Foretell(cfg, nil, s, math.MaxInt64); merging.Graph != wanted.Graph+20000*graphbuf.LedgerBytes || merging.Graph != GraphBytes(cfg, s) {
		t.Errorf("a graph that takes in what others saw: %d bytes, another %d", merging.Graph, wanted.Graph)
	}
}

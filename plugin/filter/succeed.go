package filter

import (
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/fleet"
)

// catchUpInterval is how often a graph that is to come is shown what the one in use has seen meanwhile.
const catchUpInterval = 5 * time.Millisecond

// fetch makes a graph and a model of the payload of a state whose header is accepted, if memory allows.
func (f *follower) fetch(h *fleet.Header, body io.Reader) (*graphbuf.Graph, *model.Model, error) {
	base, trained, giveBack, err := f.filter.memory.unpack(f.cfg, h, body)
	if err != nil {
		return nil, nil, err
	}
	defer giveBack()
	next, err := graphbuf.New(f.graph.Bounds())
	if err != nil {
		return nil, nil, err
	}
	f.tooOld = next.Restore(base)
	return next, trained, nil
}

// take has the state's graph and model take the place of those in use. Records go on meanwhile; they wait only while
// the two are exchanged. All of it has the usual priority: it takes seconds of one core where there are a million
// triplets, and a thread that gets no processor time would hold up the collector, and records with it.
func (f *follower) take(h *fleet.Header, next *graphbuf.Graph, m *model.Model) error {
	i := f.filter
	i.trainer.mu.Lock() // no training may bring a scorer of the graph that is about to go
	defer i.trainer.mu.Unlock()
	m.SetThreshold(ModelConfig(f.cfg).Threshold)
	began, kept := time.Now(), next.Stats().Edges
	succession := f.graph.Succeed(next, h.Horizon)
	done := false
	defer func() {
		if !done {
			succession.Abandon()
		}
	}()
	sizes := next.Sizes()
	a, giveBack, ok := i.memory.take(m.ScorerBytes(sizes, f.features))
	if !ok {
		return fmt.Errorf("to score %d triplets between %d hosts by its model would take about %d MiB for the moment, %s; %s",
			sizes.Edges, sizes.Nodes, i.memory.withGarbage(m.ScorerBytes(sizes, f.features))>>20, a.by, a.remedy)
	}
	defer giveBack()
	end := catchUp(succession, f.panicked)
	defer end() // of a panic
	scorer := m.Scorer(next.Snapshot(), f.cfg.Train.Threads, f.features)
	if err := end(); err != nil {
		return err
	}
	done = true
	before := i.judge.scorer.Load()
	i.judge.follow(scorer)
	var waited time.Duration // at most, by any record
	if err := succession.Finish(func(swap func() bool) {
		closed := time.Now()
		i.path.gate.Lock()
		defer func() {
			i.path.gate.Unlock()
			waited = time.Since(closed)
		}()
		if swap() {
			i.judge.scorer.Store(scorer)
			if s := i.judge.sources; s != nil { // next has the contents of before by now
				s.risk.Renumber(func(id graphbuf.ID) graphbuf.ID { return f.graph.HostID(next.HostName(id)) })
			}
		}
	}); err != nil {
		if before != nil {
			i.judge.follow(before)
		}
		return err
	}
	i.memory.holdGraph(true)
	f.took(h, succession.Carried)
	i.store.save(scorer.Model())
	i.store.saveFleet()
	f.logf(LevelInfo, "published state of %s from %s, sequence %d: %s; the model of %s; carried over: %d sessions of %d triplets that this filter saw since; "+
		"taken up in %.2f s, of which records waited %.2f ms at most", h.PublishedAt().Format(time.RFC3339), f.place, h.Sequence,
		sum(kept, f.graph.Stats().Edges, h.Horizon), m.TrainedText(), succession.Carried.Events, succession.Carried.Edges,
		time.Since(began).Seconds(), float64(waited.Microseconds())/1e3)
	if why := m.Weak(); why != "" {
		f.host.Log(LevelWarn, "scores are added but none counts as low: "+why)
	}
	if h.Memory() > muchMemory {
		debug.FreeOSMemory()
	}
	return nil
}

// sum tells how the triplets of a state, up to a horizon, became those of the graph.
func sum(state, graph int, horizon int64) string {
	text := fmt.Sprintf("%d triplets up to %s", state, time.Unix(0, horizon).UTC().Format(time.RFC3339))
	if graph < state { // where the graph is full
		return fmt.Sprintf("%s, less %d that made room for those of this filter, make %d", text, state-graph, graph)
	}
	return fmt.Sprintf("%s and %d that only this filter has make %d", text, graph-state, graph)
}

// took notes which state is in use.
func (f *follower) took(h *fleet.Header, carried graphbuf.Carried) {
	f.mu.Lock()
	f.status.Sequence, f.status.Published, f.status.Horizon, f.status.Edges = h.Sequence, h.PublishedAt(), time.Unix(0, h.Horizon).UTC(), h.Edges
	f.status.Naming, f.status.Unsigned = h.Naming, !f.vouched(h)
	f.status.CarriedEdges, f.status.CarriedSessions = carried.Edges, carried.Events
	f.whole = true
	f.mu.Unlock()
}

// reportLeftOut says when this filter's bounds leave out triplets of a state, and again after a state that fits.
func (f *follower) reportLeftOut(h *fleet.Header, kept int) {
	why := exceeded(f.cfg.Graph, graphbuf.Sizes{Nodes: int(h.Nodes), Relations: int(h.Relations), Edges: int(h.Edges)}, f.tooOld)
	said := ""
	if len(why) > 0 && kept < int(h.Edges) {
		said = fmt.Sprintf("%d of its %d triplets, those seen longest ago, are left out: %s; raise what is smaller than the trainer's",
			int(h.Edges)-kept, h.Edges, strings.Join(why, "; "))
	}
	f.mu.Lock()
	before := f.leftOut
	f.leftOut = said
	f.mu.Unlock()
	if said != "" && before == "" {
		f.logf(LevelWarn, "published state: %s", said)
	}
}

// exceeded tells which bounds a saved or published graph of these sizes exceeds, of which so many triplets are older than
// the window.
func exceeded(bounds config.Graph, n graphbuf.Sizes, tooOld int) (why []string) {
	for _, b := range []struct {
		n, most   int
		what, key string
	}{
		{n.Edges, bounds.MaxEdges, "triplets", "graph.max_edges"},
		{n.Nodes, bounds.MaxNodes, "hosts", "graph.max_nodes"},
		{n.Relations, bounds.MaxRelations, "relations", "graph.max_relations"},
	} {
		if b.n > b.most {
			why = append(why, fmt.Sprintf("it has %d %s, %s allows %d here", b.n, b.what, b.key, b.most))
		}
	}
	if tooOld > 0 {
		why = append(why, fmt.Sprintf("%d triplets were last seen before what graph.window = %s reaches back to here", tooOld, config.FormatDuration(bounds.Window)))
	}
	return why
}

// catchUp has a succession catch up until the function that it returns is called, which returns what panicked makes of a
// panic.
func catchUp(s interface{ CatchUp() int }, panicked func(any) error) (end func() error) {
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		defer func() {
			var err error
			if v := recover(); v != nil {
				err = panicked(v)
			}
			stopped <- err
		}()
		tick := time.NewTicker(catchUpInterval)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				s.CatchUp()
			}
		}
	}()
	return sync.OnceValue(func() error {
		close(stop)
		return <-stopped
	})
}

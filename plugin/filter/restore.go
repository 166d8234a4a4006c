package filter

import (
	"encoding/json"
	"errors"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
)

// restore loads graph, model and the rest of the state directory. What cannot be read is set aside and logged; a start
// never fails for it. Graph and model may come from different moments: the model carries no ids, and scores over
// whatever graph there is.
func (f *Instance) restore() {
	end := f.memory.collectEagerly() // the bytes of the files, and what is made of them on the way
	var whichGraph []byte
	haveGraph := f.load(graphFile, graphVersion, func(b []byte) error {
		if f.source.from != nil {
			whichGraph = f.store.slicesOf(b)
		}
		return f.restoreGraph(b)
	})
	if haveGraph && whichGraph != nil && !f.frozen {
		f.restoreSlices(whichGraph)
	}
	var m model.Model
	haveModel := f.load(modelFile, modelVersion, m.UnmarshalBinary)
	if haveModel {
		m.SetThreshold(ModelConfig(f.cfg).Threshold) // the settings may have changed since
		haveModel = f.restoreScorer(&m)
		f.trainer.schedule.restored = m.Trained
	}
	end()
	f.load(fleetFile, fleetVersion, func(b []byte) error { return f.restoreFleet(b, haveGraph && haveModel) })
	if f.judge.alerts != nil {
		f.restoreBudget(alertsFile, alertsVersion, f.judge.alerts, "threshold.per_day", f.cfg.Threshold.PerDay)
	}
	if f.judge.sources != nil {
		f.restoreBudget(sourcesFile, sourcesVersion, f.judge.sources.budget, "threshold.sources_per_day", f.cfg.Threshold.SourcesPerDay)
		f.load(reportsFile, reportsVersion, func(b []byte) error { return json.Unmarshal(b, f.judge.sources.saved()) })
	}
	if f.judge.unanswered != nil {
		f.load(unansweredFile, unansweredVersion, f.judge.unanswered.UnmarshalBinary)
	}
	f.judge.reach()
	if f.judge.alerts != nil {
		f.judge.frozenThreshold = f.judge.alerts.Usual()
	}
	f.load(columnsFile, columnsVersion, func(b []byte) error { return f.path.finder.Restore(&f.path.streams, b) })
	f.load(namingFile, namingVersion, func(b []byte) error {
		if !haveGraph && !haveModel || f.follower.active { // whose follower compares them with those of the trainer
			return nil
		}
		why := SavedNamingDiffers(string(b), f.cfg)
		if why == "" {
			return nil
		}
		if f.otherNaming = why + "; " + OtherNamingRemedy; !f.frozen {
			f.logf(LevelWarn, "state: %s", f.otherNaming)
		}
		return nil
	})
	if written, ok := f.store.dir.WrittenAt(graphFile); ok {
		f.saved.at = written.UnixNano()
	}
	f.load(clockFile, clockVersion, func(b []byte) error {
		seconds, err := strconv.ParseInt(string(b), 10, 64)
		f.saved.doubted = seconds * int64(time.Second)
		return err
	})
	if f.frozen {
		f.load(statusFile, statusVersion, func(b []byte) error { return json.Unmarshal(b, &f.savedStatus) })
	}
	switch st := f.graph.Stats(); {
	case haveModel && !haveGraph:
		f.logf(LevelWarn, "state: there is the model of %s and no graph: sessions look new to it until they have come again", m.TrainedText())
	case haveModel:
		f.logf(LevelInfo, "state: %d edges and the model of %s; scores from the first record on", st.Edges, m.TrainedText())
	case haveGraph:
		f.logf(LevelInfo, "state: %d edges, no model yet", st.Edges)
	}
}

// restoreBudget restores a budget of alerts, and tells where its days are left, since they were kept for fewer alerts a day.
func (f *Instance) restoreBudget(name string, version uint32, alerts *budget.AlertBudget, setting string, perDay float64) {
	f.load(name, version, alerts.UnmarshalBinary)
	if n := alerts.Left(); n > 0 && !f.frozen {
		f.logf(LevelWarn, "state: the scores of the last days (%d of them) were kept for a much smaller %s than %v and reach no further: "+
			"what is low is decided by the last training until more days have passed", n, setting, perDay)
	}
}

// load hands the newest whole blob of a name to use, logs what is wrong with it, and reports whether one was used.
func (f *Instance) load(name string, version uint32, use func([]byte) error) bool {
	ok, notes := f.store.dir.Load(name, version, use)
	for _, n := range notes {
		f.host.Log(LevelWarn, n)
	}
	return ok
}

// restoreGraph restores a graph, as much of it as memory allows.
func (f *Instance) restoreGraph(b []byte) error {
	var snapshot graphbuf.Snapshot
	if err := snapshot.UnmarshalBinary(b); err != nil {
		return err
	}
	if f.live {
		f.memory.holdGraph(true)
	}
	tooOld := f.graph.Restore(&snapshot)
	sizes := graphbuf.Sizes{Nodes: len(snapshot.Nodes), Relations: len(snapshot.Relations), Edges: len(snapshot.Edges)}
	why := exceeded(f.cfg.Graph, sizes, tooOld)
	if left := sizes.Edges - f.graph.Stats().Edges; left > 0 && len(why) > 0 {
		f.logf(LevelInfo, "state: %d of its %d triplets, those seen longest ago, are left out: %s", left, sizes.Edges, strings.Join(why, "; "))
	}
	return nil
}

// restoreScorer has records scored by a saved model from now on, and reports whether memory allows that.
func (f *Instance) restoreScorer(m *model.Model) bool {
	sizes := f.graph.Sizes()
	need := m.ScorerBytes(sizes, f.features)
	if need > muchMemory {
		debug.FreeOSMemory() // after the graph's file
	}
	a, giveBack, ok := f.memory.take(need)
	if !ok {
		f.logf(LevelWarn, "state: the model of %s is not used: to score %d edges between %d nodes by it would take about %d MiB for the moment, %s; "+
			"%s; scores come with the next training, of a smaller dimension if that is needed", m.TrainedText(), sizes.Edges, sizes.Nodes, f.memory.withGarbage(need)>>20, a.by, a.remedy)
		return false
	}
	f.judge.use(m.Scorer(f.graph.Snapshot(), f.cfg.Train.Threads, f.features))
	giveBack()
	if need > muchMemory {
		debug.FreeOSMemory()
	}
	return true
}

// restoreSlices takes up which events of the graph may come from the source again. Without them the whole window is
// read once more, and nothing of it counts twice: so that they belong to something else is worth no more than a remark.
func (f *Instance) restoreSlices(of []byte) {
	f.load(slicesFile, slicesVersion, func(b []byte) error {
		err := f.store.restoreSlices(of, b)
		if errors.Is(err, errOtherGraph) {
			f.logf(LevelDebug, "state: the slices of the graph are not used, the whole window is read: %v", err)
			return nil
		}
		return err
	})
}

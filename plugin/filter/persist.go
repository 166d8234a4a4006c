package filter

import (
	"encoding/json"
	"fmt"
	"runtime/debug"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
)

// The blobs of a state directory. A version goes up when older filters could not read it.
const (
	graphFile    = "graph"
	graphVersion = 2 // 1: without the edges' ages; it is read
	modelFile    = "model"
	modelVersion = 2

	ledgerFile    = "alerts"
	ledgerVersion = 1

	sourcesFile    = "sources" // of the alerts about sources
	sourcesVersion = 1

	columnsFile    = "columns" // of rows of Zeek's logs, by tag
	columnsVersion = 1

	statusFile    = "status"
	statusVersion = 1
)

// restore takes up graph and model. What cannot be read is set aside and said; a start
// never fails for it. Graph and model may come from different moments: the model
// carries no ids, and scores over whatever graph there is.
func (f *Instance) restore() {
	load := func(name string, version uint32, use func([]byte) error) bool {
		ok, notes := f.state.Load(name, version, use)
		for _, n := range notes {
			f.host.Log(LevelWarn, n)
		}
		return ok
	}
	end := f.collectEagerly() // the bytes of the files, and what is made of them on the way
	haveGraph := load(graphFile, graphVersion, f.restoreGraph)
	var m model.Model
	haveModel := load(modelFile, modelVersion, m.UnmarshalBinary)
	if haveModel {
		m.SetThreshold(ModelConfig(f.cfg).Threshold) // the settings may have changed since
		haveModel = f.restoreScorer(&m)
	}
	end()
	if f.ledger != nil {
		load(ledgerFile, ledgerVersion, f.ledger.UnmarshalBinary)
		f.reach()
		f.usual = f.ledger.Usual()
	}
	if f.sources != nil {
		load(sourcesFile, sourcesVersion, f.sources.budget.UnmarshalBinary)
	}
	load(columnsFile, columnsVersion, func(b []byte) error { return f.finder.Restore(&f.streams, b) })
	if f.frozen {
		load(statusFile, statusVersion, func(b []byte) error { return json.Unmarshal(b, &f.savedStatus) })
	}
	switch st := f.graph.Stats(); {
	case haveModel:
		f.host.Log(LevelInfo, fmt.Sprintf("state: %d edges and the model of %s; scores from the first record on", st.Edges, m.TrainedText()))
	case haveGraph:
		f.host.Log(LevelInfo, fmt.Sprintf("state: %d edges, no model yet", st.Edges))
	}
}

// restoreGraph takes up a graph, as far as memory allows one.
func (f *Instance) restoreGraph(b []byte) error {
	var snapshot graphbuf.Snapshot
	if err := snapshot.UnmarshalBinary(b); err != nil {
		return err
	}
	if f.live {
		f.holdGraph(true)
	}
	f.graph.Restore(&snapshot)
	return nil
}

// restoreScorer lets records be scored by a saved model from now on, and reports whether memory allows that.
func (f *Instance) restoreScorer(m *model.Model) bool {
	sizes := f.graph.Sizes()
	need := m.ScorerBytes(sizes, f.features)
	if need > muchMemory {
		debug.FreeOSMemory() // after the graph's file
	}
	need = withGarbage(need)
	shared.mu.Lock()
	a := f.left()
	if need > a.bytes {
		shared.mu.Unlock()
		f.host.Log(LevelWarn, fmt.Sprintf("state: the model of %s is not used: to score %d edges between %d nodes by it would take about %d MiB for the moment, %s; "+
			"%s; scores come with the next training, of a smaller dimension if that is needed", m.TrainedText(), sizes.Edges, sizes.Nodes, need>>20, a.by, a.cure))
		return false
	}
	giveBack := takeMemory(need, a.bytes < plentiful)
	shared.mu.Unlock()
	f.publish(m.Scorer(f.graph.Snapshot(), f.cfg.Train.Threads, f.features))
	giveBack()
	if need > muchMemory {
		debug.FreeOSMemory()
	}
	return true
}

// saved is what the state directory has.
type saved struct {
	events uint64    // that the graph had observed since the start
	at     time.Time // when the graph was last looked at for changes
}

// saveColumns writes the columns of rows: their header may not come again.
func (f *Instance) saveColumns() error {
	b, err := f.streams.Save()
	if err != nil || string(b) == "{}" {
		return err
	}
	return f.state.Save(columnsFile, columnsVersion, b)
}

// publish lets records be scored by a scorer from now on.
func (f *Instance) publish(s *model.Scorer) {
	if f.ledger != nil {
		f.ledger.Follow(s.Model())
	}
	f.reach()
	rarity := s.Model().Rarity()
	if f.sources != nil {
		f.sources.follow(rarity)
	}
	f.rarity.Store(rarity)
	f.scorer.Store(s)
}

// reach tells the ledgers of alerts how far the graph got, where an archive may come next. A live filter
// tells it with each alert.
func (f *Instance) reach() {
	if f.live || f.frozen {
		return
	}
	now := f.graph.Stats().Now
	if f.ledger != nil {
		f.ledger.Reach(now)
	}
	if f.sources != nil {
		f.sources.budget.Reach(now)
	}
}

// save writes model and graph, and warns where that fails: a full disk stops no scoring.
func (f *Instance) save(m *model.Model) {
	if f.state == nil {
		return
	}
	f.saveMu.Lock()
	defer f.saveMu.Unlock()
	defer f.sayNotes()
	f.warnUnsaved(inTurn(f.saveGraph, func() error { return f.saveModel(m) }, f.saveLedgers, f.saveColumns, f.saveStatus))
}

// inTurn does one after another until one fails.
func inTurn(each ...func() error) error {
	for _, do := range each {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Instance) warnUnsaved(err error) {
	if err != nil {
		f.host.Log(LevelWarn, fmt.Sprintf("what was learned is not saved, scoring goes on: %v", err))
	}
}

// saveChanges writes the graph and what else records change, if any came since it was last written.
func (f *Instance) saveChanges() {
	if f.state == nil {
		return
	}
	f.saveMu.Lock()
	defer f.saveMu.Unlock()
	f.saved.at = time.Now()
	if f.graph.Stats().Events == f.saved.events {
		return
	}
	defer f.sayNotes()
	f.warnUnsaved(inTurn(f.saveGraph, f.saveLedgers, f.saveColumns))
}

// saveOnTimer saves changes when State_Interval has passed. The host's database of what it has read moves on all the time: what is
// learned of that and not saved is lost if the host is killed.
func (f *Instance) saveOnTimer(now time.Time) {
	every := f.cfg.State.Interval
	if f.state == nil || every <= 0 || !f.saveMu.TryLock() { // who saves just now saves this, too
		return
	}
	if f.saved.at.IsZero() {
		f.saved.at = now
	}
	due := now.Sub(f.saved.at) >= every
	f.saveMu.Unlock()
	if due {
		f.saveChanges()
	}
}

func (f *Instance) saveModel(m *model.Model) error {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	return f.state.Save(modelFile, modelVersion, b)
}

// sayNotes logs what there is to know of the state directory.
func (f *Instance) sayNotes() {
	for _, n := range f.state.Notes() {
		f.host.Log(LevelWarn, n)
	}
}

// holdEvery is how often the background looks whether the state directory is still there: until it is held again, another filter
// could take it.
const holdEvery = 10 * time.Second

// hold makes and fills the state directory again if it was removed, and says once if somebody else has it.
func (f *Instance) hold(now time.Time) {
	if f.state == nil || now.Sub(f.lastHold) < holdEvery {
		return
	}
	f.lastHold = now
	f.saveMu.Lock()
	defer f.saveMu.Unlock()
	again, err := f.state.Hold()
	f.sayNotes()
	trouble := ""
	if err != nil {
		trouble = fmt.Sprintf("what is learned is not saved, scoring goes on: %v", err)
	}
	if trouble != "" && trouble != f.notHeld {
		f.host.Log(LevelWarn, trouble)
	}
	f.notHeld = trouble
	if !again {
		return
	}
	f.warnUnsaved(f.saveAll())
}

// saveLedgers writes what the thresholds learned of the last days, those that do.
func (f *Instance) saveLedgers() error {
	save := func(name string, version uint32, l *model.Ledger) error {
		b, err := l.AppendBinary(nil)
		if err != nil {
			return err
		}
		return f.state.Save(name, version, b)
	}
	if f.ledger != nil {
		if err := save(ledgerFile, ledgerVersion, f.ledger); err != nil {
			return err
		}
	}
	if f.sources != nil {
		return save(sourcesFile, sourcesVersion, f.sources.budget)
	}
	return nil
}

func (f *Instance) saveGraph() error {
	events := f.graph.Stats().Events
	b, err := f.graph.AppendBinary(nil)
	if err != nil {
		return err
	}
	if err := f.state.Save(graphFile, graphVersion, b); err != nil {
		return err
	}
	f.saved.events = events
	return nil
}

// statusEvery is how often the status is written for `rgcn status`, beside the times at which all is saved.
const statusEvery = time.Minute

// refreshStatus writes the status when a minute has passed, or when what it says of the records' fit has changed.
func (f *Instance) refreshStatus(now time.Time) {
	if f.state == nil || !f.staleStatus.Swap(false) && now.Sub(f.statusAt) < statusEvery {
		return
	}
	f.statusAt = now
	f.saveMu.Lock()
	defer f.saveMu.Unlock()
	if err := f.saveStatus(); err != nil {
		f.host.Log(LevelDebug, fmt.Sprintf("the status is not saved: %v", err)) // what is learned is saved with a warning of its own
	}
}

package filter

import (
	"encoding/json"
	"fmt"
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
	var snapshot graphbuf.Snapshot
	haveGraph := load(graphFile, graphVersion, snapshot.UnmarshalBinary)
	if haveGraph {
		f.graph.Restore(&snapshot)
	}
	var m model.Model
	haveModel := load(modelFile, modelVersion, m.UnmarshalBinary)
	if haveModel {
		m.SetThreshold(ModelConfig(f.cfg).Threshold) // the settings may have changed since
		f.publish(m.Scorer(f.graph.Snapshot(), f.cfg.Train.Threads, f.features))
	}
	if f.ledger != nil {
		load(ledgerFile, ledgerVersion, f.ledger.UnmarshalBinary)
		f.reach()
		f.usual = f.ledger.Usual()
	}
	load(columnsFile, columnsVersion, func(b []byte) error { return f.finder.Restore(&f.streams, b) })
	if f.frozen {
		load(statusFile, statusVersion, func(b []byte) error { return json.Unmarshal(b, &f.saved) })
	}
	switch st := f.graph.Stats(); {
	case haveModel:
		f.host.Log(LevelInfo, fmt.Sprintf("state: %d edges and the model of %s; scores from the first record on", st.Edges, m.TrainedText()))
	case haveGraph:
		f.host.Log(LevelInfo, fmt.Sprintf("state: %d edges, no model yet", st.Edges))
	}
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
	f.rarity.Store(s.Model().Rarity())
	f.scorer.Store(s)
}

// reach tells the ledger of alerts how far the graph got, where an archive may come next. A live filter
// tells it with each alert.
func (f *Instance) reach() {
	if f.ledger != nil && !f.live && !f.frozen {
		f.ledger.Reach(f.graph.Stats().Now)
	}
}

// save writes both, and warns where that fails: a full disk stops no scoring.
func (f *Instance) save(s *graphbuf.Snapshot, m *model.Model) {
	if f.state == nil {
		return
	}
	defer f.sayNotes()
	err := f.saveGraph(s)
	if err == nil {
		err = f.saveModel(m)
	}
	if err == nil {
		err = f.saveLedger()
	}
	if err == nil {
		err = f.saveColumns()
	}
	if err == nil {
		err = f.saveStatus()
	}
	if err != nil {
		f.host.Log(LevelWarn, fmt.Sprintf("what was learned is not saved, scoring goes on: %v", err))
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
	f.trainMu.Lock()
	defer f.trainMu.Unlock()
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
	if err := f.saveAll(); err != nil {
		f.host.Log(LevelWarn, fmt.Sprintf("what was learned is not saved, scoring goes on: %v", err))
	}
}

// saveLedger writes what the threshold learned of the last days, if it is one that does.
func (f *Instance) saveLedger() error {
	if f.ledger == nil {
		return nil
	}
	b, err := f.ledger.AppendBinary(nil)
	if err != nil {
		return err
	}
	return f.state.Save(ledgerFile, ledgerVersion, b)
}

func (f *Instance) saveGraph(s *graphbuf.Snapshot) error {
	b, err := s.AppendBinary(nil)
	if err != nil {
		return err
	}
	return f.state.Save(graphFile, graphVersion, b)
}

// statusEvery is how often the status is written for `rgcn status`, beside the times at which all is saved.
const statusEvery = time.Minute

// refreshStatus writes the status when a minute has passed, or when what it says of the records' fit has changed.
func (f *Instance) refreshStatus(now time.Time) {
	if f.state == nil || !f.staleStatus.Swap(false) && now.Sub(f.statusAt) < statusEvery {
		return
	}
	f.statusAt = now
	f.trainMu.Lock() // as for whatever else is saved
	defer f.trainMu.Unlock()
	if err := f.saveStatus(); err != nil {
		f.host.Log(LevelDebug, fmt.Sprintf("the status is not saved: %v", err)) // what is learned is saved with a warning of its own
	}
}

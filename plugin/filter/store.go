package filter

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/model"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/state"
)

// The blobs of a state directory. A version goes up when older filters could not read it.
const (
	graphFile    = "graph"
	graphVersion = 2 // 1: without the edges' ages; it is read
	modelFile    = "model"
	modelVersion = 2

	alertsFile    = "alerts"
	alertsVersion = 1

	sourcesFile    = "sources" // the budget of alerts about sources
	sourcesVersion = 1

	reportsFile    = "reports" // of sources, within a day
	reportsVersion = 1

	unansweredFile    = "unanswered" // triplets with a low score that are not learned
	unansweredVersion = 1

	columnsFile    = "columns" // of rows of Zeek's logs, by tag
	columnsVersion = 1

	slicesFile    = "slices" // of the graph, where it takes in what other agents saw
	slicesVersion = 1

	fleetFile    = "fleet" // which published state the graph began with, and which was published last
	fleetVersion = 1

	namingFile    = "naming" // how the filter that wrote the graph names hosts and relations
	namingVersion = 1

	clockFile    = "clock" // since when the machine's clock is doubted; none where it is not
	clockVersion = 1

	statusFile    = "status"
	statusVersion = 1
)

// store keeps what was learned in the state directory.
type store struct {
	*common
	clock  *clock
	judge  *judge
	path   *recordPath
	source *source
	status func() Status
	fleet  func() fleetMemory
	dir    *state.Dir // nil: in memory only; set at the start

	saving       saving       // it has a lock of its own
	mu           sync.Mutex   // held for whatever is done with the directory between start and end; within the trainer's
	named        bool         // the naming is saved; under mu
	savedEvents  uint64       // that the graph had observed since the start when it was last saved; under mu
	checked      time.Time    // when the graph was last looked at for changes; under mu
	unsaved      *model.Model // that could not be saved, nil: none; under mu
	columnsAt    time.Time    // when the columns of rows were last saved by themselves; under mu
	fleetUnsaved bool         // what is to be remembered of published states could not be saved; under mu

	statusAt time.Time // when the status was last written; under mu

	// These are of the goroutine that does the upkeep.
	lastHold time.Time // when the directory was last looked for
	empty    bool      // it was made again, and is not yet filled
}

func (s *store) init(c *common, clock *clock, judge *judge, path *recordPath, status func() Status, fleet func() fleetMemory) {
	s.common, s.clock, s.judge, s.path, s.status, s.fleet = c, clock, judge, path, status, fleet
	s.saving.common = c
}

// saveColumns writes the columns of rows: their header may not come again.
func (s *store) saveColumns() error {
	b, err := s.path.streams.Save()
	if err != nil || string(b) == "{}" {
		return err
	}
	if err := s.dir.Save(columnsFile, columnsVersion, b); err != nil {
		s.path.streams.Unsaved()
		return err
	}
	return nil
}

// save writes model and graph, and warns where that fails: a full disk stops no scoring.
func (s *store) save(m *model.Model) {
	if s.dir == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.logNotes()
	s.unsaved = m
	s.noteSaved(inTurn(s.learned()...))
	s.tellStatus()
}

// learned saves what records and trainings change, the most important first.
func (s *store) learned() []func() error {
	return []func() error{s.saveClock, s.saveGraph, s.saveUnsaved, s.saveUnsavedFleet, s.saveBudgets, s.saveUnanswered, s.saveColumns}
}

// saveClock writes since when the machine's clock is doubted: in an instance that is restarted every day it would be
// doubted for ever otherwise.
func (s *store) saveClock() error {
	since := int64(0)
	if s.live {
		since = s.clock.doubtedSince()
	}
	if since == 0 {
		s.dir.Remove(clockFile)
		return nil
	}
	return s.dir.Save(clockFile, clockVersion, strconv.AppendInt(nil, since/int64(time.Second), 10))
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

// noteSaved notes whether all that was learned is saved now.
func (s *store) noteSaved(err error) {
	if err != nil {
		s.saving.failed(time.Now(), err)
	} else {
		s.saving.worked(time.Now())
	}
}

// saveChanges writes the graph and what else records change, if any came since it was last written or if that failed.
func (s *store) saveChanges() {
	if s.dir == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changes()
}

// changes is saveChanges; s.mu is held.
func (s *store) changes() {
	s.checked = time.Now()
	if s.graph.Stats().Events == s.savedEvents && !s.saving.fails() {
		return
	}
	defer s.logNotes()
	s.noteSaved(inTurn(s.learned()...))
	s.tellStatus() // that this was saved, and when: the next look may be a minute away, and the host be killed before
}

// columnsPause is the least time between two saves of columns by themselves: where many files are read at once, their
// headers come one after another.
const columnsPause = 2 * time.Second

// saveOnTimer saves changes when state.interval has passed, and columns of rows at once. The host's database of what it
// has read moves on all the time: what is learned of that and not saved is lost if the host is killed.
func (s *store) saveOnTimer(now time.Time) {
	if s.dir == nil || !s.mu.TryLock() { // whoever saves just now saves this, too
		return
	}
	defer s.mu.Unlock() // trainings would wait for ever after a panic
	if s.checked.IsZero() {
		s.checked = now
	}
	if every := s.cfg.State.Interval; every > 0 && now.Sub(s.checked) >= every {
		s.changes()
		return
	}
	if s.path.streams.Fresh() && now.Sub(s.columnsAt) >= columnsPause { // rows cannot be read without them
		s.columnsAt = now
		if err := s.saveColumns(); err != nil { // that it worked says nothing of the graph
			s.saving.failed(now, err)
		}
		s.logNotes()
	}
}

// saveFleet writes what is to be remembered of published states.
func (s *store) saveFleet() {
	if s.dir == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.logNotes()
	if err := s.writeFleet(); err != nil { // that it worked says nothing of the graph
		s.saving.failed(time.Now(), err)
	}
}

// saveUnsavedFleet is saveFleet for what could not be saved before: without it a restart may take an older state, or
// publish one under a sequence of before.
func (s *store) saveUnsavedFleet() error {
	if !s.fleetUnsaved {
		return nil
	}
	return s.writeFleet()
}

func (s *store) writeFleet() (err error) {
	defer func() { s.fleetUnsaved = err != nil }()
	m := s.fleet()
	if m == (fleetMemory{}) {
		return nil
	}
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return s.dir.Save(fleetFile, fleetVersion, b)
}

// saveUnsaved writes the model that is not saved yet, if there is one.
func (s *store) saveUnsaved() error {
	if s.unsaved == nil {
		return nil
	}
	if err := s.saveModel(s.unsaved); err != nil {
		return err
	}
	s.unsaved = nil
	return nil
}

func (s *store) saveModel(m *model.Model) error {
	b, err := m.AppendBinary(nil)
	if err != nil {
		return err
	}
	return s.dir.Save(modelFile, modelVersion, b)
}

// logNotes logs what the state directory noticed since the last time.
func (s *store) logNotes() {
	for _, n := range s.dir.Notes() {
		s.host.Log(LevelWarn, n)
	}
}

// holdInterval is how often the background looks whether the state directory is still there: until it is held again,
// another filter could take it.
const holdInterval = 10 * time.Second

// hold makes and fills the state directory again if it was removed. Only the upkeep calls it. While
// somebody saves, which may take long, it is put off to the next turn.
func (s *store) hold(now time.Time) {
	if s.dir == nil || now.Sub(s.lastHold) < holdInterval || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	s.lastHold = now
	again, err := s.dir.Hold()
	s.logNotes()
	s.empty = s.empty || again
	switch {
	case err != nil:
		s.saving.failed(now, err)
	case s.empty:
		s.empty = s.saveAll() != nil // which notes its error
	}
}

// saveBudgets writes what the budgets learned of the last days, as far as there are any, and which sources were reported.
func (s *store) saveBudgets() error {
	save := func(name string, version uint32, alerts *budget.AlertBudget) error {
		b, err := alerts.AppendBinary(nil)
		if err != nil {
			return err
		}
		return s.dir.Save(name, version, b)
	}
	if l := s.judge.alerts; l != nil {
		if err := save(alertsFile, alertsVersion, l); err != nil {
			return err
		}
	}
	if s.judge.sources == nil {
		return nil
	}
	if err := save(sourcesFile, sourcesVersion, s.judge.sources.budget); err != nil {
		return err
	}
	b, err := json.Marshal(s.judge.sources.saved())
	if err != nil {
		return err
	}
	return s.dir.Save(reportsFile, reportsVersion, b)
}

// saveUnanswered writes the triplets that are not learned.
func (s *store) saveUnanswered() error {
	if s.judge.unanswered == nil {
		return nil
	}
	b, err := s.judge.unanswered.AppendBinary(nil)
	if err != nil {
		return err
	}
	return s.dir.Save(unansweredFile, unansweredVersion, b)
}

func (s *store) saveGraph() error {
	events := s.graph.Stats().Events
	_, _, complete := s.graph.Slices() // before: the graph's bytes may lack what is read to its end meanwhile
	b, err := s.graph.AppendBinary(nil)
	if err != nil {
		return err
	}
	var slices []byte
	if complete && s.source.from != nil {
		slices = s.graph.AppendSlices(nil)
	}
	if err := s.dir.Save(graphFile, graphVersion, b); err != nil {
		return err
	}
	s.savedEvents = events
	if !s.named || !s.dir.Has(namingFile) {
		if err := s.dir.Save(namingFile, namingVersion, []byte(naming(s.cfg))); err != nil {
			return err
		}
		s.named = true
	}
	if len(slices) == 0 {
		return nil
	}
	return s.dir.Save(slicesFile, slicesVersion, append(s.slicesOf(b), slices...))
}

// slicesOf is what stands before the slices, which of the graph's events may come from the source again: it tells the
// graph that was saved, and what is read into it. With another they mean nothing.
func (s *store) slicesOf(graph []byte) []byte {
	sum := sha256.New()
	sum.Write(graph)
	sum.Write([]byte(s.source.from.Identity()))
	return sum.Sum(nil)
}

// errOtherGraph says that slices are not those of the graph that was restored, or of another source.
var errOtherGraph = errors.New("they are of another graph or another source")

// restoreSlices takes up the slices of a graph as it was saved.
func (s *store) restoreSlices(of, b []byte) error {
	rest, ok := bytes.CutPrefix(b, of)
	if !ok {
		return errOtherGraph
	}
	return s.graph.RestoreSlices(rest)
}

// statusInterval is how often the status is written for `rgcn status`, beside the times at which all is saved.
const statusInterval = time.Minute

// refreshStatus writes the status when a minute has passed, or when it has changed in words. While somebody saves, it is
// put off to the next turn.
func (s *store) refreshStatus(now time.Time) {
	if s.dir != nil && s.mu.TryLock() {
		defer s.mu.Unlock()
		s.statusIfDue(now)
	}
}

// refreshStatusFirst is refreshStatus, but waits while somebody saves. It comes before a training, which saves the graph:
// on a nearly full disk the status has its room then.
func (s *store) refreshStatusFirst(now time.Time) {
	if s.dir != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.statusIfDue(now)
	}
}

// statusIfDue is refreshStatus; s.mu is held.
func (s *store) statusIfDue(now time.Time) {
	if !s.statusChanged.Load() && now.Sub(s.statusAt) < statusInterval {
		return
	}
	s.statusChanged.Store(false) // before the look: what changes meanwhile is told next time
	s.statusAt = now
	s.tellStatus()
}

// tellStatus writes the status, where that is possible: what is learned is saved with a warning of its own.
func (s *store) tellStatus() {
	if err := s.saveStatus(); err != nil {
		s.logf(LevelDebug, "the status is not saved: %v", err)
	}
}

// saveAll saves what came since the last training, and what else a start needs if that is not there: it went with the
// directory, which is a new one. A panic becomes an error, so that Close gives the directory up in any case. The caller
// holds s.mu, or is the last user of the store.
func (s *store) saveAll() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("what was learned since the last training is not saved: panic: %v", v)
			s.saving.failed(time.Now(), err)
		}
	}()
	defer s.logNotes()
	if s.unsaved == nil && !s.dir.Has(modelFile) { // it went with the directory, which is a new one
		if scorer := s.judge.scorer.Load(); scorer != nil {
			s.unsaved = scorer.Model()
		}
	}
	for _, save := range s.learned() {
		err = printable.Join(err, save())
	}
	if err == nil && !s.dir.Has(fleetFile) {
		err = s.writeFleet()
	}
	s.noteSaved(err) // before the status, which tells of it
	return printable.Join(err, s.saveStatus())
}

// saveStatus writes the status beside graph and model: for `rgcn status`, no start depends on it. On a full disk it
// takes the room of the one before, since it tells that the disk is full.
func (s *store) saveStatus() error {
	status := s.status()
	status.Written = time.Now().UTC().Truncate(time.Second)
	b, err := json.Marshal(status)
	if err != nil {
		return err
	}
	err = s.dir.Save(statusFile, statusVersion, b)
	if errors.Is(err, unix.ENOSPC) && s.dir.Remove(statusFile) {
		err = s.dir.Save(statusFile, statusVersion, b)
	}
	return err
}

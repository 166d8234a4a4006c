package filter

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/state"
	"flb-filter-rgcn/plugin/version"
)

// Level is the weight of a log line.
type Level int

// The levels, the gravest first.
const (
	LevelError Level = iota
	LevelWarn
	LevelInfo
	LevelDebug
)

// Host is the process that runs the filter. Its methods may be called from any goroutine.
type Host interface {
	Property(key string) (value string, ok bool)
	Log(level Level, message string)
}

// common is what all parts of an instance share. Nothing of it changes once the instance is made, but the graph, which
// has a lock of its own, and statusChanged.
type common struct {
	cfg      config.Config
	host     Host
	graph    *graphbuf.Graph
	features Features // of hosts; nil: none
	live     bool     // records are of now, and not of a log that is read
	frozen   bool     // records are scored, but neither counted nor learned from

	// statusChanged is set by any part when the status in the state directory is out of date; the store clears it.
	statusChanged atomic.Bool
}

func (c *common) logf(level Level, format string, args ...any) {
	c.host.Log(level, fmt.Sprintf(format, args...))
}

// Instance is one filter. Its exported methods may be called from many goroutines, Close once and after the others.
type Instance struct {
	*common
	since       time.Time // start of the counts
	savedStatus *Status   // of the state directory, of a frozen instance
	saved       lastWritten
	otherNaming string // in what the state directory names hosts otherwise, "" for nothing; set at the start

	clock   *clock
	judge   judge
	allow   allowList
	fit     fit
	arrival arrival
	path    recordPath
	times   timeLog
	memory  memory
	store   store
	trainer trainer
	source  source

	follower  follower
	publisher publisher

	background background
}

// New makes an instance as the properties say, restores what its state directory holds, and trains in the background
// from then on.
func New(host Host) (*Instance, error) {
	f, err := newInstance(host, forLive, machineClock())
	if err != nil {
		return nil, err
	}
	f.host.Log(LevelInfo, "version "+version.Line())
	for _, line := range f.cfg.SummaryLines() {
		f.host.Log(LevelInfo, line)
	}
	for _, idle := range f.cfg.NoEffect {
		f.host.Log(LevelWarn, idle.Text()+"; "+idle.Fix())
	}
	f.memory.logAddressSpace()
	f.follower.begin()
	f.start()
	return f, nil
}

// What an instance is for.
type kind int

const (
	forLive kind = iota // records are of now
	forLog              // records are read from a log, of whatever time
	forLook             // nothing is learned
)

// NewOffline is New without a background: it trains when TrainIfDue or Train is called.
func NewOffline(host Host) (*Instance, error) { return newInstance(host, forLog, machineClock()) }

// NewFrozen makes an instance that scores by its state directory, which may be in use, learns nothing and writes
// nothing there. It takes the graph as it lies, whatever bounds its own settings have: they need not be those of the
// instance that filled it.
func NewFrozen(host Host) (*Instance, error) { return newInstance(host, forLook, machineClock()) }

// Check returns why New would fail, but for a state directory that is in use: while the host looks at a new
// configuration, the instances of the old one still run.
func Check(host Host) error {
	f, err := prepare(host, forLive, machineClock())
	if err != nil {
		return err
	}
	defer f.letGo()
	if f.cfg.State.Dir != "" && f.cfg.State.Required {
		return state.Check(f.cfg.State.Dir)
	}
	return nil
}

func newInstance(host Host, k kind, read func() (wall, passed int64)) (*Instance, error) {
	f, err := prepare(host, k, read)
	if err != nil {
		return nil, err
	}
	if err := f.allow.load(); err != nil {
		f.letGo()
		return nil, err
	}
	if f.cfg.State.Dir != "" {
		if err := f.openState(); err != nil {
			f.letGo()
			return nil, err
		}
	}
	f.arrival.learned = f.graph.Stats().Edges > 0
	newest := f.graph.Stats().Now
	f.path.newest.Store(newest)
	f.clock.begin(newest, f.saved)
	f.source.begin()
	f.allow.log()
	return f, nil
}

// prepare makes an instance without its state and without the list of judged sessions.
func prepare(host Host, k kind, read func() (wall, passed int64)) (*Instance, error) {
	cfg, err := config.LoadFrom(configDirectory(host), host.Property)
	if err != nil {
		return nil, err
	}
	if err := model.CheckDevice(ModelConfig(cfg)); err != nil && k != forLook { // which trains nothing
		return nil, fmt.Errorf("train.device = %q: %w; allowed are auto and cpu", cfg.Train.Device, err)
	}
	c := &common{cfg: cfg, host: host, live: k == forLive, frozen: k == forLook}
	if c.features, err = HostFeatures(cfg); err != nil {
		return nil, err
	}
	bounds := graphbuf.Config{
		MaxNodes: cfg.Graph.MaxNodes, MaxRelations: cfg.Graph.MaxRelations, MaxEdges: cfg.Graph.MaxEdges,
		Window: cfg.Graph.Window, Trusted: c.live,
	}
	if c.frozen {
		bounds = graphbuf.Unbounded()
	}
	if c.graph, err = graphbuf.New(bounds); err != nil {
		return nil, err
	}
	if err := ModelConfig(cfg).Validate(); err != nil {
		return nil, err
	}
	began := time.Now()
	began = began.Add(-time.Duration(began.Nanosecond())) // Truncate would take the clock that nobody sets out of it
	f := &Instance{common: c, since: began.UTC().Round(0)}
	f.clock = &clock{read: read, leap: int64(bounds.Leap())}
	f.judge.init(c, &f.allow)
	if err := f.path.init(c, f.clock, &f.judge, &f.allow, &f.fit); err != nil {
		return nil, err
	}
	f.allow.init(c, f.clock, f.path.finder.Naming(), &f.path.newest)
	f.fit.init(c, &f.path.counters)
	f.arrival.init(c, &f.path.counters, began)
	f.times.common, f.times.clock, f.times.counters = c, f.clock, &f.path.counters
	f.memory.common, f.memory.files, f.memory.inUse = c, machineFiles, inUseByGo
	f.store.init(c, f.clock, &f.judge, &f.path, f.Status, f.fleetMemory)
	f.trainer.init(c, &f.judge, &f.memory, &f.store, &f.allow, &f.follower, &f.publisher)
	if err := f.source.init(c, f.clock, &f.allow, f.judge.unanswered); err != nil {
		return nil, err
	}
	f.trainer.source, f.store.source = &f.source, &f.source
	if err := f.follower.init(c, f); err != nil {
		return nil, err
	}
	if err := f.publisher.init(c, &f.judge, &f.memory, &f.store); err != nil {
		return nil, err
	}
	return f, nil
}

// configDirectory is where relative paths of the settings begin, where the host knows: the directory of its own
// configuration.
func configDirectory(host Host) string {
	if h, ok := host.(interface{ ConfigDirectory() string }); ok {
		return h.ConfigDirectory()
	}
	return ""
}

// openState opens the state directory and restores what it holds. A live filter works without a directory that it
// cannot use, unless state.required says otherwise or another filter has it.
func (f *Instance) openState() error {
	open := state.Open
	if f.frozen {
		open = state.OpenReadOnly
	}
	dir, err := open(f.cfg.State.Dir)
	switch {
	case err == nil:
		dir.Room = f.memory.room
		f.store.dir, f.memory.saves = dir, true
		f.store.logNotes()
		f.restore()
	case !f.live || f.cfg.State.Required || errors.Is(err, state.ErrInUse):
		return err
	default:
		f.readState()
		f.store.saving.worksInMemory(err)
	}
	return nil
}

// readState takes from a state directory that cannot be written what can be read.
func (f *Instance) readState() {
	dir, err := state.OpenReadOnly(f.cfg.State.Dir)
	if err != nil || !dir.CanRead(graphFile) {
		return
	}
	if note := dir.Others(); note != "" {
		f.host.Log(LevelWarn, note)
	}
	dir.Room = f.memory.room
	f.store.dir = dir
	f.restore()
	f.store.dir = nil // nothing is saved there
}

// Scorer returns the scorer in use, nil before the first training.
func (f *Instance) Scorer() *model.Scorer { return f.judge.scorer.Load() }

// OtherNaming is in what those who filled the state directory name hosts and relations otherwise, "" for nothing.
func (f *Instance) OtherNaming() string { return f.otherNaming }

// Config returns the effective settings.
func (f *Instance) Config() config.Config { return f.cfg }

// Process is ProcessTagged for records without a tag.
func (f *Instance) Process(dst, chunk []byte) (out []byte, modified bool) {
	return f.path.process(dst, chunk, nil)
}

// ProcessTagged appends to dst the chunk with the fields added to every record that has a source and a destination; all
// other bytes are as they were. modified is false when no record has them, and out is dst then.
func (f *Instance) ProcessTagged(dst, chunk, tag []byte) (out []byte, modified bool) {
	return f.path.process(dst, chunk, tag)
}

// TrainIfDue trains if the schedule says so at the given time and reports whether it tried.
func (f *Instance) TrainIfDue(ctx context.Context, now time.Time) bool {
	return f.trainer.trainIfDue(ctx, now)
}

// Train trains at once, whatever the schedule says. progress, unless nil, is called after each step.
func (f *Instance) Train(ctx context.Context, now time.Time, progress func(step, steps int, loss float32)) error {
	return f.trainer.trainNow(ctx, now, progress)
}

// Part returns what of the graph is to be seen first, given some triplets that are (see graphbuf).
func (f *Instance) Part(triplets []graphbuf.Event, n int) *graphbuf.Part {
	return f.graph.Part(triplets, n)
}

// Close stops a training that runs, waits for its end and saves what was learned.
func (f *Instance) Close() error { return f.end(!f.frozen) }

// Abandon is Close for a run that failed: what was learned since the last training is not saved.
func (f *Instance) Abandon() error { return f.end(false) }

// letGo closes the places and the search server that the settings name.
func (f *Instance) letGo() {
	if f.source.from != nil {
		f.source.from.Close()
	}
	f.follower.close()
	f.publisher.close()
}

func (f *Instance) end(save bool) error {
	f.stop()
	var err error
	if !f.frozen {
		f.times.log(true)
	}
	if f.store.dir != nil {
		if save {
			err = f.store.saveAll()
		}
		err = printable.Join(err, f.store.dir.Close())
	}
	f.letGo()
	f.fit.end()
	f.host.Log(LevelInfo, f.closed())
	return err
}

// Package filter is one instance of the filter: configuration, graph, scorer, the
// schedule of trainings, and the state directory. It is pure Go and knows no C: what it
// needs of the host process it asks of a Host.
package filter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/hosts"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/state"
	"flb-filter-rgcn/plugin/triplet"
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

// Instance is one filter. Its exported methods may be called from many goroutines, Close
// once and after the others.
type Instance struct {
	cfg     config.Config
	host    Host
	graph   *graphbuf.Graph
	fields  *record.Extractor
	finder  *triplet.Finder
	streams triplet.Streams
	fit     fit
	warned  atomic.Bool // of fields that are overwritten

	untimed     atomic.Uint64 // counted records while none had a time of its own
	timesJudged atomic.Bool   // one had, or it was said that none has
	saidLeftOut atomic.Bool   // that no record fulfils the conditions
	staleStatus atomic.Bool   // what the state directory says of the fit is no longer so
	keys        keys
	features    model.NodeFeatures // nil: none
	allow       *allow.File        // of judged sessions; nil: none
	scorer      atomic.Pointer[model.Scorer]
	ledger      *model.Ledger // of the alerts, with threshold.method = budget; else nil
	rarity      atomic.Pointer[model.Rarity]
	sources     *sources  // nil: none is reported
	usual       float32   // its threshold, of a frozen instance
	scratch     sync.Pool // *scratch
	counters    counters
	latency     latency
	watch       *watch // nil: nobody looks
	history     history
	since       time.Time
	savedStatus *Status      // of the state directory, of a frozen instance
	newest      atomic.Int64 // event time, of the records so far
	frozen      bool         // look, but neither count nor train
	live        bool         // records are of now, and not of a log that is read
	clock       clock

	saidMu sync.Mutex
	said   said

	state    *state.Dir // nil: in memory only
	saveMu   sync.Mutex // held for whatever is done with the state directory; within trainMu
	saved    saved      // under saveMu
	trainMu  sync.Mutex // held for one training, with its saving
	schedule schedule
	due      atomic.Int64 // when the next training may come, unix nanoseconds; 0: at once

	statusAt     time.Time // when the status was last written; the training goroutine's own
	saidWaiting  bool      // the training goroutine's own, as the next one
	firstSession time.Time
	fallback     string // why the last training was not on the card that it might have had

	panicMu   sync.Mutex
	lastPanic time.Time // when a panic was last said; under panicMu

	// The background's own: when the state directory was last looked at, and what was wrong with it.
	lastHold time.Time
	notHeld  string

	files               fs.FS                  // where the limits on memory stand
	thrift              string                 // how trainings save memory, as it was said; under trainMu
	holdMu              sync.Mutex             // held while the limits are looked at for the graph's sake
	held                bool                   // under holdMu: the graph is held below its bounds
	lastLimit, lastFree time.Time              // likewise: when the limits were last looked at, and memory last freed for them
	putOff              atomic.Pointer[string] // why the last training was put off for want of memory; nil: it was not
	shortGraph          atomic.Pointer[string] // why the graph stays below its bounds; nil: it does not

	stop context.CancelFunc
	done chan struct{} // closed when the goroutines of the background have ended; nil: there are none

	following sync.WaitGroup // of the goroutine that follows the list of judged sessions
}

type counters struct {
	records, counted, scored, flagged, reported, allowed, denied, missing, skipped, malformed atomic.Uint64
}

// New makes an instance as the properties say, takes up what its state directory holds,
// and trains in the background from then on.
func New(host Host) (*Instance, error) {
	f, err := newInstance(host, forLive, machineClock())
	if err != nil {
		return nil, err
	}
	host.Log(LevelInfo, "version "+version.Line())
	host.Log(LevelInfo, f.cfg.Summary())
	ctx, cancel := context.WithCancel(context.Background())
	f.stop, f.done = cancel, make(chan struct{})
	countLive(+1)
	keeper := make(chan struct{})
	go func() {
		defer close(keeper)
		f.keepInBackground(ctx)
	}()
	go func() {
		defer close(f.done)
		f.trainInBackground(ctx)
		<-keeper
	}()
	if f.allow != nil {
		f.following.Add(1)
		go f.followAllow(ctx)
	}
	return f, nil
}

// What an instance is for.
type kind int

const (
	forLive kind = iota // records are of now
	forLog              // records are read from a log, of whatever time
	forLook             // nothing is learned
)

// NewOffline is New without a clock: it trains when TrainIfDue or Train is called.
func NewOffline(host Host) (*Instance, error) { return newInstance(host, forLog, machineClock()) }

// NewFrozen makes an instance that scores by its state directory, which may be in use,
// learns nothing and writes nothing there.
func NewFrozen(host Host) (*Instance, error) {
	return newInstance(host, forLook, machineClock())
}

// Check tells what would keep New from making an instance, but for a state directory that is in use: while the host looks
// at a new configuration the instances of the old one still run.
func Check(host Host) error {
	f, err := prepare(host, forLive, machineClock())
	if err == nil && f.cfg.State.Dir != "" && f.cfg.State.Required {
		err = state.Check(f.cfg.State.Dir)
	}
	return err
}

// directory is where relative paths of the settings begin, where the host knows: that of its own configuration.
func directory(host Host) string {
	if h, ok := host.(interface{ ConfigDirectory() string }); ok {
		return h.ConfigDirectory()
	}
	return ""
}

func newInstance(host Host, k kind, read func() (wall, passed int64)) (*Instance, error) {
	f, err := prepare(host, k, read)
	if err != nil {
		return nil, err
	}
	if err := f.loadAllow(); err != nil {
		return nil, err
	}
	if f.cfg.State.Dir != "" {
		open := state.Open
		if f.frozen {
			open = state.OpenReadOnly
		}
		switch f.state, err = open(f.cfg.State.Dir); {
		case err == nil:
			f.sayNotes()
			f.restore()
		case !f.live || f.cfg.State.Required || errors.Is(err, state.ErrInUse):
			return nil, err
		default:
			f.state = nil
			host.Log(LevelError, fmt.Sprintf("state.dir cannot be used by the user with uid %d: %v; the filter works, but in memory: "+
				"what it learns is lost at exit. Make it a directory that this user may write, or set State_Required On to refuse such a start",
				os.Getuid(), err))
		}
	}
	newest := f.graph.Stats().Now
	f.newest.Store(newest)
	f.clock.begin(newest)
	return f, nil
}

// prepare makes an instance without its state.
func prepare(host Host, k kind, read func() (wall, passed int64)) (*Instance, error) {
	cfg, err := config.LoadFrom(directory(host), host.Property)
	if err != nil {
		return nil, err
	}
	if err := model.CheckDevice(ModelConfig(cfg)); err != nil {
		return nil, fmt.Errorf("train.device = %q: %w; allowed are auto and cpu", cfg.Train.Device, err)
	}
	f := &Instance{cfg: cfg, host: host, schedule: schedule{cfg: cfg.Train}, since: time.Now().UTC().Truncate(time.Second), frozen: k == forLook, live: k == forLive, files: machineFiles}
	if f.features, err = HostFeatures(cfg); err != nil {
		return nil, err
	}
	if cfg.Metrics.Listen != "" {
		f.watch = newWatch()
	}
	bounds := graphbuf.Config{
		MaxNodes: cfg.Graph.MaxNodes, MaxRelations: cfg.Graph.MaxRelations, MaxEdges: cfg.Graph.MaxEdges, Window: cfg.Graph.Window,
		Trusted: f.live,
	}
	if f.graph, err = graphbuf.New(bounds); err != nil {
		return nil, err
	}
	f.clock.read, f.clock.leap = read, int64(bounds.Leap())
	if err := ModelConfig(cfg).Validate(); err != nil {
		return nil, err
	}
	if th := cfg.Threshold; th.Method == model.Budget {
		f.ledger = model.NewLedger(th.PerDay)
	}
	f.sources = newSources(cfg.Threshold.SourcesPerDay)
	if err := f.compileFields(); err != nil {
		return nil, err
	}
	f.scratch.New = func() any { return f.newScratch() }
	return f, nil
}

// Scorer returns the scorer in use, nil before the first training.
func (f *Instance) Scorer() *model.Scorer { return f.scorer.Load() }

// Config returns the effective settings.
func (f *Instance) Config() config.Config { return f.cfg }

// Close stops a training that runs, waits for its end and saves what was learned.
func (f *Instance) Close() error {
	if f.done != nil {
		f.stop()
		<-f.done
		countLive(-1)
		f.following.Wait()
	}
	var err error
	if !f.frozen {
		f.sayTimes(true)
	}
	if f.state != nil {
		if !f.frozen {
			err = f.saveAll()
		}
		err = errors.Join(err, f.state.Close())
	}
	f.judgeFit()
	f.host.Log(LevelInfo, "closed: "+f.Counts().String())
	return err
}

// countLive counts the instances among which the process's memory is shared.
func countLive(by int) {
	shared.mu.Lock()
	defer shared.mu.Unlock()
	shared.live += by
}

// saveAll saves what came since the last training, and the model if that is not there. A panic is an error, so that Close gives
// the directory up in any case.
func (f *Instance) saveAll() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("what was learned since the last training is not saved: panic: %v", v)
		}
	}()
	defer f.sayNotes()
	err = errors.Join(f.saveGraph(), f.saveLedgers(), f.saveColumns(), f.saveStatus())
	if s := f.scorer.Load(); err == nil && s != nil && !f.state.Has(modelFile) { // it went with the directory, which is a new one
		err = f.saveModel(s.Model())
	}
	return err
}

// HostFeatures loads what the settings say is known of hosts; nil where that is nothing.
func HostFeatures(c config.Config) (model.NodeFeatures, error) {
	features, err := hosts.Load(c.Model.Features, c.Model.Prefixes)
	if err != nil {
		return nil, fmt.Errorf("model.features = %q: %w", c.Model.Features, err)
	}
	if features == nil { // and not a nil of some type
		return nil, nil
	}
	return features, nil
}

// ModelConfig translates the settings for package model, but for the features of hosts.
func ModelConfig(c config.Config) model.Config {
	m, t, th := c.Model, c.Train, c.Threshold
	return model.Config{
		Dim: m.Dim, Decoder: m.Decoder, Layer1: m.Layer1, Layer2: m.Layer2, Dropout: m.Dropout,
		Objective: m.Objective, Sample: t.Sample, TrainShare: t.Share,
		Device: t.Device, Steps: t.Steps, LearningRate: t.LearningRate, Negatives: t.Negatives, Seed: t.Seed, Threads: t.Threads, Tolerance: t.Tolerance,
		Threshold: model.Threshold{Method: th.Method, K: th.K, Quantile: th.Quantile, PerDay: th.PerDay},
	}
}

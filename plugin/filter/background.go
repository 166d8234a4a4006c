package filter

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"flb-filter-rgcn/plugin/outage"
)

// background is the goroutines of a live instance. Two of them work by the clock: one trains, the other does the upkeep,
// which must go on beside a training: limits, files and what the log has to say. A third follows the list of judged
// sessions, as a file system may be slow. Published states and a search server have goroutines of their own, as a server
// may be slower.
type background struct {
	cancel  context.CancelFunc // nil: there is no background
	running sync.WaitGroup
	panics  outage.Pause
}

const (
	// trainInterval is how often the schedule of trainings is looked at.
	trainInterval = 200 * time.Millisecond
	// upkeepInterval is how often the upkeep looks whether there is something to do.
	upkeepInterval = 200 * time.Millisecond
)

// start starts the background.
func (f *Instance) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.background.cancel = cancel
	f.trainer.background = true
	countLive(+1)
	every := func(interval time.Duration, turn func(now time.Time)) {
		f.background.running.Go(func() {
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for {
				select {
				case <-ctx.Done():
					return
				case now := <-tick.C:
					turn(now)
				}
			}
		})
	}
	every(trainInterval, func(now time.Time) { f.trainTurn(ctx, now) })
	every(upkeepInterval, f.upkeepTurn)
	if f.source.from != nil {
		every(sourceInterval, func(now time.Time) { f.pullTurn(ctx, now) })
	}
	if f.follower.active {
		f.background.running.Go(func() { f.follower.run(ctx) })
	}
	if f.publisher.active {
		f.background.running.Go(func() { f.publisher.run(ctx) })
	}
	if f.allow.file != nil {
		every(allowInterval, func(time.Time) { f.allow.reload() })
	}
}

// stop ends the background, if there is one, and waits for it.
func (f *Instance) stop() {
	if f.background.cancel == nil {
		return
	}
	f.background.cancel()
	f.background.running.Wait()
	countLive(-1)
}

// trainTurn is one turn of the goroutine that trains: a training may take minutes. A panic, wherever it came up, ends
// this turn alone: it would end the host otherwise, with all records on their way.
func (f *Instance) trainTurn(ctx context.Context, now time.Time) {
	defer f.survive(now)
	f.store.refreshStatusFirst(now)
	f.trainer.trainIfDue(ctx, now)
	f.trainer.logWaiting(now, f.path.counters.counted.Load())
}

// upkeepTurn is one turn of the goroutine that does the upkeep. It waits for nobody who trains, and for nobody who saves
// but itself.
func (f *Instance) upkeepTurn(now time.Time) {
	defer f.survive(now)
	f.memory.holdGraph(false)
	f.times.log(false)
	f.source.logSlow(now)
	f.arrival.log(now)
	f.fit.endWaiting(now)
	f.store.refreshStatus(now) // before anything large is saved
	f.store.hold(now)
	f.store.saveOnTimer(now)
}

// pullTurn is one turn of the goroutine that reads from a search server.
func (f *Instance) pullTurn(ctx context.Context, now time.Time) {
	defer f.survive(now)
	f.source.turn(ctx, now)
}

// panicPause keeps a panic that comes up in every turn from filling the log.
const panicPause = time.Minute

// survive is deferred: it ends a panic and logs it.
func (f *Instance) survive(now time.Time) {
	v := recover()
	if v == nil {
		return
	}
	if !f.background.panics.Over(now, panicPause) {
		return
	}
	f.host.Log(LevelError, fmt.Sprintf("background: panic: %v; the scores go on by the model there is, the next training is tried on "+
		"the schedule; please report this", v))
	f.logStack()
}

// panicked makes an error of what a panic left, and logs where it came up.
func (c *common) panicked(v any) error {
	c.logStack()
	return fmt.Errorf("panic: %v; please report this", v)
}

func (c *common) logStack() {
	for line := range strings.Lines(string(debug.Stack())) {
		c.host.Log(LevelDebug, strings.TrimSpace(line))
	}
}

package filter

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"time"
	"unicode"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/outage"
	"flb-filter-rgcn/plugin/printable"
)

// follower has records scored by the states that a trainer publishes. It looks for a new one on a schedule, in the
// background, and takes it only when all of it is verified; until then, and whenever something is wrong, the state
// before it serves.
type follower struct {
	*common
	filter *Instance // its judge, memory, store and record path
	active bool      // there is a place to follow

	// These are of the goroutine that looks.
	place    fleet.Place // nil: to be opened (again)
	trust    fleet.Trust
	looked   bool   // since the start
	tag      string // of what the place held when it was last looked at and well
	outage   outage.Outage
	lastKind string // of the failure that was last logged
	why      string // of the last refusal, up to a number in its text
	oldSaid  bool   // that the state in use is old

	tooOld int // triplets of the state that was read last which this filter's window leaves out

	mu      sync.Mutex // guards what follows, for moments
	status  FollowStatus
	leftOut string // what the bounds of the graph leave out of the state in use; "" for nothing
	differs string // in what its trainer names hosts otherwise than this filter; "" for nothing
	whole   bool   // graph and model of the state are those in use
}

// Why a look brought nothing.
var (
	errUnreached = errors.New("cannot be fetched")
	errRefused   = errors.New("is refused")
	errNotTaken  = errors.New("was not taken") // through no fault of its own
)

func (f *follower) init(c *common, filter *Instance) error {
	f.common, f.filter = c, filter
	if c.cfg.State.From == "" || !c.live { // what is read from a log, or only looked at, follows nobody
		return nil
	}
	f.active = true
	f.status.From = fleet.PlaceName(c.cfg.State.From)
	return f.open()
}

// open reads keys and credentials, and opens the place.
func (f *follower) open() (err error) {
	s := f.cfg.State
	f.trust.Unsigned = s.Unsigned
	if s.Key != "" {
		if f.trust.Keys, err = fleet.ReadPublicKeys(s.Key); err != nil {
			return fmt.Errorf("state.key: %w", err)
		}
	}
	if f.place, err = fleet.Open(s.From, f.access()); err != nil {
		return fmt.Errorf("state.from: %s: %w", fleet.PlaceName(s.From), err)
	}
	return nil
}

// close lets the place go, if there is one. The next look opens it again.
func (f *follower) close() {
	if f.place != nil {
		f.place.Close()
		f.place = nil
	}
}

// restoreFleet takes up what the state directory remembers. whole says that graph and model are there.
func (f *Instance) restoreFleet(b []byte, whole bool) error {
	var m fleetMemory
	if err := json.Unmarshal(b, &m); err != nil {
		return err
	}
	f.publisher.status.Sequence = m.Published
	if s := m.from(f.follower.status.From); f.follower.active && s != nil {
		f.follower.status, f.follower.whole = *s, whole
		f.follower.status.Taken, f.follower.status.Unchanged, f.follower.status.Failed, f.follower.status.Refused = 0, 0, 0, 0
		f.follower.status.Problem = ""
	}
	return nil
}

// firstLook is how long a start waits for a state where there is none yet, so that the first record has a score.
const firstLook = 10 * time.Second

// begin looks for a state before the first record comes, unless there is one from before.
func (f *follower) begin() {
	if !f.active {
		return
	}
	if f.whole {
		f.reportNaming() // the settings may be others than those of the last run
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), firstLook)
	defer cancel()
	f.look(ctx)
}

// run looks for a newer state on the schedule, or once where there is none.
func (f *follower) run(ctx context.Context) {
	every := f.cfg.State.Poll
	for {
		wait := outage.Jitter(every)
		if n := f.outage.Failures(); n > 0 {
			most := longestRetry
			if every > 0 {
				most = min(most, every)
			}
			wait = outage.Retry(n, most)
		} else if every == 0 {
			if f.looked {
				return
			}
			wait = 0 // it began with the state of before, and has not looked for a newer one
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		f.look(ctx)
	}
}

// look looks once, and logs what is worth it.
func (f *follower) look(ctx context.Context) {
	f.looked = true
	taken, err := f.poll(ctx)
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return // the filter ends
	}
	now := time.Now()
	f.mu.Lock()
	f.status.Problem = ""
	switch {
	case errors.Is(err, errRefused):
		f.status.Refused++
	case err != nil:
		f.status.Failed++
	case taken:
		f.status.Taken++
	default:
		f.status.Unchanged++
	}
	if err != nil {
		f.status.Problem = err.Error()
	} else {
		f.status.LastPoll = now.UTC()
	}
	s := f.status
	f.mu.Unlock()
	f.statusChanged.Store(true)
	f.report(err, s, now)
	f.reportAge(s, now)
}

// poll looks whether there is a newer state, and takes it.
func (f *follower) poll(ctx context.Context) (taken bool, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("%w: %w", errRefused, f.panicked(v))
		}
	}()
	f.why = ""
	if f.place == nil {
		if err := f.open(); err != nil {
			return false, fmt.Errorf("%w: %w", errUnreached, err)
		}
	}
	body, tag, err := f.place.Get(ctx, f.tag)
	if errors.Is(err, fleet.ErrNotModified) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s %w: %w", f.place, errUnreached, err)
	}
	defer body.Close()
	read := &reading{Reader: body}
	taken, err = f.consider(read, f.tag != "" && tag != "")
	if err != nil {
		return false, f.notInUse(err, read.err)
	}
	f.tag = tag
	return taken, nil
}

// notInUse says why what lies in the place is not in use, of which the reading failed where onTheWay is not nil.
func (f *follower) notInUse(err, onTheWay error) error {
	switch {
	case onTheWay != nil: // no fault of what lies there
		return fmt.Errorf("%s %w: the answer breaks off: %w", f.place, errUnreached, onTheWay)
	case errors.Is(err, graphbuf.ErrTooFast): // nor is this
		return fmt.Errorf("the state in %s %w: %w", f.place, errNotTaken, err)
	}
	f.why = err.Error()
	if i := strings.IndexFunc(f.why, unicode.IsDigit); i >= 0 {
		f.why = f.why[:i]
	}
	return fmt.Errorf("what lies in %s %w: %w", f.place, errRefused, err)
}

// reading keeps the error of a reader, but for its end.
type reading struct {
	io.Reader
	err error
}

func (r *reading) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

// consider reads a state and takes it, unless it is the one in use. changed says that the place holds something else than
// when it was last looked at: a server without tags sends the state in use again and again, which is not read whole.
func (f *follower) consider(body io.Reader, changed bool) (taken bool, err error) {
	h, err := fleet.ReadHeader(body, f.trust)
	if err != nil {
		return false, err
	}
	s := f.state()
	if h.Sequence == s.Sequence && f.whole && (!s.Unsigned || !f.vouched(h)) {
		if changed {
			err = f.verify(h, body)
		}
		return false, err
	}
	if err := f.acceptable(h, s); err != nil {
		return false, err
	}
	graph, m, err := f.fetch(h, body)
	if err != nil {
		return false, err
	}
	h.Horizon = horizon(graph, h.Horizon, h.Published) // trainers of before let a session dated ahead move it
	kept := graph.Stats().Edges                        // before it has what this filter saw
	if err := f.take(h, graph, m); err != nil {
		return true, err
	}
	f.reportLeftOut(h, kept)
	f.reportNaming()
	return true, nil
}

// verify reads the payload of the state in use once more: others who find it there may have to take it. Where memory does
// not allow that, it is taken for whole.
func (f *follower) verify(h *fleet.Header, body io.Reader) error {
	_, giveBack, ok := f.filter.memory.take(h.Memory())
	if !ok {
		return nil
	}
	defer giveBack()
	_, _, err := h.ReadPayload(body)
	return err
}

// vouched says that a key has signed a header that was read.
func (f *follower) vouched(h *fleet.Header) bool { return h.Signed && len(f.trust.Keys) > 0 }

// acceptable returns why a state that is genuine is not to be taken.
func (f *follower) acceptable(h *fleet.Header, s *FollowStatus) error {
	now := time.Now()
	// A sequence is a time, or one more than the last where the trainer's clock went back. Without a key anybody may have
	// given it: one that lies ahead of all times must not keep the states of the trainer out, nor one of before, once a
	// key vouches for them.
	latest, last := uint64(math.MaxInt64), s.Sequence
	if !f.vouched(h) {
		latest = uint64(now.Add(FarFuture).UnixNano())
	}
	if last > latest || s.Unsigned && f.vouched(h) {
		last = 0
	}
	ahead := func(what string, at int64) error {
		if time.Unix(0, at).Sub(now) <= FarFuture {
			return nil
		}
		return fmt.Errorf("%s is %s, by this machine's clock more than %v ahead: one of the two clocks is wrong", what,
			time.Unix(0, at).UTC().Format(time.RFC3339), FarFuture)
	}
	switch {
	case h.Sequence == 0:
		return errors.New("its sequence is 0, which no trainer gives")
	case h.Sequence > latest:
		return fmt.Errorf("its sequence is %d, which is a time of publication and may be %d at most: the clock of the trainer or of this machine is or was wrong, or it is forged", h.Sequence, latest)
	case h.Sequence < last:
		return fmt.Errorf("it is older than the state in use: published %s with the sequence %d, after %s with %d; somebody has put it back, or a second trainer has a clock that is behind",
			h.PublishedAt().Format(time.RFC3339), h.Sequence, s.Published.Format(time.RFC3339), s.Sequence)
	case h.GraphVersion > graphVersion || h.ModelVersion != modelVersion:
		return fmt.Errorf("its graph is of version %d and its model of version %d, this filter reads up to %d, and %d: bring trainer and scorers to the same release",
			h.GraphVersion, h.ModelVersion, graphVersion, modelVersion)
	}
	return printable.Join(ahead("its time of publication", h.Published), ahead("its last session", h.Horizon))
}

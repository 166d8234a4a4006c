package filter

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"sync"
	"time"
	"unicode/utf8"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/outage"
)

// publisher puts what was learned where others find it. That is done in the background: neither records nor trainings
// wait for it. Where it fails, it is tried again, with what is the newest by then.
type publisher struct {
	*common
	judge  *judge
	memory *memory
	store  *store
	active bool // there is a place to publish to
	wake   chan struct{}

	turn  sync.Mutex  // held for one publication
	place fleet.Place // nil: to be opened (again); under turn
	tried uint64      // the last sequence that was sent and of which nobody said that it was taken, 0: none; under turn

	// These two are of the goroutine that publishes in the background.
	outage outage.Outage
	lasts  bool // the failure before will come again until somebody changes something

	mu     sync.Mutex // guards status, for moments
	status PublishStatus
}

// PublishStatus is what became of publications.
type PublishStatus struct {
	To        string    `json:"to"`
	Sequence  uint64    `json:"sequence"` // of the last one, 0: none yet
	Published time.Time `json:"published,omitzero"`
	Edges     uint32    `json:"edges"` // of its graph
	Bytes     int64     `json:"bytes"`
	Count     uint64    `json:"count"`  // since the start
	Failed    uint64    `json:"failed"` // likewise
	Problem   string    `json:"problem,omitempty"`
}

// fleetMemory is what a state directory keeps of published states.
type fleetMemory struct {
	Published uint64        `json:"published,omitempty"` // sequence of the last state that this filter published
	Followed  *FollowStatus `json:"followed,omitempty"`  // the one with which its graph began
	// FollowedFrom is Followed.From in base64 where that is a path that is no UTF-8: a text of JSON does not keep it.
	FollowedFrom string `json:"followed_from,omitempty"`
}

// from returns what was followed in a place of that name, nil where it was another, or none.
func (m *fleetMemory) from(place string) *FollowStatus {
	s := m.Followed
	if s == nil {
		return nil
	}
	if name, err := base64.StdEncoding.DecodeString(m.FollowedFrom); err == nil && len(name) > 0 {
		s.From = string(name)
	}
	if s.From != place {
		return nil
	}
	return s
}

// fleetMemory is what is to be remembered by now.
func (f *Instance) fleetMemory() (m fleetMemory) {
	if s := f.publisher.state(); s != nil {
		m.Published = s.Sequence
	}
	if s := f.follower.state(); s != nil && s.Sequence > 0 {
		m.Followed = s
		if !utf8.ValidString(s.From) {
			m.FollowedFrom = base64.StdEncoding.EncodeToString([]byte(s.From))
		}
	}
	return m
}

func (p *publisher) init(c *common, judge *judge, memory *memory, store *store) error {
	p.common, p.judge, p.memory, p.store = c, judge, memory, store
	if c.cfg.Publish.To == "" || c.frozen {
		return nil
	}
	p.active, p.wake = true, make(chan struct{}, 1)
	p.status.To = fleet.PlaceName(c.cfg.Publish.To)
	if _, err := p.signingKey(); err != nil {
		return err
	}
	if n := len(naming(c.cfg)); n > fleet.MaxNaming {
		return fmt.Errorf("publish: what fields.source, fields.destination, fields.relation and fields.under name has %d bytes, a published state holds %d of them", n, fleet.MaxNaming)
	}
	if c.live && c.cfg.Train.Interval == 0 {
		p.logf(LevelWarn, "publish: train.interval is 0, so that this filter does not train and nothing is published to %s; set Train_Interval", p.status.To)
	}
	return p.open()
}

// access is how servers of published states are reached.
func (c *common) access() fleet.Access {
	s := c.cfg.Fleet
	return fleet.Access{Credentials: s.Credentials, CAFile: s.CAFile, S3Endpoint: s.S3Endpoint, S3Region: s.S3Region}
}

func (p *publisher) open() (err error) {
	if p.place, err = fleet.Open(p.cfg.Publish.To, p.access()); err != nil {
		return fmt.Errorf("publish: %s: %w", fleet.PlaceName(p.cfg.Publish.To), err)
	}
	return nil
}

// close lets the place go, if there is one. The next publication opens it again. p.turn is held, or nothing is published
// any more.
func (p *publisher) close() {
	if p.place != nil {
		p.place.Close()
		p.place = nil
	}
}

// signingKey reads the private key, which is kept no longer than it is needed; nil: states are not signed.
func (p *publisher) signingKey() (ed25519.PrivateKey, error) {
	if p.cfg.Publish.Unsigned {
		return nil, nil
	}
	key, err := fleet.ReadSigningKey(p.cfg.Publish.Key)
	if err != nil {
		return nil, fmt.Errorf("publish_key: %w", err)
	}
	return key, nil
}

// state returns the status, nil where nothing is published.
func (p *publisher) state() *PublishStatus {
	if !p.active {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.status
	return &s
}

// problem is why the newest of what was learned is not published, "" where it is.
func (p *publisher) problem() string {
	s := p.state()
	if s == nil || s.Problem == "" {
		return ""
	}
	last := "nothing was published yet since the start"
	if s.Count > 0 {
		last = "the last state is of " + s.Published.Format(time.RFC3339)
	}
	return fmt.Sprintf("what was learned is not published: %s; %s", s.Problem, last)
}

// offer has the state published as it is by then. It does not wait.
func (p *publisher) offer() {
	if !p.active || !p.live {
		return
	}
	select {
	case p.wake <- struct{}{}:
	default: // it is about to be published anyway
	}
}

// longestRetry bounds the time between two attempts.
const longestRetry = 5 * time.Minute

// run publishes whenever something is offered.
func (p *publisher) run(ctx context.Context) {
	for {
		var retry <-chan time.Time
		if n := p.outage.Failures(); n > 0 {
			retry = time.After(outage.Retry(n, longestRetry))
		}
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-retry:
		}
		err := p.publish(ctx)
		if ctx.Err() != nil {
			return
		}
		p.report(err, time.Now())
	}
}

// report logs a failure when it is new or of another kind, and then at growing intervals; and its end.
func (p *publisher) report(err error, now time.Time) {
	switch {
	case err == nil:
		s := p.state()
		p.logf(LevelInfo, "published state of %s to %s, sequence %d: %d triplets in %d KiB", s.Published.Format(time.RFC3339), s.To, s.Sequence, s.Edges, s.Bytes>>10)
		if n, since := p.outage.Over(); n > 0 {
			p.logf(LevelInfo, "publishing works again %s since %s", outage.After(n, "failure"), since.UTC().Format(time.RFC3339))
		}
	default:
		log, before := p.outage.Failed(now), p.lasts
		if p.lasts = fleet.Lasts(err); log || p.lasts != before {
			p.logf(LevelWarn, "what was learned is not published, scores go on and it is tried again: %v", err)
		}
	}
}

// publish publishes graph and model as they are.
func (p *publisher) publish(ctx context.Context) (err error) {
	p.turn.Lock()
	defer p.turn.Unlock()
	defer func() {
		if v := recover(); v != nil {
			err = p.panicked(v)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.status.Problem = ""
		if err != nil {
			p.status.Failed++
			p.status.Problem = err.Error()
			p.close() // the credentials may have changed
		}
		p.statusChanged.Store(true)
	}()
	key, err := p.signingKey()
	if err != nil {
		return err
	}
	if p.place == nil {
		if err := p.open(); err != nil {
			return err
		}
	}
	b, h, promised, err := p.encode(key)
	if err != nil {
		return err
	}
	defer promised.keep(0)
	promised.keep(int64(len(b))) // which may take minutes to send: what others were promised is not for these
	p.tried = h.Sequence         // an answer that is lost tells nothing of the state
	if err := p.place.Put(ctx, b); err != nil {
		return fmt.Errorf("publish: %s: %w", p.place, err)
	}
	p.mu.Lock()
	p.status.Sequence, p.status.Published, p.status.Edges, p.status.Bytes = h.Sequence, h.PublishedAt(), h.Edges, int64(len(b))
	p.status.Count++
	p.mu.Unlock()
	p.tried = 0
	p.store.saveFleet()
	return nil
}

// encode makes the state to publish, and leaves the promise of the memory that it takes to the caller. After an error
// there is none.
func (p *publisher) encode(key ed25519.PrivateKey) (state []byte, h fleet.Header, promised *promise, err error) {
	scorer := p.judge.scorer.Load()
	if scorer == nil {
		return nil, h, nil, ErrNoModel
	}
	st := p.graph.Stats()
	sizes := graphbuf.Sizes{Nodes: st.Nodes, Relations: st.Relations, Edges: st.Edges}
	bytes := publishingBytes(sizes, scorer.Model())
	a, promised := p.memory.promise(bytes)
	if promised == nil {
		return nil, h, nil, fmt.Errorf("to publish %d triplets takes about %d MiB for the moment, %s; %s", st.Edges, p.memory.withGarbage(bytes)>>20, a.by, a.remedy)
	}
	whole := false
	defer func() {
		if !whole { // or there was a panic
			promised.keep(0)
		}
	}()
	now := time.Now().UnixNano()
	h = fleet.Header{
		Sequence: p.next(now), Published: now, Horizon: horizon(p.graph, st.Now, now), // what comes while it is encoded lies after the horizon
		Nodes: uint32(st.Nodes), Relations: uint32(st.Relations), Edges: uint32(st.Edges),
		GraphVersion: graphVersion, ModelVersion: modelVersion, Naming: naming(p.cfg),
	}
	graph, err := p.graph.AppendBinary(nil)
	if err != nil {
		return nil, h, nil, err
	}
	m, err := scorer.Model().AppendBinary(nil)
	if err != nil {
		return nil, h, nil, err
	}
	state, err = fleet.Append(nil, h, graph, m, key)
	whole = err == nil
	return state, h, promised, err
}

// publishingBytes is what encode takes at most: graph and model as they are, and compressed.
func publishingBytes(s graphbuf.Sizes, m *model.Model) int64 {
	plain := s.SavingBytes() + m.SavingBytes()
	return plain + fleet.AppendBytes(plain)
}

// next is the sequence after the last one: the time in unix nanoseconds, or one more where the clock went back. Agents
// refuse one of the far future where no key vouches for it.
func (p *publisher) next(now int64) uint64 {
	last := max(p.state().Sequence, p.tried)
	if last < uint64(now) || p.cfg.Publish.Unsigned && last >= uint64(now+int64(FarFuture)) {
		return uint64(now)
	}
	return last + 1
}

// horizon is up to which event time a graph has all that its trainer got, when it is published at a moment of the
// trainer's clock. Sessions dated ahead of that, the newest of which may be a day ahead, do not tell; the others do. A
// clock that is plainly wrong does not count.
func horizon(g *graphbuf.Graph, newest, published int64) int64 {
	if newest <= published || !likely(published) {
		return newest
	}
	return g.NewestUpTo(published)
}

// Publish publishes graph and model at once, to where the settings say.
func (f *Instance) Publish(ctx context.Context) (PublishStatus, error) {
	if !f.publisher.active {
		return PublishStatus{}, fmt.Errorf("publish is empty: there is no place to publish to")
	}
	err := f.publisher.publish(ctx)
	return *f.publisher.state(), err
}

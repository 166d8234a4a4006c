package filter

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/fleet"
	"flb-filter-rgcn/plugin/risk"
)

// fleetTest is a trainer, its keys, and the place where it publishes.
type fleetTest struct {
	t          testing.TB
	place      string // a file
	key        string // its path; the public one is beside it
	trainer    *Instance
	trainerLog *testHost
	begin      time.Time // of the trainer's sessions: ten days ago
}

// newFleet has a trainer learn from sessions of ten days up to an hour ago, and publish.
func newFleet(t testing.TB) *fleetTest {
	t.Helper()
	dir := t.TempDir()
	s := &fleetTest{t: t, place: filepath.Join(dir, "state.rgcn"), key: filepath.Join(dir, "key"), begin: time.Now().Add(-10 * 24 * time.Hour)}
	if _, err := fleet.NewKeys(s.key); err != nil {
		t.Fatal(err)
	}
	s.trainerLog = host("publish", s.place, "publish_key", s.key)
	s.trainer = offline(t, s.trainerLog)
	s.trainer.Process(nil, join(s.sessions(0, 2000)))
	s.publish()
	return s
}

// sessions are those of hosts that keep to their team's servers, with the numbers from and before to of 2000 in ten days
// less an hour.
func (s *fleetTest) sessions(from, to int) (events [][]byte) {
	for i := from; i < to; i++ {
		h := (i * 7919) % 30
		when := s.begin.Add(time.Duration(i) * (10*24*time.Hour - time.Hour) / 2000)
		events = append(events, at(when.UnixNano(), fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4), fmt.Sprint("client-", h%2)))
	}
	return events
}

func (s *fleetTest) read(file string) []byte {
	s.t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

func (s *fleetTest) publish() PublishStatus {
	s.t.Helper()
	if err := s.trainer.Train(context.Background(), time.Now(), nil); err != nil {
		s.t.Fatal(err)
	}
	p, err := s.trainer.Publish(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// agent makes an instance that follows, without its background, and has it look once.
func (s *fleetTest) agent(properties ...string) (*Instance, *testHost) {
	s.t.Helper()
	h := host(append([]string{"state_from", s.place, "state_key", s.key + ".pub"}, properties...)...)
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		s.t.Fatal(err)
	}
	f.follower.begin()
	return f, h
}

// now is a session of this moment, or of the second before: at rounds to half seconds.
func now(source, destination, client string) []byte {
	return at(time.Now().Add(-time.Second).UnixNano(), source, destination, client)
}

func scored(t testing.TB, f *Instance, event []byte) any {
	t.Helper()
	out, _ := f.Process(nil, event)
	return decode(t, out)[0].body["score"]
}

// edges are the events of each triplet of a graph.
func edges(f *Instance) map[string]uint32 {
	s, out := f.graph.Snapshot(), map[string]uint32{}
	for _, e := range s.Edges {
		out[s.Nodes[e.Source].Name+" "+s.Relations[e.Relation].Name+" "+s.Nodes[e.Destination].Name] = e.Count
	}
	return out
}

func TestAnAgentScoresFromItsFirstRecord(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent("explain", "on")
	defer f.Close()
	event := now("host-1", "server-1-3", "client-1")
	got := scored(t, f, event)
	// The trainer, asked the same, says the same.
	if want := scored(t, s.trainer, event); got == nil || got != want {
		t.Errorf("the agent scores %v, the trainer %v", got, want)
	}
	odd := scored(t, f, now("host-1", "server-2-2", "never"))
	if odd.(float64) >= got.(float64) {
		t.Errorf("a strange session scores %v, a usual one %v", odd, got)
	}
	st := f.Status()
	p := st.Published
	if p == nil || p.Sequence == 0 || p.Sequence != s.trainer.Status().Publish.Sequence || p.From != s.place || p.Taken != 1 || p.CarriedEdges != 0 ||
		p.LastPoll.IsZero() || p.AgeSeconds <= 0 || p.Problem != "" || st.State != StateScoring {
		t.Errorf("%+v, %s", p, st.State)
	}
	if !strings.Contains(h.log(), fmt.Sprintf("published state of %s from %s, sequence %d: 60 triplets up to %s and 0 that only this filter has make 60; ",
		p.Published.Format(time.RFC3339), s.place, p.Sequence, p.Horizon.Format(time.RFC3339))) {
		t.Error(h.log())
	}
	if st.Graph.Edges != 61 {
		t.Errorf("%d triplets", st.Graph.Edges)
	}
}

// What is to be remembered of published states is there again after the state directory was removed: without it an
// older state would be taken.
func TestARemovedStateDirectoryIsFilledWithWhatIsFollowed(t *testing.T) {
	s := newFleet(t)
	dir := filepath.Join(t.TempDir(), "state")
	f, h := s.agent("state_dir", dir)
	os.RemoveAll(dir)
	f.store.hold(time.Now())
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := s.agent("state_dir", dir)
	defer again.Close()
	if got, want := again.Status().Published.Sequence, f.Status().Published.Sequence; got != want || again.Status().Published.Taken != 0 || want == 0 {
		t.Errorf("remembers %d, want %d; %s", got, want, h.log())
	}
}

func TestWhatAnAgentSawGoesOverToTheNextState(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent()
	defer f.Close()
	for range 3 {
		f.Process(nil, now("laptop", "server-1-1", "client-1"))
	}
	f.Process(nil, now("host-1", "server-1-3", "client-1"))
	known := edges(s.trainer)
	s.publish()
	f.follower.look(context.Background())
	p := f.Status().Published
	if p.Taken != 2 || p.CarriedEdges != 2 || p.CarriedSessions != 4 {
		t.Errorf("%+v", p)
	}
	// One of the two triplets is the state's as well.
	if !strings.Contains(h.log(), ": 60 triplets up to "+p.Horizon.Format(time.RFC3339)+" and 1 that only this filter has make 61; ") ||
		!strings.Contains(h.log(), "carried over: 4 sessions of 2 triplets that this filter saw since; ") {
		t.Error(h.log())
	}
	got := edges(f)
	for triplet, n := range known {
		want := n
		if triplet == "host-1 client-1 server-1-3" {
			want++
		}
		if got[triplet] != want {
			t.Errorf("%s: %d, want %d", triplet, got[triplet], want)
		}
	}
	if len(got) != len(known)+1 || got["laptop client-1 server-1-1"] != 3 {
		t.Errorf("%d triplets, of the laptop %d", len(got), got["laptop client-1 server-1-1"])
	}
	if score := scored(t, f, now("laptop", "server-1-1", "client-1")); score == nil {
		t.Error("no score")
	}
	// Once the trainer has seen the same, nothing is carried over any more.
	s.trainer.Process(nil, now("laptop", "server-1-1", "client-1"))
	s.publish()
	f.follower.look(context.Background())
	if p := f.Status().Published; p.Taken != 3 || p.CarriedEdges != 0 || edges(f)["laptop client-1 server-1-1"] != 1 {
		t.Errorf("%+v, of the laptop %d", p, edges(f)["laptop client-1 server-1-1"])
	}
}

// A session dated ahead, which is believed, is no reason to forget what an agent saw since: neither in a state of
// today's trainers nor in one of before, whose horizon is the time of that session.
func TestASessionDatedAheadDoesNotMoveTheHorizon(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent()
	defer f.Close()
	for range 3 {
		f.Process(nil, now("laptop", "server-1-1", "client-1"))
	}
	check := func(when string) {
		t.Helper()
		f.follower.look(context.Background())
		if p := f.Status().Published; p.Sequence != s.trainer.Status().Publish.Sequence || p.Horizon.After(p.Published) || p.CarriedSessions < 3 {
			t.Errorf("%s: %+v\n%s", when, p, h.log())
		}
		if n := edges(f)["laptop client-1 server-1-1"]; n != 3 {
			t.Errorf("%s: %d sessions of the laptop, want 3", when, n)
		}
	}
	ahead := time.Now().Add(20 * time.Hour).UnixNano()
	s.trainer.Process(nil, at(ahead, "host-1", "server-1-3", "client-1"))
	if got := s.trainer.graph.Stats().Now; got < ahead-int64(time.Second) {
		t.Fatalf("the session counts for %v", time.Unix(0, got))
	}
	s.publish()
	check("today's")

	key, err := fleet.ReadSigningKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	s.publish()
	body := bytes.NewReader(s.read(s.place))
	header, err := fleet.ReadHeader(body, f.follower.trust)
	if err != nil {
		t.Fatal(err)
	}
	graph, m, err := header.ReadPayload(body)
	if err != nil {
		t.Fatal(err)
	}
	header.Horizon = ahead
	b, err := fleet.Append(nil, *header, graph, m, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.place, b, 0o600); err != nil {
		t.Fatal(err)
	}
	check("one of before")
}

// Sessions dated ahead do not tell how far a graph reaches, the others do. The clock of a trainer that is plainly wrong
// says nothing of that, and neither does that of one that reads an archive.
func TestHorizon(t *testing.T) {
	day := func(year int) int64 { return time.Date(year, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano() }
	for _, c := range []struct {
		published int
		sessions  []int // the newest last
		want      int
	}{
		{2026, []int{2024, 2025}, 2025},
		{2026, []int{2024, 2025, 2027}, 2025},
		{2026, []int{2012}, 2012},
		{2026, []int{2027, 2028}, 2026},
		{1970, []int{2024, 2025}, 2025},
		{2250, []int{2024, 2025}, 2025},
	} {
		bounds := graphbuf.Unbounded()
		bounds.Trusted = true
		g, err := graphbuf.New(bounds)
		if err != nil {
			t.Fatal(err)
		}
		for _, year := range c.sessions {
			e := graphbuf.Event{Source: fmt.Append(nil, year), Relation: []byte("r"), Destination: []byte("d"), Time: day(year)}
			g.Observe([]graphbuf.Event{e}, make([]graphbuf.Ref, 1))
		}
		if got := horizon(g, day(c.sessions[len(c.sessions)-1]), day(c.published)); got != day(c.want) {
			t.Errorf("%+v: %v", c, time.Unix(0, got).UTC())
		}
	}
}

// By whom a source was reached is known under its right name after graphs were exchanged.
func TestWhoReachedASourceIsKnownInTheNextState(t *testing.T) {
	s := newFleet(t)
	f, _ := s.agent()
	defer f.Close()
	f.Process(nil, now("intruder", "host-1", "client-1"))
	f.Process(nil, now("host-1", "server-1-3", "client-1"))
	session := func(source, destination string) *graphbuf.Event {
		return &graphbuf.Event{Source: []byte(source), Relation: []byte("client-1"), Destination: []byte(destination), Time: time.Now().UnixNano()}
	}
	before := f.graph.HostID("intruder")
	f.judge.sources.risk.Add(session("intruder", "host-1"), risk.Source{ID: before}, 1)
	earlier := time.Now().Add(-30 * time.Minute).UnixNano()
	s.trainer.Process(nil, join([][]byte{at(earlier, "first", "second", "client-1"), at(earlier, "third", "fourth", "client-1")})) // other numbers
	s.publish()
	f.follower.look(context.Background())
	if id := f.graph.HostID("intruder"); f.Status().Published.Taken != 2 || id == before || id == (graphbuf.ID{}) {
		t.Fatalf("%+v, the intruder is still %v", f.Status().Published, before)
	}
	pooled := f.judge.sources.risk.Add(session("host-1", "server-2-2"), risk.Source{ID: f.graph.HostID("host-1")}, 1)
	if by := f.graph.HostName(pooled.ReachedBy); by != "intruder" {
		t.Errorf("reached by %q (%v)", by, pooled.ReachedBy)
	}
}

// Whatever is wrong with what lies in the place, the agent goes on with what it has, and says so once.
func TestStatesThatAnAgentRefuses(t *testing.T) {
	s := newFleet(t)
	forger := newFleet(t)
	forged := s.read(forger.place)
	key, err := fleet.ReadSigningKey(s.key)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	made := func(h fleet.Header, graph, model []byte, key ed25519.PrivateKey) []byte {
		b, err := fleet.Append(nil, h, graph, model, key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	header := fleet.Header{Sequence: uint64(now.UnixNano()) + 1e12, Published: now.UnixNano(), Horizon: now.UnixNano(), GraphVersion: graphVersion, ModelVersion: modelVersion}
	with := func(change func(*fleet.Header)) fleet.Header { h := header; change(&h); return h }
	graph, err := s.trainer.graph.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	model, err := s.trainer.Scorer().Model().AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	var large graphbuf.Snapshot
	for i := range 5000 {
		large.Nodes = append(large.Nodes, graphbuf.Name{Name: fmt.Sprint(i)})
	}
	crowd, _ := large.AppendBinary(nil)
	for what, c := range map[string]struct {
		state func(newer []byte) []byte
		want  string
	}{
		"more hosts than it says": {func([]byte) []byte { return made(header, crowd, model, key) },
			"its graph has 0 triplets between 5000 hosts by 0 relations, and its header says 0, 0 and 0: "},
		"truncated":   {func(b []byte) []byte { return b[:len(b)-1] }, "it is truncated"},
		"another bit": {func(b []byte) []byte { b[len(b)-1] ^= 1; return b }, "its payload is damaged"},
		"a page":      {func([]byte) []byte { return []byte("<html>") }, "no published state"},
		"forged":      {func([]byte) []byte { return forged }, "it is signed by the key"},
		"unsigned":    {func([]byte) []byte { return made(header, graph, model, nil) }, "it is not signed, and state.unsigned is false"},
		"older": {func([]byte) []byte { return made(with(func(h *fleet.Header) { h.Sequence = 5 }), graph, model, key) },
			"it is older than the state in use: published "},
		"of a later release": {func([]byte) []byte { return made(with(func(h *fleet.Header) { h.ModelVersion++ }), graph, model, key) },
			"bring trainer and scorers to the same release"},
		"of the future": {func([]byte) []byte {
			return made(with(func(h *fleet.Header) { h.Published += int64(48 * time.Hour) }), graph, model, key)
		}, "its time of publication is "},
		"seen in the future": {func([]byte) []byte {
			return made(with(func(h *fleet.Header) { h.Horizon += int64(48 * time.Hour) }), graph, model, key)
		}, "its last session is "},
		"half of a graph": {func([]byte) []byte { return made(header, graph[:len(graph)/2], model, key) }, "graphbuf: snapshot"},
		"half of a model": {func([]byte) []byte { return made(header, graph, model[:len(model)/2], key) }, "model: decode"},
		"larger than memory": {func([]byte) []byte { return made(with(func(h *fleet.Header) { h.Edges = 4e9 }), graph, model, key) },
			"to take up its 4000000000 triplets"},
		"no trainer": {func([]byte) []byte { return nil }, "no such file"},
	} {
		t.Run(what, func(t *testing.T) {
			s.publish()
			f, h := s.agent()
			defer f.Close()
			f.memory.files = pod(4096 * mib)
			before, scorer := edges(f), f.Scorer()
			s.publish()
			bad := c.state(s.read(s.place))
			os.Remove(s.place)
			if bad != nil {
				if err := os.WriteFile(s.place, bad, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 {
				f.follower.look(context.Background())
			}
			st := f.Status()
			p := st.Published
			if p.Taken != 1 || p.Refused+p.Failed != 3 || !strings.Contains(p.Problem, c.want) || !strings.Contains(st.Problem, c.want) || st.State != StateScoring {
				t.Errorf("%+v; %s: %s", p, st.State, st.Problem)
			}
			if n := strings.Count(h.log(), c.want); n != 1 || !strings.Contains(h.log(), "; scores go on by the state of ") {
				t.Errorf("said %d times:\n%s", n, h.log())
			}
			if fmt.Sprint(edges(f)) != fmt.Sprint(before) || f.Scorer() != scorer {
				t.Error("the graph or the model is another")
			}
			// The next good one is taken.
			s.publish()
			f.follower.look(context.Background())
			if p := f.Status().Published; p.Taken != 2 || p.Problem != "" || !strings.Contains(h.log(), "is in order again, after 3 failed looks") {
				t.Errorf("%+v\n%s", p, h.log())
			}
		})
	}
}

// What is wrong with a state is told in one line.
func TestAStateOfTheFutureInAllItsTimes(t *testing.T) {
	f, _ := newFleet(t).agent()
	defer f.Close()
	late := time.Now().Add(48 * time.Hour).UnixNano()
	err := f.follower.acceptable(&fleet.Header{Signed: true, Sequence: math.MaxInt64, Published: late, Horizon: late, GraphVersion: graphVersion, ModelVersion: modelVersion}, &FollowStatus{})
	if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "; its last session is ") {
		t.Errorf("%q", err)
	}
}

// Records that come too fast are no fault of what lies in the place.
func TestAStateThatIsNotTakenIsNotRefused(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent()
	defer f.Close()
	tooFast := fmt.Errorf("graphbuf: 7 events %w", graphbuf.ErrTooFast)
	err := f.follower.notInUse(tooFast, nil)
	want := "the state in " + s.place + " was not taken: graphbuf: 7 events came faster than they could be carried over"
	if err.Error() != want || errors.Is(err, errRefused) || !errors.Is(err, errNotTaken) {
		t.Errorf("%v, want %s", err, want)
	}
	refused := f.follower.notInUse(errors.New("it is green"), nil)
	if !errors.Is(refused, errRefused) {
		t.Error(refused)
	}
	now := time.Now()
	for _, err := range []error{refused, err, err, refused} { // each said when it is another than before
		f.follower.report(err, *f.follower.state(), now)
	}
	if n := strings.Count(h.log(), want); n != 1 {
		t.Errorf("said %d times:\n%s", n, h.log())
	}
}

// panics stands for a succession that does, once it is under way.
type panics struct{ begun chan struct{} }

func (p panics) CatchUp() int {
	close(p.begun)
	panic("in the background")
}

// A panic beside a look ends that look alone, and not the host.
func TestAPanicWhileCatchingUp(t *testing.T) {
	f, h := newFleet(t).agent()
	defer f.Close()
	p := panics{make(chan struct{})}
	end := catchUp(p, f.follower.panicked)
	<-p.begun
	for range 2 {
		if err := end(); err == nil || err.Error() != "panic: in the background; please report this" {
			t.Error(err)
		}
	}
	if !strings.Contains(h.log(), "panics.CatchUp") {
		t.Errorf("where it came up is not logged:\n%s", h.log())
	}
}

func TestTheSumOfTriplets(t *testing.T) {
	for want, c := range map[string][2]int{
		"2707 triplets up to 2023-11-14T22:13:20Z and 108 that only this filter has make 2815":                {2707, 2815},
		"2707 triplets up to 2023-11-14T22:13:20Z, less 7 that made room for those of this filter, make 2700": {2707, 2700},
	} {
		if got := sum(c[0], c[1], 1_700_000_000e9); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestUnsignedStates(t *testing.T) {
	s := newFleet(t)
	place := filepath.Join(t.TempDir(), "state")
	open := offline(t, host("publish", place, "publish_unsigned", "on"))
	open.Process(nil, join(s.sessions(0, 2000)))
	train(t, open)
	if _, err := open.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		properties []string
		taken      bool
	}{
		{[]string{"state_from", place, "state_unsigned", "on"}, true},
		{[]string{"state_from", place, "state_unsigned", "on", "state_key", s.key + ".pub"}, true},
		{[]string{"state_from", place, "state_key", s.key + ".pub"}, false},
	} {
		f, err := newInstance(host(c.properties...), forLive, machineClock())
		if err != nil {
			t.Fatal(err)
		}
		f.follower.begin()
		if taken := f.Scorer() != nil; taken != c.taken {
			t.Errorf("%v: taken %v", c.properties, taken)
		}
		f.Close()
	}
}

// again writes the state that lies in the place with a header that is changed, signed by key or, where that is nil, not.
func (s *fleetTest) again(key ed25519.PrivateKey, change func(*fleet.Header)) {
	s.t.Helper()
	body := bytes.NewReader(s.read(s.place))
	h, err := fleet.ReadHeader(body, fleet.Trust{Unsigned: true})
	if err != nil {
		s.t.Fatal(err)
	}
	graph, m, err := h.ReadPayload(body)
	if err != nil {
		s.t.Fatal(err)
	}
	change(h)
	b, err := fleet.Append(nil, *h, graph, m, key)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.place, b, 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// An unsigned state with a sequence of the far future, which no later one could exceed, is refused, and so is not
// remembered.
func TestASequenceOfTheFarFuture(t *testing.T) {
	s := newFleet(t)
	dir := t.TempDir()
	far := uint64(time.Now().Add(25 * time.Hour).UnixNano())
	for _, sequence := range []uint64{math.MaxUint64, far} {
		s.again(nil, func(h *fleet.Header) { h.Sequence = sequence })
		f, _ := s.agent("state_dir", dir, "state_unsigned", "on")
		if p := f.Status().Published; p.Refused != 1 || p.Sequence != 0 || !strings.Contains(p.Problem, fmt.Sprintf("its sequence is %d, which is a time ", sequence)) {
			t.Errorf("%+v", p)
		}
		f.Close()
		s.publish()
	}
	// An earlier release took it and remembers it.
	open := host("publish", s.place, "publish_unsigned", "on")
	s.trainerLog, s.trainer = open, offline(t, open)
	s.trainer.Process(nil, join(s.sessions(0, 2000)))
	s.publish()
	f, _ := s.agent("state_dir", dir, "state_unsigned", "on")
	defer f.Close()
	for i, sequence := range []uint64{math.MaxUint64, far} {
		// The clocks of trainer and agent may have been wrong both, too: the trainer does not go on from there either.
		f.follower.status.Sequence, s.trainer.publisher.status.Sequence = sequence, sequence
		p := s.publish()
		f.follower.look(context.Background())
		if got := f.Status().Published; got.Taken != uint64(i)+2 || got.Sequence != p.Sequence || p.Sequence > uint64(time.Now().UnixNano()) {
			t.Errorf("%+v, published %d", got, p.Sequence)
		}
	}
}

// A key vouches for any time, as that of a trainer whose clock was wrong once, and for nothing that is none.
func TestASequenceOfTheFarFutureThatIsSigned(t *testing.T) {
	s := newFleet(t)
	f, _ := s.agent()
	defer f.Close()
	s.trainer.publisher.status.Sequence += uint64(1000 * time.Hour)
	p := s.publish()
	f.follower.look(context.Background())
	if got := f.Status().Published; got.Taken != 2 || got.Sequence != p.Sequence {
		t.Errorf("%+v", got)
	}
	s.trainer.publisher.status.Sequence = 0
	s.publish()
	f.follower.look(context.Background())
	if got := f.Status().Published; got.Taken != 2 || !strings.Contains(got.Problem, "it is older than the state in use") {
		t.Errorf("%+v", got)
	}
	f.follower.status.Sequence = math.MaxUint64 // of an unsigned one, by an earlier release
	f.follower.look(context.Background())
	if got := f.Status().Published; got.Taken != 3 {
		t.Errorf("%+v", got)
	}
}

// Once states have to be signed, the sequence of an unsigned one, which anybody may have given it, keeps none of them
// out: not one with a lower sequence, and not one with the same.
func TestTheSequenceOfAnUnsignedStateIsForgotten(t *testing.T) {
	s := newFleet(t)
	signed := s.read(s.place)
	for _, ahead := range []uint64{uint64(12 * time.Hour), 0} {
		dir := t.TempDir()
		open := []string{"state_from", s.place, "state_dir", dir, "state_unsigned", "on"}
		s.again(nil, func(h *fleet.Header) { h.Sequence += ahead })
		f, err := newInstance(host(open...), forLive, machineClock())
		if err != nil {
			t.Fatal(err)
		}
		f.follower.begin()
		if p := f.Status().Published; p.Taken != 1 || !p.Unsigned {
			t.Errorf("%+v", p)
		}
		f.Close()
		if err := os.WriteFile(s.place, signed, 0o600); err != nil {
			t.Fatal(err)
		}
		// As long as nobody vouches for either, the larger sequence is the newer one.
		f, _ = newInstance(host(open...), forLive, machineClock())
		f.follower.look(context.Background())
		if p := f.Status().Published; p.Taken != 0 || ahead > 0 && !strings.Contains(p.Problem, "it is older than the state in use") {
			t.Errorf("%+v", p)
		}
		f.Close()
		f, _ = s.agent("state_dir", dir)
		f.follower.look(context.Background())
		if p := f.Status().Published; p.Taken != 1 || p.Unsigned || p.Sequence != s.trainer.Status().Publish.Sequence {
			t.Errorf("%+v", p)
		}
		// What is signed is not forgotten.
		key, err := fleet.ReadSigningKey(s.key)
		if err != nil {
			t.Fatal(err)
		}
		s.again(key, func(h *fleet.Header) { h.Sequence-- })
		f.follower.look(context.Background())
		if p := f.Status().Published; p.Taken != 1 || !strings.Contains(p.Problem, "it is older than the state in use") {
			t.Errorf("%+v", p)
		}
		f.Close()
		if err := os.WriteFile(s.place, signed, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A path need not be UTF-8: what was followed there is known after a restart, and is not taken for that of another path.
func TestARestartWithAPathOfAnyBytes(t *testing.T) {
	s := newFleet(t)
	state, dir := s.read(s.place), t.TempDir()
	place, other := filepath.Join(t.TempDir(), "caf\xe9"), filepath.Join(t.TempDir(), "caf\xe8")
	for _, p := range []string{place, other} {
		if err := os.WriteFile(p, state, 0o600); err != nil {
			t.Skip("no such names here: ", err)
		}
	}
	for _, c := range []struct {
		place string
		known bool
	}{{place, false}, {place, true}, {other, false}, {s.place, false}, {s.place, true}} {
		f, err := newInstance(host("state_from", c.place, "state_key", s.key+".pub", "state_dir", dir), forLive, machineClock())
		if err != nil {
			t.Fatal(err)
		}
		if got := f.follower.state().Sequence; got > 0 != c.known || f.follower.whole != c.known {
			t.Errorf("%q: sequence %d, whole %v, want it known: %v", c.place, got, f.follower.whole, c.known)
		}
		if got := followedBy(f.cfg).Sequence; got > 0 != c.known {
			t.Errorf("%q: the doctor finds sequence %d", c.place, got)
		}
		f.follower.begin()
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The server is gone, and the agent is started anew: it scores by what its state directory has, with what it saw itself.
func TestARestartWithoutTheServer(t *testing.T) {
	s := newFleet(t)
	dir := t.TempDir()
	f, _ := s.agent("state_dir", dir)
	f.Process(nil, now("laptop", "server-1-1", "client-1"))
	sequence := f.Status().Published.Sequence
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	good := s.read(s.place)
	os.Remove(s.place)
	f, h := s.agent("state_dir", dir)
	if score := scored(t, f, now("laptop", "server-1-1", "client-1")); score == nil || edges(f)["laptop client-1 server-1-1"] != 2 {
		t.Errorf("score %v, seen %d times\n%s", score, edges(f)["laptop client-1 server-1-1"], h.log())
	}
	f.follower.look(context.Background())
	if p := f.Status().Published; p.Sequence != sequence || p.Failed != 1 || !strings.Contains(h.log(), "cannot be fetched") {
		t.Errorf("%+v\n%s", p, h.log())
	}
	// The same state, back again, is known; an older one is refused.
	if err := os.WriteFile(s.place, good, 0o644); err != nil {
		t.Fatal(err)
	}
	f.follower.look(context.Background())
	if p := f.Status().Published; p.Unchanged != 1 || p.Taken != 0 {
		t.Errorf("%+v", p)
	}
	f.follower.status.Sequence++
	f.follower.tag = ""
	f.follower.look(context.Background())
	if p := f.Status().Published; p.Refused != 1 {
		t.Errorf("%+v", p)
	}
	f.Close()
	// With a damaged graph the state is taken once more, for all that it is the same.
	b, _ := os.ReadFile(filepath.Join(dir, "graph"))
	os.WriteFile(filepath.Join(dir, "graph"), b[:len(b)/2], 0o600)
	os.Remove(filepath.Join(dir, "graph.prev"))
	f, h = s.agent("state_dir", dir)
	defer f.Close()
	if p := f.Status().Published; p.Taken != 1 || p.Sequence != sequence || len(edges(f)) != 60 {
		t.Errorf("%+v, %d triplets\n%s", p, len(edges(f)), h.log())
	}
}

// A damaged file that has the sequence of the state in use is not in order, and each other reason of a refusal is said.
func TestADamagedStateThatIsInUse(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent()
	defer f.Close()
	good := s.read(s.place)
	put := func(b []byte) {
		t.Helper()
		if err := os.WriteFile(s.place, b, 0o644); err != nil {
			t.Fatal(err)
		}
		f.follower.look(t.Context())
	}
	put(good[:len(good)-7])
	put([]byte("<html>"))
	if p := f.Status().Published; p.Refused != 2 || p.Unchanged != 0 {
		t.Errorf("%+v", p)
	}
	for _, want := range []string{"it is truncated: ", "that is no published state"} {
		if strings.Count(h.log(), want) != 1 {
			t.Errorf("%q is not said once:\n%s", want, h.log())
		}
	}
	put(good)
	if p := f.Status().Published; p.Unchanged != 1 || !strings.Contains(h.log(), "is in order again, after 2 failed looks since ") {
		t.Errorf("%+v\n%s", p, h.log())
	}
	// Who looks with the settings of a filter sees what it would.
	dir := t.TempDir()
	agent, log := s.agent("state_dir", dir)
	if err := agent.Close(); err != nil {
		t.Fatal(err, log.log())
	}
	if _, err := LookAtPublished(t.Context(), agent.cfg); err != nil {
		t.Error(err)
	}
	put(good[:len(good)-7])
	if _, err := LookAtPublished(t.Context(), agent.cfg); err == nil || !strings.Contains(err.Error(), "it is truncated") {
		t.Error(err)
	}
	s.publish()
	newer, _ := s.agent("state_dir", dir)
	newer.follower.look(t.Context())
	newer.Close()
	put(good)
	if _, err := LookAtPublished(t.Context(), agent.cfg); err == nil || !strings.Contains(err.Error(), "it is older than the state in use") {
		t.Error(err)
	}
}

// Without a schedule a filter looks once after its start, also where it has the state of before.
func TestAStartWithoutAScheduleLooksOnce(t *testing.T) {
	s := newFleet(t)
	dir := t.TempDir()
	for range 2 {
		f, _ := s.agent("state_dir", dir, "state_poll", "0")
		f.follower.run(t.Context()) // returns, as there is no schedule
		if p := f.Status().Published; p.Sequence != s.trainer.Status().Publish.Sequence || p.Taken != 1 || p.Unchanged != 0 {
			t.Errorf("%+v, published was %d", p, s.trainer.Status().Publish.Sequence)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		s.publish()
	}
}

// Failed looks and publications leave no connection behind, nor does the end.
func TestNoConnectionIsLeftBehind(t *testing.T) {
	s := newFleet(t)
	var open atomic.Int64
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Add(-1)
		}
	}
	server.Start()
	defer server.Close()
	s.place = server.URL + "/x"
	f, _ := s.agent()
	s.trainer.cfg.Publish.To = s.place
	s.trainer.publisher.close()
	for range 10 {
		f.follower.look(t.Context())
		s.trainer.Publish(t.Context())
	}
	if p, q := f.Status().Published, s.trainer.Status().Publish; p.Failed != 11 || q.Failed != 10 {
		t.Errorf("%+v, %+v", p, q)
	}
	f.Close()
	s.trainer.Close()
	for end := time.Now().Add(10 * time.Second); open.Load() > 0; time.Sleep(time.Millisecond) { // the server hears of it in a moment
		if time.Now().After(end) {
			t.Fatalf("%d connections are left", open.Load())
		}
	}
}

// A server is asked by ETag, and sends a state once.
func TestAServerWithETags(t *testing.T) {
	s := newFleet(t)
	var mu sync.Mutex
	var state []byte
	version, gets, bodies := 0, 0, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPut {
			var b bytes.Buffer
			b.ReadFrom(r.Body)
			state = b.Bytes()
			version++
			return
		}
		gets++
		tag := fmt.Sprintf(`"%d"`, version)
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		bodies++
		w.Write(state)
	}))
	url := server.URL + "/fleet/"
	trainer := offline(t, host("publish", url, "publish_key", s.key))
	trainer.Process(nil, join(s.sessions(0, 2000)))
	train(t, trainer)
	publish := func() {
		if _, err := trainer.Publish(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	publish()
	s.place = url
	f, h := s.agent()
	defer f.Close()
	for range 3 {
		f.follower.look(context.Background())
	}
	publish()
	f.follower.look(context.Background())
	if p := f.Status().Published; p.Taken != 2 || p.Unchanged != 3 || gets != 5 || bodies != 2 || p.From != url {
		t.Errorf("%+v; asked %d times, sent %d times", p, gets, bodies)
	}
	server.Close()
	f.follower.look(context.Background())
	if !strings.Contains(h.log(), "state.rgcn cannot be fetched: dial tcp") || scored(t, f, now("host-1", "server-1-3", "client-1")) == nil {
		t.Error(h.log())
	}
	trainer.publisher.place.Close() // or it may be the first to notice that the connection has ended
	if _, err := trainer.Publish(context.Background()); err == nil || trainer.Status().Publish.Failed != 1 || !strings.Contains(trainer.Status().Publish.Problem, "refused") {
		t.Errorf("%v, %+v", err, trainer.Status().Publish)
	}
}

// Records flow while states are taken: each comes out with a score and counts once.
func TestStatesAreTakenWhileRecordsFlow(t *testing.T) {
	s := newFleet(t)
	f, _ := s.agent()
	defer f.Close()
	const goroutines = 4
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var sent [goroutines]uint32
	for g := range goroutines {
		wg.Go(func() {
			chunk := join([][]byte{now(fmt.Sprint("agent-", g), "server-1-1", "client-1"), now("host-1", "server-1-3", "client-1")})
			var out []byte
			for {
				select {
				case <-stop:
					return
				default:
				}
				out, _ = f.Process(out[:0], chunk)
				for _, d := range decode(t, out) {
					if d.body["score"] == nil {
						t.Error("a record without a score")
						return
					}
				}
				sent[g]++
			}
		})
	}
	const states = 5
	for range states {
		s.publish()
		f.follower.look(context.Background())
	}
	close(stop)
	wg.Wait()
	p, got := f.Status().Published, edges(f)
	if p.Taken != states+1 {
		t.Errorf("%+v", p)
	}
	for g, n := range sent {
		if got := got[fmt.Sprintf("agent-%d client-1 server-1-1", g)]; got != n {
			t.Errorf("goroutine %d sent %d sessions, the graph has %d", g, n, got)
		}
	}
	if c := f.Counts(); c.Counted != c.Scored || c.Malformed+c.Missing > 0 {
		t.Errorf("%+v", c)
	}
}

func TestFollowingHasRecordsAllocateNothing(t *testing.T) {
	if poolsForget {
		t.Skip("under the race detector pools forget what they hold")
	}
	s := newFleet(t)
	f, _ := s.agent()
	defer f.Close()
	chunk := join(s.sessions(0, 1000))
	dst, _ := f.Process(nil, chunk)
	dst, _ = f.Process(dst[:0], chunk)
	if n := testing.AllocsPerRun(20, func() { f.Process(dst[:0], chunk) }); n > 2 {
		t.Errorf("%v allocations for a chunk of 1000 known records", n)
	}
}

func TestAnOldStateIsSaidOnce(t *testing.T) {
	s := newFleet(t)
	f, h := s.agent("state_old_after", "1h")
	defer f.Close()
	f.follower.look(context.Background())
	if strings.Contains(h.log(), "no trainer seems to be at work") {
		t.Error(h.log())
	}
	f.follower.status.Published = time.Now().Add(-2 * time.Hour)
	for range 3 {
		f.follower.look(context.Background())
	}
	const said = "was published 2h0m0s ago: no trainer seems to be at work"
	if n := strings.Count(h.log(), said); n != 1 || !strings.Contains(f.Status().Problem, said) {
		t.Errorf("said %d times; %q", n, f.Status().Problem)
	}
	s.publish()
	f.follower.look(context.Background())
	if why := f.Status().Problem; why != "" {
		t.Error(why)
	}
}

func TestAStateThatIsLargerThanTheBounds(t *testing.T) {
	s := newFleet(t)
	for _, c := range []struct{ property, value, want string }{
		{"graph_max_edges", "50", "10 of its 60 triplets, those seen longest ago, are left out: it has 60 triplets, graph.max_edges allows 50 here; raise"},
		{"graph_max_nodes", "20", "it has 42 hosts, graph.max_nodes allows 20 here"},
		{"graph_window", "2h", "were last seen before what graph.window = 2h reaches back to here"},
	} {
		t.Run(c.property, func(t *testing.T) {
			f, h := s.agent(c.property, c.value)
			defer f.Close()
			s.publish()
			f.follower.look(context.Background())
			st := f.Status()
			if n := strings.Count(h.log(), c.want); n != 1 || !strings.Contains(st.Problem, c.want) || st.Graph.Edges >= 60 || st.Published.Taken != 2 {
				t.Errorf("said %d times; %d triplets; %q\n%s", n, st.Graph.Edges, st.Problem, h.log())
			}
		})
	}
	t.Run("graph_max_relations", func(t *testing.T) {
		for i := range 5 {
			s.trainer.Process(nil, now("host-1", "server-1-3", fmt.Sprint("tool-", i)))
		}
		s.publish()
		f, h := s.agent("graph_max_relations", "3")
		defer f.Close()
		if want := "it has 7 relations, graph.max_relations allows 3 here"; strings.Count(h.log(), want) != 1 || !strings.Contains(f.Status().Problem, want) {
			t.Errorf("%q\n%s", f.Status().Problem, h.log())
		}
	})
	t.Run("none", func(t *testing.T) {
		f, h := s.agent()
		defer f.Close()
		if strings.Contains(h.log(), "left out") || f.Status().Problem != "" {
			t.Errorf("%q\n%s", f.Status().Problem, h.log())
		}
	})
}

// A server that breaks off is one that cannot be reached: nobody has forged anything.
func TestAnAnswerThatBreaksOff(t *testing.T) {
	s := newFleet(t)
	state := s.read(s.place)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(state)))
		w.Write(state[:len(state)/2])
	}))
	defer server.Close()
	s.place = server.URL + "/ssh/"
	f, h := s.agent()
	defer f.Close()
	const want = "/ssh/state.rgcn cannot be fetched: the answer breaks off: unexpected EOF"
	if p := f.Status().Published; p.Failed != 1 || p.Refused != 0 || !strings.Contains(p.Problem, want) || strings.Count(h.log(), want) != 1 {
		t.Errorf("%+v\n%s", p, h.log())
	}
}

func TestBeforeTheFirstState(t *testing.T) {
	s := newFleet(t)
	place := s.place
	s.place = filepath.Join(t.TempDir(), "none")
	f, h := s.agent()
	defer f.Close()
	if score := scored(t, f, now("host-1", "server-1-3", "client-1")); score != nil {
		t.Errorf("score %v", score)
	}
	f.TrainIfDue(context.Background(), time.Now())
	if st := f.Status(); st.State != StateWaiting || !strings.Contains(st.Problem, "no model yet: waiting for a published state in "+s.place+": ") || len(st.Trainings) != 0 {
		t.Errorf("%s: %s", st.State, st.Problem)
	}
	if !strings.Contains(h.log(), "there is none yet, and score is null until one is found") {
		t.Error(h.log())
	}
	if err := os.Rename(place, s.place); err != nil {
		t.Fatal(err)
	}
	f.follower.look(context.Background())
	if score := scored(t, f, now("host-1", "server-1-3", "client-1")); score == nil || f.Status().Published.CarriedEdges != 1 {
		t.Errorf("score %v, %+v", score, f.Status().Published)
	}
}

func TestKeysThatCannotBeRead(t *testing.T) {
	s := newFleet(t)
	for want, h := range map[string]*testHost{
		"state.key: ":    host("state_from", s.place, "state_key", s.key),
		"publish_key: ":  host("publish", s.place, "publish_key", s.key+".pub"),
		"state.from: ":   host("state_from", "https://host/x", "state_key", s.key+".pub", "fleet_credentials", s.key+".none"),
		"publish: s3://": host("publish", "s3://bucket/x", "publish_key", s.key, "fleet_s3_endpoint", "nonsense"),
	} {
		t.Setenv("AWS_ACCESS_KEY_ID", "a")
		t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
		if err := Check(h); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// A live trainer publishes after each training, in the background, the newest state only, and says of failures the
// first.
// Who publishes after each training and never trains hears of it.
func TestATrainerThatDoesNotTrain(t *testing.T) {
	s := newFleet(t)
	for interval, want := range map[string]int{"0": 1, "1h": 0} {
		h := host("publish", s.place, "publish_key", s.key, "train_interval", interval)
		f, err := newInstance(h, forLive, machineClock())
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if n := strings.Count(h.log(), "train.interval is 0, so that this filter does not train and nothing is published to "+s.place); n != want {
			t.Errorf("train_interval %s: said %d times\n%s", interval, n, h.log())
		}
	}
}

func TestALiveTrainerPublishes(t *testing.T) {
	s := newFleet(t)
	place := filepath.Join(t.TempDir(), "later", "state.rgcn")
	h := host("publish", place, "publish_key", s.key, "train_interval", "1h", "state_dir", t.TempDir())
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	f.Process(nil, join(s.sessions(0, 2000)))
	for range 3 {
		train(t, f)
	}
	if len(f.publisher.wake) != 1 {
		t.Fatalf("%d publications wait", len(f.publisher.wake))
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { f.publisher.run(ctx) })
	wait(t, "two failures", func() bool { return f.Status().Publish.Failed >= 2 })
	if st := f.Status(); st.State != StateScoring || !strings.HasPrefix(st.Problem, "what was learned is not published: publish: "+place+": ") ||
		!strings.HasSuffix(st.Problem, "no such file or directory; nothing was published yet since the start") {
		t.Errorf("%s: %q", st.State, st.Problem)
	}
	if err := os.Mkdir(filepath.Dir(place), 0o755); err != nil {
		t.Fatal(err)
	}
	wait(t, "a publication", func() bool { return f.Status().Publish.Count > 0 })
	wait(t, "it is said", func() bool { return strings.Contains(h.log(), "publishing works again after") })
	cancel()
	wg.Wait()
	if n := strings.Count(h.log(), "what was learned is not published"); n != 1 {
		t.Errorf("said %d times:\n%s", n, h.log())
	}
	p := f.Status().Publish
	if p.Edges != 60 || !strings.Contains(h.log(), fmt.Sprintf("published state of %s to %s, sequence %d: 60 triplets in ", p.Published.Format(time.RFC3339), place, p.Sequence)) {
		t.Errorf("%+v\n%s", p, h.log())
	}
	if p.Count != 1 || p.Problem != "" || f.Status().Problem != "" || p.Bytes == 0 || p.Sequence == 0 {
		t.Errorf("%+v", p)
	}
	// After a restart, and with a clock that went back, the sequence still grows.
	f.publisher.mu.Lock()
	f.publisher.status.Sequence += uint64(1000 * time.Hour)
	f.publisher.mu.Unlock()
	ahead, err := f.Publish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f, err = newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if next, err := f.Publish(context.Background()); err != nil || next.Sequence != ahead.Sequence+1 {
		t.Errorf("%d after %d, %v", next.Sequence, ahead.Sequence, err)
	}
	if b, err := json.Marshal(f.Status()); err != nil || !strings.Contains(string(b), `"publish":{"to":"`+place+`"`) {
		t.Errorf("%s, %v", b, err)
	}
}

// wait waits for what happens in the background.
func wait(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A filter that scores by a model of its own, as no published state could be taken yet, does not tell of a state of the
// year 1.
func TestProblemBeforeTheFirstState(t *testing.T) {
	f := follower{active: true, status: FollowStatus{From: "/srv/ssh/", Problem: "it is not signed"}}
	if got, want := f.problem(time.Now()), "no published state was taken yet: it is not signed"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

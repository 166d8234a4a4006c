package filter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// fleetSession is one that ended so long before now.
type fleetSession struct {
	at                          time.Time
	source, client, destination string
}

func (s fleetSession) document() elastictest.Document {
	return elastictest.Document{Time: s.at, Fields: map[string]any{"id.orig_h": s.source, "id.resp_h": s.destination, "client": s.client}}
}

func (s fleetSession) record() []byte {
	return appendEvent(nil, "ts", fmt.Sprintf("%d.%03d", s.at.Unix(), s.at.UnixMilli()%1000), "id.orig_h", s.source, "id.resp_h", s.destination, "client", s.client)
}

// pastSessions are sessions of many hosts up to now, so many hours of them.
func pastSessions(n, hours int) (all []fleetSession) {
	now := time.Now().Truncate(time.Millisecond)
	for i := range n {
		h := (i * 7919) % 30
		all = append(all, fleetSession{now.Add(-time.Duration(hours) * time.Hour / time.Duration(n) * time.Duration(n-1-i)),
			fmt.Sprint("host-", h), fmt.Sprint("client-", h%2), fmt.Sprintf("server-%d-%d", h%3, i%4)})
	}
	return all
}

// withSource is a live instance without a background, with an index and whatever properties.
func withSource(t *testing.T, server *elastictest.Server, properties ...string) (*Instance, *testHost) {
	t.Helper()
	if server.Index == "" {
		server.Index = "logs"
	}
	t.Setenv(elastic.EnvUser, "elastic:geheim")
	h := host(append([]string{"graph_source", server.Start(t)}, properties...)...)
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	f.source.from, err = elastic.New(elastic.Config{URL: f.cfg.Graph.Source, Fields: f.cfg.Fields, Window: f.cfg.Graph.Window, Live: true, Pause: time.Microsecond})
	if err != nil {
		t.Fatal(err)
	}
	return f, h
}

func add(s *elastictest.Server, all []fleetSession) {
	for _, x := range all {
		s.Add(x.document())
	}
}

// TestSourceWarmsANewAgent has an agent that saw nothing score its first record.
func TestSourceWarmsANewAgent(t *testing.T) {
	server := &elastictest.Server{}
	all := pastSessions(1500, 200)
	add(server, all)
	f, h := withSource(t, server)
	ctx, now := context.Background(), time.Now()
	if f.TrainIfDue(ctx, now) {
		t.Error("a training does not wait for the first pull")
	}
	f.source.turn(ctx, now)
	if !f.TrainIfDue(ctx, now) {
		t.Fatal("no training after the pull")
	}
	last := all[len(all)-1]
	last.at = time.Now()
	out, _ := f.Process(nil, last.record())
	if score, ok := decode(t, out)[0].body["score"].(float64); !ok || score < 0.5 {
		t.Errorf("the first record's score is %v", decode(t, out)[0].body["score"])
	}
	st := f.Status()
	if p := st.Source; p == nil || p.Pulls != 1 || p.Documents != 1500 || p.Added != 1500 || p.LastPull == nil || p.Buckets == 0 || p.Problem != "" || !strings.HasSuffix(p.Index, "/logs") {
		t.Errorf("%+v", st.Source)
	}
	if f.TrainIfDue(ctx, now.Add(f.cfg.Train.Interval)) {
		t.Error("the next training does not wait for a pull")
	}
	if strings.Contains(h.log(), "geheim") {
		t.Error(h.log())
	}
}

// TestSourceCountsOwnRecordsOnce sends records through the filter that the server has, too, or gets later.
func TestSourceCountsOwnRecordsOnce(t *testing.T) {
	server := &elastictest.Server{}
	all := pastSessions(1200, 20)
	add(server, all[:1170])
	f, _ := withSource(t, server)
	count := func() (events uint32) {
		for _, e := range f.graph.Snapshot().Edges {
			events += e.Count
		}
		return events
	}
	for i, x := range all[1150:] { // of the last hour; the first of them are in the index
		if i == 25 {
			f.source.turn(context.Background(), time.Now())
		}
		f.Process(nil, x.record())
	}
	if got := count(); got != 1200 {
		t.Errorf("%d events of 1200", got)
	}
	add(server, all[1170:])
	f.source.turn(context.Background(), time.Now().Add(2*f.source.every))
	if got := count(); got != 1200 {
		t.Errorf("%d events of 1200 once the server has all", got)
	}
}

// TestSourceThatFails has the server fail and recover: the filter works, and says so once each.
func TestSourceThatFails(t *testing.T) {
	server := &elastictest.Server{}
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		elastictest.Fail(w, http.StatusTooManyRequests, "es_rejected_execution_exception", "rejected execution")
		return true
	})
	add(server, pastSessions(100, 10))
	f, h := withSource(t, server)
	ctx, now := context.Background(), time.Now()
	for range 5 {
		f.source.turn(ctx, now)
		now = f.source.next
	}
	f.Process(nil, join(sessions(1000)))
	if !f.TrainIfDue(ctx, now) {
		t.Error("trainings wait for a server that fails")
	}
	const warning = "graph.source: http://127.0.0.1:"
	if strings.Count(h.log(), warning) != 1 || !strings.Contains(h.log(), "answers with 429: rejected execution; the graph of this agent's own records serves, and the next try is in 1s") {
		t.Error(h.log())
	}
	st := f.Status()
	if st.Source.Errors[elastic.Busy] != 5 || st.State != StateScoring || !strings.Contains(st.Problem, "what other agents saw since the start is missing from the graph") {
		t.Errorf("%s %q %+v", st.State, st.Problem, st.Source)
	}
	server.Before(nil)
	f.source.turn(ctx, now)
	f.source.turn(ctx, now.Add(2*f.source.every))
	if strings.Count(h.log(), "graph.source answers again") != 1 || f.Status().Problem != "" || f.Status().Source.Pulls != 2 {
		t.Errorf("%s\n%+v", h.log(), f.Status())
	}
}

// TestSourceOfADeadServer has a server fail for two days: the log says so at growing intervals, and the agents of a fleet
// do not try again in step.
func TestSourceOfADeadServer(t *testing.T) {
	f, h := withSource(t, &elastictest.Server{})
	ctx, begin := context.Background(), time.Now()
	var said []time.Duration
	pauses := map[time.Duration]bool{}
	tries, every := 0, f.source.every
	for now := begin; now.Sub(begin) < 48*time.Hour; now = f.source.next {
		before := strings.Count(h.log(), "graph.source")
		f.source.ended(ctx, now, errors.New("forbidden"))
		if strings.Count(h.log(), "graph.source") > before {
			said = append(said, now.Sub(begin))
		}
		tries++
		pause := f.source.next.Sub(now)
		pauses[pause] = true
		if pause > every*11/10 || tries > 12 && pause < every*9/10 {
			t.Errorf("try %d is followed by one %v later", tries, pause)
		}
	}
	if len(pauses) < tries/2 {
		t.Errorf("%d tries with %d different pauses: a fleet stays in step", tries, len(pauses))
	}
	if len(said) < 8 || len(said) > 14 || said[0] != 0 {
		t.Errorf("said at %v", said)
	}
	for i := 1; i < len(said); i++ {
		if gap, least := said[i]-said[i-1], min(time.Minute<<(i-1), 24*time.Hour); gap < least || gap > 2*least+2*every {
			t.Errorf("said %v after the last time, want about %v", gap, least)
		}
	}
	// It is over when a pull ends well, at the time of that.
	end := begin.Add(50 * time.Hour)
	if f.source.ended(ctx, end, nil); !f.source.next.Equal(end.Add(every)) || !strings.Contains(h.log(), fmt.Sprintf("after %d failed pulls since ", tries)) {
		t.Errorf("the next pull is due %v after the end\n%s", f.source.next.Sub(end), h.log())
	}
}

// TestAPanicInAPullIsAFailureLikeAnother: it is told of, tried again after a pause, and is no training that failed.
func TestAPanicInAPullIsAFailureLikeAnother(t *testing.T) {
	server := &elastictest.Server{}
	add(server, pastSessions(100, 10))
	f, h := withSource(t, server)
	ctx, now, graph := context.Background(), time.Now(), f.graph
	f.graph = nil
	for i := range 5 {
		f.pullTurn(ctx, now.Add(time.Duration(i)*sourceInterval))
	}
	f.graph = graph
	st := f.Status()
	if st.Source.Errors[elastic.Other] != 1 || !strings.Contains(st.Problem, "graph.source: panic: ") || !strings.Contains(st.Problem, "is missing from the graph") {
		t.Errorf("%+v, %q", st.Source, st.Problem)
	}
	if trainings, _ := f.trainer.history.list(); len(trainings) > 0 {
		t.Errorf("trainings: %+v", trainings)
	}
	if log := h.log(); strings.Count(log, "panic: ") != 1 || !strings.Contains(log, "graph.source: panic: ") {
		t.Error(log)
	}
	f.pullTurn(ctx, f.source.next)
	if st := f.Status(); st.Source.Pulls != 1 || st.Source.Problem != "" {
		t.Errorf("after it: %+v, %q\n%s", st.Source, st.Problem, h.log())
	}
}

// TestSourceAfterARestart has an agent go on from its state directory: it reads what came since, and counts none twice.
func TestSourceAfterARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	server := &elastictest.Server{Index: "logs"}
	address := server.Start(t)
	all := pastSessions(1000, 100)
	var h *testHost // of the last agent
	agent := func(now time.Time, more ...string) *Instance {
		h = host(append([]string{"graph_source", address, "state_dir", dir}, more...)...)
		f, err := newInstance(h, forLive, func() (wall, passed int64) { return now.UnixNano(), 0 })
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	stop := func(f *Instance, want uint32) {
		t.Helper()
		var events uint32
		for _, e := range f.graph.Snapshot().Edges {
			events += e.Count
		}
		if events != want {
			t.Errorf("%d events, want %d", events, want)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	add(server, all[:940])
	f := agent(all[949].at)
	f.source.turn(context.Background(), time.Now())
	for _, x := range all[945:950] { // of the last hour, and not in the index yet
		f.Process(nil, x.record())
	}
	stop(f, 945)

	add(server, all[940:])
	before := len(server.Requests())
	f = agent(all[999].at)
	f.source.turn(context.Background(), time.Now())
	stop(f, 1000)
	if n := len(server.Requests()) - before; n > 6 {
		t.Errorf("%d requests: the whole window was read again", n)
	}

	// Damaged slices are set aside with a warning. The whole window is read, and nothing counts twice.
	for _, damage := range []func(b []byte) []byte{
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { return b[:len(b)/2] },
	} {
		for _, file := range []string{"slices", "slices.prev"} {
			b, err := os.ReadFile(filepath.Join(dir, file))
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, file), damage(b), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		f = agent(all[999].at)
		if log := h.log(); strings.Count(log, "slices: damaged: ") != 1 || strings.Count(log, "slices.prev: damaged: ") != 1 || strings.Count(log, "; set aside as ") != 2 {
			t.Error(log)
		}
		f.source.turn(context.Background(), time.Now())
		stop(f, 1000)
		f = agent(all[999].at) // a second save makes slices.prev
		f.source.turn(context.Background(), time.Now())
		stop(f, 1000)
		if strings.Contains(h.log(), "slices") {
			t.Error(h.log())
		}
	}

	// Another source is read as a whole, and nothing counts twice.
	f = agent(all[999].at, "graph_source_query", `{"match_all":{}}`)
	f.source.turn(context.Background(), time.Now())
	stop(f, 1000)

	// A state directory that somebody used without the source has other events in its graph.
	f = agent(all[999].at, "graph_source", "")
	f.Process(nil, fleetSession{all[999].at, "host-x", "client-0", "server-0-0"}.record())
	stop(f, 1001)
	f = agent(all[999].at)
	f.source.turn(context.Background(), time.Now())
	stop(f, 1001)
}

// TestSourceLeavesOutWhatIsBad has a line of the list call a source bad.
func TestSourceLeavesOutWhatIsBad(t *testing.T) {
	list := filepath.Join(t.TempDir(), "allow.csv")
	writeList(t, list, "host-7,*,*,,bad")
	server := &elastictest.Server{}
	add(server, pastSessions(300, 10))
	f, _ := withSource(t, server, "allow", list)
	f.source.turn(context.Background(), time.Now())
	for _, n := range f.graph.Snapshot().Nodes {
		if n.Name == "host-7" {
			t.Error("a bad source is in the graph")
		}
	}
	if f.Status().Source.Added == 0 {
		t.Error("nothing was read")
	}
}

// TestSourceInTheBackground has a live filter with all its goroutines read, while records come and it is closed.
func TestSourceInTheBackground(t *testing.T) {
	asked := make(chan struct{}, 1)
	server := &elastictest.Server{Index: "logs"}
	server.Before(func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n < 4 {
			return false
		}
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done() // the filter is closed in the middle of a request
		return true
	})
	add(server, pastSessions(500, 50))
	f, err := New(host("graph_source", server.Start(t)))
	if err != nil {
		t.Fatal(err)
	}
	f.Process(nil, join(sessions(100)))
	<-asked
	f.Process(nil, join(sessions(100)))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSourceSettingsThatDoNotServe(t *testing.T) {
	for want, properties := range map[string][]string{
		"the preset openssh takes sessions from sshd's messages":      {"preset", "openssh"},
		"the file of credentials /no/such/file: no such file":         {"graph_source_credentials", "/no/such/file"},
		`graph.source = "http://127.0.0.1:9200/logs": the file of au`: {"graph_source_ca", "/no/such/file"},
	} {
		_, err := New(host(append([]string{"graph_source", "http://127.0.0.1:9200/logs"}, properties...)...))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v", err)
		}
	}
}

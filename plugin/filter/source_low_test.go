package filter

import (
	"context"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/elastic/elastictest"
)

// scored is the document of a session as an agent sent it on.
func (s fleetSession) scored(low bool) elastictest.Document {
	d := s.document()
	d.Fields["low_score"] = low
	return d
}

// TestHeldLowScoresOfOthers has a filter with train.hold learn from an index in which other agents gave low scores.
func TestHeldLowScoresOfOthers(t *testing.T) {
	server := &elastictest.Server{}
	for _, v := range pastSessions(1500, 200) {
		server.Add(v.scored(false))
	}
	ago := func(d time.Duration, source string) fleetSession {
		return fleetSession{time.Now().Add(-d).Truncate(time.Millisecond), source, "strange-tool", "server-0-1"}
	}
	const day = 24 * time.Hour
	server.Add(ago(day, "one").scored(true))
	server.Add(ago(day, "allowed").scored(true))
	server.Add(ago(5*day, "stays").scored(true)) // comes again after the time
	server.Add(ago(time.Hour, "stays").scored(false))
	f, h := withSource(t, server, "train_hold", "3d", "allow", listFile(t, "allowed,*,*,,"))
	ask := func() {
		t.Helper()
		var err error
		f.source.from, err = elastic.New(elastic.Config{URL: f.cfg.Graph.Source, Fields: f.cfg.Fields, Window: f.cfg.Graph.Window, Live: true, Pause: time.Microsecond,
			LowScore: f.source.lowScore()})
		if err != nil {
			t.Fatal(err)
		}
	}
	ask()
	ctx, now := context.Background(), time.Now()
	f.source.turn(ctx, now)
	if n := unlearned(f); n != 1 {
		t.Errorf("%d triplets are not learned, want the one of the source one; noted are %d", n, len(f.judge.unanswered.noted()))
	}
	if !f.TrainIfDue(ctx, now) || !strings.Contains(h.log(), "; 1 triplets with a low score are not learned") {
		t.Error(h.log())
	}
	// Those of the next pulls are those that are new, late ones too.
	server.Add(ago(time.Minute, "two").scored(true))
	server.Add(ago(time.Hour, "three").scored(true))
	f.source.turn(ctx, now.Add(2*f.source.every))
	if n := unlearned(f); n != 3 {
		t.Errorf("%d triplets are not learned after the second pull, want 3", n)
	}
	if requests := server.Requests(); !strings.Contains(requests[len(requests)-1], `"low_score":["true"]`) {
		t.Errorf("the last request is %s", requests[len(requests)-1])
	}
}

// TestIndexWithoutLowScores says once that what others gave a low score is learned.
func TestIndexWithoutLowScores(t *testing.T) {
	server := &elastictest.Server{Index: "logs"}
	add(server, pastSessions(300, 48))
	t.Setenv(elastic.EnvUser, "elastic:geheim")
	h := host("graph_source", server.Start(t), "train_hold", "3d")
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for i := range 2 {
		f.source.turn(context.Background(), now.Add(time.Duration(2*i)*f.source.every))
	}
	if n := strings.Count(h.log(), "has no boolean field low_score: what other agents gave a low score is learned at once"); n != 1 || f.Status().Source.Pulls != 2 {
		t.Errorf("said %d times\n%s", n, h.log())
	}
}

// TestNobodyHoldsNobodyAsks has no train.hold, and no question about low scores.
func TestNobodyHoldsNobodyAsks(t *testing.T) {
	server := &elastictest.Server{}
	server.Add(fleetSession{time.Now().Add(-time.Hour), "a", "ssh", "b"}.scored(true))
	f, _ := withSource(t, server)
	f.source.turn(context.Background(), time.Now())
	for _, r := range server.Requests() {
		if strings.Contains(r, "low_score") {
			t.Errorf("asked %s", r)
		}
	}
	if f.Status().Source.Pulls != 1 {
		t.Errorf("%+v", f.Status().Source)
	}
}

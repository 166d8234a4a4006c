package filter

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/budget"
	"flb-filter-rgcn/plugin/evidence"
)

// of returns the fields of evidence that a record has, without their prefix.
func evidenceIn(d decoded, prefix string) map[string]any {
	out := map[string]any{}
	for _, name := range evidence.Names {
		if v, ok := d.body[prefix+name]; ok {
			out[name] = v
		}
	}
	return out
}

// TestEvidence: a record with a low score, and no other, tells what came before it.
func TestEvidence(t *testing.T) {
	for style, prefix := range map[string]string{"plain": "score_", "ecs": "rgcn."} {
		f := offline(t, host("explain", "on", "threshold_method", "quantile", "threshold_quantile", "0.3", "field_style", style, "allow", listFile(t, "bad,*,*,,bad")))
		out, _ := f.Process(nil, session(0, "bad", "server-0-1", "client-1"))
		if got := evidenceIn(decode(t, out)[0], prefix); !reflect.DeepEqual(got, map[string]any{
			"pair_days": int64(1), "source_destinations": int64(0), "destination_sources": int64(0),
		}) {
			t.Errorf("without a model: %v", got)
		}
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		// Host 3 keeps to two servers, and so do four others. In one chunk, so that one session must not be evidence
		// for itself.
		out, _ = f.Process(nil, join([][]byte{
			session(3000, "host-3", "server-0-1", "client-1"),
			session(3001, "stranger", "server-0-1", "client-9"),
			session(3002, "host-3", "server-1-1", "client-7"),
			session(3003, "host-3", "server-1-1", "client-7"),
			session(3004, "bad", "server-0-1", "client-7"),
		}))
		got := decode(t, out)
		if len(evidenceIn(got[0], prefix)) > 0 || got[0].body[strings.TrimSuffix(prefix, "_")+"score"] == true {
			t.Errorf("a usual session: %v", got[0].body)
		}
		for i, want := range []map[string]any{
			1: {"pair_days": int64(1), "source_destinations": int64(0), "destination_sources": int64(5)},
			2: {"pair_days": int64(1), "source_destinations": int64(2), "destination_sources": int64(5), "source_relations": []any{"client-1"},
				"group": "host-*", "group_sources": int64(29), "group_to_destination": int64(5)},
			3: {"pair_days": int64(1), "source_destinations": int64(2), "destination_sources": int64(5), "source_relations": []any{"client-1", "client-7"},
				"pair_first_seen": "2020-09-15T14:28:40Z", "pair_last_seen": "2020-09-15T14:28:40Z",
				"group": "host-*", "group_sources": int64(29), "group_to_destination": int64(5)},
			4: {"pair_days": int64(1), "source_destinations": int64(0), "destination_sources": int64(6)},
		} {
			x := evidenceIn(got[i], prefix)
			if want == nil {
				continue
			}
			if v, ok := x["lower_per_day"].(float64); !ok || v < 0 {
				t.Errorf("session %d: lower_per_day is %v", i, x["lower_per_day"])
			}
			delete(x, "lower_per_day")
			if !reflect.DeepEqual(x, want) {
				t.Errorf("session %d: %v, want %v; %v", i, x, want, got[i].body)
			}
		}
		// What comes with such fields has them replaced, or taken away where its score is not low.
		again, _ := f.Process(nil, appendEvent(nil, "ts", "1600180300.5", "id.orig_h", "host-9", "id.resp_h", "server-0-1", "client", "client-1",
			prefix+"peers", []any{"x"}, prefix+"pair_days", 7))
		if x := evidenceIn(decode(t, again)[0], prefix); len(x) > 0 {
			t.Errorf("evidence of elsewhere stays: %v", x)
		}
	}
}

// How rare a score is goes by the days that are over, and by the training where these do not tell.
func TestLowerPerDay(t *testing.T) {
	f := offline(t, host("train_steps", "20"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	j := f.path.judge
	trained := func(score float32) float64 { return j.rarity.Load().PerDay(score) }
	if got, want := j.lowerPerDay(1e-3), trained(1e-3); got != want {
		t.Errorf("on the first day %v, want %v as the training has it", got, want)
	}
	for day := range int64(5) {
		for i := range int64(24) {
			e := graphbuf.Event{Source: fmt.Append(nil, "host-", i), Time: (1_601_000_000/86400 + day) * 86400e9}
			j.alerts.Low(&e, budget.Spender{}, 1e-3*float32(i))
		}
	}
	if got := j.lowerPerDay(1e-3); got != 2 {
		t.Errorf("%v a day, want 2 as the days before had it", got)
	}
	if got, want := j.lowerPerDay(0.999), trained(0.999); got != want {
		t.Errorf("of a high score %v, want %v as the training has it", got, want)
	}
}

// TestPeers: of a new pair the evidence names sources like this one that use the destination.
func TestPeers(t *testing.T) {
	f := offline(t, host("explain", "on", "threshold_method", "sigma", "threshold_k", "0", "train_steps", "60"))
	events := sessions(3000)
	var kept [][]byte
	for i, e := range events { // host-3 never came to server-0-1, which all of its team use
		if h := (i * 7919) % 30; h != 3 || i%4 != 1 {
			kept = append(kept, e)
		}
	}
	f.Process(nil, join(kept))
	train(t, f)
	peers := func(destination string) any {
		out, _ := f.Process(nil, session(4000, "host-3", destination, "client-5"))
		d := decode(t, out)[0]
		if d.body["low_score"] != true {
			t.Fatalf("the score of %s is not low: %v", destination, d.body)
		}
		return d.body["score_peers"]
	}
	names, _ := peers("server-0-1").([]any)
	if len(names) != 3 {
		t.Errorf("peers %v, want three", names)
	}
	for _, n := range names {
		team := map[string]bool{"host-0": true, "host-6": true, "host-9": true, "host-12": true, "host-15": true, "host-18": true, "host-21": true, "host-24": true, "host-27": true}
		if !team[n.(string)] {
			t.Errorf("%v is no peer of host-3", n)
		}
	}
	if p := peers("server-1-1"); p != nil {
		t.Errorf("sources of another team are peers: %v", p)
	}
}

// BenchmarkEvidence has nearly every record be low, without and with evidence.
func BenchmarkEvidence(b *testing.B) {
	events := notebook(b)
	chunk := join(events)
	for _, explain := range []string{"off", "on"} {
		b.Run("explain "+explain, func(b *testing.B) {
			f := offline(b, host("explain", explain, "threshold_method", "quantile", "threshold_quantile", "0.99"))
			dst, _ := f.Process(nil, chunk)
			train(b, f)
			dst, _ = f.Process(dst[:0], chunk)
			before := f.Counts()
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = f.Process(dst[:0], chunk)
			}
			c := f.Counts()
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.LowScore-before.LowScore), "ns/low")
			b.ReportMetric(float64(c.LowScore-before.LowScore)/float64(c.Total-before.Total), "low/record")
		})
	}
}

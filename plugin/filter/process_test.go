package filter

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
)

func TestEveryRecordOfTheNotebookPassesWithBothFields(t *testing.T) {
	f := offline(t, host("model_dim", "128", "train_steps", "200", "threshold_method", "quantile")) // a budget may find nothing strange in so short a log
	events := notebook(t)
	first, modified := f.Process(nil, join(events[:3000]))
	if !modified {
		t.Fatal("nothing was added")
	}
	train(t, f)
	second, _ := f.Process([]byte("prefix"), join(events[3000:]))
	if !bytes.HasPrefix(second, []byte("prefix")) {
		t.Error("Process does not append")
	}
	in, out := decode(t, join(events)), append(decode(t, first), decode(t, second[len("prefix"):])...)
	if len(in) != 7143 || len(out) != len(in) {
		t.Fatalf("%d records in, %d out", len(in), len(out))
	}
	low, reported, sources := 0, 0, map[any]bool{}
	for i := range out {
		n, added := len(in[i].keys), 2
		if out[i].body["source_alert"] == true {
			added++
			reported++
			if s := in[i].body["id.orig_h"]; i < 3000 || sources[s] {
				t.Fatalf("record %d reports %v, which was, or before there is a model", i, s)
			} else {
				sources[s] = true
			}
		}
		if got := fmt.Sprint(out[i].keys[:n]); got != fmt.Sprint(in[i].keys) || len(out[i].keys) != n+added {
			t.Fatalf("record %d has the keys %v", i, out[i].keys)
		}
		for k, v := range in[i].body {
			if out[i].body[k] != v {
				t.Fatalf("record %d: %s is %v, was %v", i, k, out[i].body[k], v)
			}
		}
		score, isLow := out[i].body["score"], out[i].body["low_score"].(bool)
		if i < 3000 {
			if score != nil || isLow {
				t.Fatalf("record %d is scored %v %v before the first training", i, score, isLow)
			}
			continue
		}
		if v, ok := score.(float64); !ok || v < 0 || v > 1 {
			t.Fatalf("record %d has the score %v", i, score)
		}
		if isLow {
			low++
		}
	}
	if low == 0 || low > 500 {
		t.Errorf("%d of 4143 records have a low score", low)
	}
	if reported == 0 || reported > 30 {
		t.Errorf("%d sources are reported", reported)
	}
	if st := f.Status(); st.Records != (RecordCounts{Total: 7143, Counted: 7143, Scored: 4143, LowScore: uint64(low), Reported: uint64(reported)}) || st.Graph.Edges != 1490 {
		t.Errorf("%+v, %d low", st, low)
	}
}

func TestRecordsThatPassUntouched(t *testing.T) {
	f := offline(t, host())
	for name, event := range map[string][]byte{
		"no fields":               appendEvent(nil, "message", "hello"),
		"no destination":          appendEvent(nil, "id.orig_h", "a", "client", "c"),
		"empty source":            appendEvent(nil, "id.orig_h", "", "id.resp_h", "b", "client", "c"),
		"unset source":            appendEvent(nil, "id.orig_h", "-", "id.resp_h", "b", "client", "c"),
		"source is a map":         appendEvent(nil, "id.orig_h", map[string]any{"x": 1}, "id.resp_h", "b", "client", "c"),
		"source is an empty list": appendEvent(nil, "id.orig_h", []any{}, "id.resp_h", "b", "client", "c"),
		"source is nil":           appendEvent(nil, "id.orig_h", nil, "id.resp_h", "b", "client", "c"),
		"no body":                 appendEvent(nil),
		"not msgpack":             {0xc1, 0xc1},
		"not an event":            {0x01, 0x02},
		"old score, no session":   appendEvent(nil, "score", 1, "message", "x"),
	} {
		out, modified := f.Process([]byte("x"), event)
		if modified || string(out) != "x" {
			t.Errorf("%s: modified", name)
		}
		// Beside a session it passes byte for byte too.
		whole := session(1, "a", "b", "c")
		out, modified = f.Process(nil, append(append([]byte(nil), whole...), event...))
		if !modified || !bytes.HasSuffix(out, event) || len(out) <= len(whole)+len(event) {
			t.Errorf("%s: not passed as it was beside a session", name)
		}
	}
	if st := f.Status().Records; st.Counted != 11 || st.Scored != 0 || st.Missing == 0 || st.Malformed == 0 {
		t.Errorf("%+v", st)
	}
}

func TestNumbersAndNestedFields(t *testing.T) {
	f := offline(t, host("relation", "client,auth_success,attempts"))
	for _, e := range [][]byte{
		appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c", "auth_success", true, "attempts", 2),
		appendEvent(nil, "id", map[string]any{"orig_h": "a", "resp_h": "b"}, "client", "c", "auth_success", true, "attempts", "2"),
		appendEvent(nil, "id_orig_h", "a", "id_resp_h", "b", "client", "c", "auth_success", true, "attempts", uint8(2)),
		appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b", "client", "c"),
		appendEvent(nil, "id.orig_h", "a", "id.resp_h", "b"),
	} {
		if _, modified := f.Process(nil, e); !modified {
			t.Fatal("a session is not taken for one")
		}
	}
	s := f.graph.Snapshot()
	var got []string
	for _, e := range s.Edges {
		got = append(got, fmt.Sprint(s.Nodes[e.Source].Name, " ", s.Relations[e.Relation].Name, " ", s.Nodes[e.Destination].Name, " ", e.Count))
	}
	text := strings.Join(got, "; ")
	for _, want := range []string{"a c|true|2 b 3", "a c|-|- b 1", "a - b 1"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q", text, want)
		}
	}
}

func TestScoreFieldsAreReplacedNotDoubled(t *testing.T) {
	f := offline(t, host("score", "ssh_score", "explain", "on"))
	out, _ := f.Process(nil, appendEvent(nil, "ssh_score", 0.1, "score", 7, "id.orig_h", "a", "low_score", "x", "id.resp_h", "b", "score_reason", "y", "client", "c"))
	d := decode(t, out)[0]
	if got := fmt.Sprint(d.keys); got != "[score id.orig_h id.resp_h client ssh_score low_score score_reason]" {
		t.Errorf("keys %s", got)
	}
	if d.body["ssh_score"] != nil || d.body["low_score"] != false || d.body["score"] != int64(7) || d.body["score_reason"] != "new_source" {
		t.Errorf("%v", d.body)
	}
}

func TestReasons(t *testing.T) {
	f := offline(t, host("explain", "true", "train_steps", "200", "model_prefixes", "off"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	const minutes = 1
	for _, c := range []struct {
		at                                int
		source, destination, client, want string
	}{
		{5000, "host-3", "server-0-1", "client-1", "usual"},
		{5000, "stranger", "server-0-1", "client-1", "new_source"},
		{5000, "host-3", "nowhere", "client-1", "new_destination"},
		{5000, "host-3", "server-1-0", "client-1", "new_pair"},
		{5000, "host-3", "server-0-1", "client-9", "new_relation"},
		{5000, "host-3", "server-1-0", "client-1", "new_today"}, // it came just before
		{5000, "host-3", "server-1-0", "client-1", "new_today"},
		{5000, "host-3", "server-1-0", "client-1", "new_today"}, // however often
		{5000 + 1439*minutes, "host-3", "server-1-0", "client-1", "new_today"},
		{5000 + 1440*minutes, "host-3", "nowhere", "client-1", "rare"}, // on another day, once before
		{5000 + 1441*minutes, "host-3", "server-1-0", "client-1", "usual"},
	} {
		out, _ := f.Process(nil, session(c.at, c.source, c.destination, c.client))
		d := decode(t, out)[0]
		if d.body["score_reason"] != c.want {
			t.Errorf("%v: reason %v", c, d.body["score_reason"])
		}
		if d.body["score_model"] != "2033-05-18T03:33:20Z" {
			t.Errorf("score_model is %v", d.body["score_model"])
		}
	}
}

// What scores low though nothing of it is new is not called rare where it came often.
func TestReasonsOfLowScores(t *testing.T) {
	long := int64(100 * newFor)
	for earlier, want := range map[uint32][2]string{1: {"rare", "rare"}, 2: {"rare", "rare"}, 3: {"usual", "unexpected"}, 500: {"usual", "unexpected"}} {
		ref := graphbuf.Ref{Time: long, Counts: graphbuf.Counts{SRD: earlier, SD: earlier, S: earlier, D: earlier}}
		if got := [2]string{reason(&ref, false, nil), reason(&ref, true, nil)}; got != want {
			t.Errorf("seen %d times before: %q, want %q", earlier, got, want)
		}
	}
}

func TestChunkCutAtEveryByte(t *testing.T) {
	events := sessions(5)
	chunk := join(events)
	for n := range chunk {
		f := offline(t, host())
		out, modified := f.Process(nil, chunk[:n])
		whole, rest := 0, n
		for rest >= len(events[whole]) {
			rest -= len(events[whole])
			whole++
		}
		if st := f.Status().Records; st.Counted != uint64(whole) || modified != (whole > 0) {
			t.Fatalf("cut at %d: %d records scored, %d are whole", n, st.Scored, whole)
		}
		if modified {
			tail := chunk[n-rest : n]
			if !bytes.HasSuffix(out, tail) || len(decode(t, out[:len(out)-rest])) != whole {
				t.Fatalf("cut at %d: the piece of a record did not pass as it was", n)
			}
		}
	}
}

func TestSSHDLines(t *testing.T) {
	f := offline(t, host("preset", "openssh"))
	for _, e := range [][]byte{
		appendEvent(nil, "log", "Nov 30 06:39:00 web sshd[123]: Failed password for root from 10.0.0.1 port 99 ssh2"),
		appendEvent(nil, "host", "web", "ident", "sshd", "message", "Failed password for admin from 10.0.0.1 port 98 ssh2"),
		appendEvent(nil, "_HOSTNAME", "web", "SYSLOG_IDENTIFIER", "sshd", "MESSAGE", "Failed password for admin from 10.0.0.1 port 98 ssh2"),
	} {
		if _, modified := f.Process(nil, e); !modified {
			t.Error("a line of sshd is not taken for a session")
		}
	}
	for _, e := range [][]byte{
		appendEvent(nil, "log", "Nov 30 06:39:00 web CRON[123]: session opened from 10.0.0.1"),
		appendEvent(nil, "message", "Server listening on 0.0.0.0 port 22.", "ident", "sshd"),
		appendEvent(nil, "other", "x"),
	} {
		if _, modified := f.Process(nil, e); modified {
			t.Error("a line without a session is scored")
		}
	}
	s := f.graph.Snapshot()
	if len(s.Edges) != 1 || s.Edges[0].Count != 3 || s.Relations[0].Name != "failed password" {
		t.Errorf("%+v %+v", s.Edges, s.Relations)
	}
	f.Process(nil, appendEvent(nil, "time", "Nov 30 06:39:01", "ident", "sshd", "message", "Failed password for admin from 10.0.0.1 port 98 ssh2"))
	localhost, err := os.Hostname()
	if s := f.graph.Snapshot(); err != nil || len(s.Edges) != 2 || !strings.Contains(fmt.Sprint(s.Nodes), localhost) {
		t.Errorf("a line that names no host is not this host's: %v", s.Nodes)
	}
}

func TestFarFutureDoesNotAgeTheGraph(t *testing.T) {
	f := offline(t, host("graph_window", "1h"))
	f.Process(nil, join(sessions(30)))
	f.Process(nil, appendEvent(nil, "ts", "4102444800.0", "id.orig_h", "evil", "id.resp_h", "b", "client", "c"))
	f.Process(nil, join(sessions(30)))
	for _, e := range f.graph.Snapshot().Edges {
		if e.Last > 4102444800*1e9-1 {
			t.Errorf("an edge was last seen in 2100: %+v", e)
		}
	}
}

func TestManyGoroutinesOneInstance(t *testing.T) {
	f := offline(t, host())
	chunk := join(sessions(500))
	f.Process(nil, chunk)
	train(t, f)
	want := len(decode(t, chunk))
	outs := make(chan []byte, 4*20)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				out, _ := f.Process(nil, chunk)
				outs <- out
			}
		})
	}
	err := f.Train(context.Background(), time.Unix(2e9, 0), nil) // beside them
	wg.Wait()
	close(outs)
	if err != nil {
		t.Fatal(err)
	}
	for out := range outs {
		records := decode(t, out)
		if len(records) != want {
			t.Fatalf("%d records in, %d out", want, len(records))
		}
		for _, r := range records {
			if r.body["score"] == nil {
				t.Fatalf("no score: %v", r.body)
			}
		}
	}
	if st := f.Status(); f.graph.Stats().Events != 81*500 || st.Records.Counted != 81*500 {
		t.Errorf("%+v", st)
	}
}

func TestProcessDoesNotAllocatePerRecord(t *testing.T) {
	if poolsForget {
		t.Skip("under the race detector pools forget what they hold")
	}
	f := offline(t, host("explain", "on"))
	chunk := join(notebook(t)[:1000])
	dst, _ := f.Process(nil, chunk)
	train(t, f)
	dst, _ = f.Process(dst[:0], chunk)
	if n := testing.AllocsPerRun(20, func() { f.Process(dst[:0], chunk) }); n > 2 {
		t.Errorf("%v allocations for a chunk of 1000 known records", n)
	}
}

func BenchmarkProcess(b *testing.B) {
	events := notebook(b)
	chunk := join(events)
	for _, c := range []struct {
		name    string
		trained bool
	}{{"untrained", false}, {"trained", true}} {
		b.Run(c.name, func(b *testing.B) {
			f := offline(b, host())
			dst, _ := f.Process(nil, chunk)
			if c.trained {
				train(b, f)
			}
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = f.Process(dst[:0], chunk)
			}
			b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkProcessParallel has many goroutines hand chunks to one instance.
func BenchmarkProcessParallel(b *testing.B) {
	events := notebook(b)
	chunk := join(events[:1000])
	for _, goroutines := range []int{1, 2, 8} {
		b.Run(fmt.Sprint(goroutines), func(b *testing.B) {
			f := offline(b, host())
			f.Process(nil, join(events))
			train(b, f)
			var wg sync.WaitGroup
			b.ResetTimer()
			for g := range goroutines {
				wg.Go(func() {
					var dst []byte
					for i := g; i < b.N; i += goroutines {
						dst, _ = f.Process(dst[:0], chunk)
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*1000)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// Offline a time that cannot be is the log's own newest, not today: one bad line would
// otherwise age the whole of an old log out of the graph.
func TestBadTimesInAnOldLog(t *testing.T) {
	f := offline(t, host("graph_window", "30d"))
	f.Process(nil, join(sessions(100)))
	before := f.graph.Stats().Edges
	for range 50 {
		f.Process(nil, appendEvent(nil, "ts", 0, "id.orig_h", "odd", "id.resp_h", "b", "client", "c"))
		f.Process(nil, session(101, "host-1", "server-1-1", "client-1"))
	}
	if st := f.graph.Stats(); st.Evicted != 0 || st.Edges < before {
		t.Errorf("%+v, there were %d edges", st, before)
	}
}

func TestNamesApartFromTheCommonSchemas(t *testing.T) {
	f := offline(t, host("field_style", "ecs", "explain", "on"))
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	out, _ := f.Process(nil, appendEvent(nil, "ts", 2000, "id.orig_h", "host-1", "id.resp_h", "server-1-1", "client", "client-1", "rgcn.score", 7, "score", 3))
	d := decode(t, out)[0]
	if want := []string{"ts", "id.orig_h", "id.resp_h", "client", "score", "rgcn.score", "rgcn.low_score", "rgcn.reason", "rgcn.model"}; !slices.Equal(d.keys, want) {
		t.Errorf("%v, want %v", d.keys, want)
	}
}

// TestChunksOfAnySize: a record's fields do not depend on which others came in its chunk, new hosts that come
// again included.
func TestChunksOfAnySize(t *testing.T) {
	past, next := sessions(2000), sessions(2300)[2000:]
	for i := 40; i < len(next); i += 3 {
		next[i] = session(2000+i, fmt.Sprint("new-", i/60), fmt.Sprintf("server-%d-%d", i%3, i%2), "client-1")
	}
	var want []byte
	for _, size := range []int{1, 2, 63, 64, 65, 300} {
		f := offline(t, host("explain", "on"))
		f.Process(nil, join(past))
		train(t, f)
		var got []byte
		for at := 0; at < len(next); at += size {
			got, _ = f.Process(got, join(next[at:min(at+size, len(next))]))
		}
		if want == nil {
			want = got
		} else if !bytes.Equal(got, want) {
			t.Errorf("chunks of %d records give other fields than chunks of one", size)
		}
	}
	if !bytes.Contains(want, []byte("new_source")) {
		t.Error("no new source")
	}
}

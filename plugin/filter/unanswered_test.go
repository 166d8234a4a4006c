package filter

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

// unlearned is how many triplets a training of now would not learn.
func unlearned(f *Instance) int {
	noted := f.judge.unanswered.noted()
	_, n := f.judge.unanswered.among(f.graph.Snapshot(), noted)
	return n
}

// A triplet with a low score is not learned until it comes again after the time of the settings, or is allowed.
func TestUnansweredAlertsAreNotTrainedOn(t *testing.T) {
	const day = 24 * 60
	path := listFile(t, "nobody,*,*,,")
	h := host("explain", "on", "threshold_method", "quantile", "threshold_quantile", "0.05", "allow", path, "train_hold", "2d")
	f := offline(t, h)
	f.Process(nil, join(sessions(2000)))
	train(t, f)
	if n := unlearned(f); n != 0 {
		t.Fatalf("%d triplets are not learned before any low score", n)
	}
	for i, source := range []string{"one", "two", "three"} {
		if d := pass(t, f, 2000+i, source, "server-0-1", "strange-tool"); d["low_score"] != true {
			t.Fatalf("%v", d)
		}
	}
	if d := pass(t, f, 2010, "host-0", "server-0-0", "client-0"); d["low_score"] != false {
		t.Fatalf("%v", d)
	}
	if n := unlearned(f); n != 3 {
		t.Errorf("%d triplets are not learned, want 3", n)
	}
	train(t, f)
	if !strings.Contains(h.log(), "; 3 triplets with a low score are not learned") {
		t.Error(h.log())
	}
	// The next day is too early, and the third day is not.
	pass(t, f, 2000+day, "one", "server-0-1", "strange-tool")
	if n := unlearned(f); n != 3 {
		t.Errorf("%d triplets are not learned after a day, want 3", n)
	}
	pass(t, f, 2001+2*day, "two", "server-0-1", "strange-tool")
	if n := unlearned(f); n != 2 {
		t.Errorf("%d triplets are not learned after one came again, want 2", n)
	}
	writeList(t, path, "three,*,*,,")
	if err := f.allow.file.Load(); err != nil {
		t.Fatal(err)
	}
	if n := unlearned(f); n != 1 {
		t.Errorf("%d triplets are not learned after another was allowed, want 1", n)
	}
	// What came again is answered: its next low score does not hold it anew.
	f.judge.unanswered.addNamed([]byte("two"), []byte("strange-tool"), []byte("server-0-1"), int64(1600000000+(2010+2*day)*60)*1e9)
	if n := unlearned(f); n != 1 {
		t.Errorf("%d triplets are not learned after a low score of one that came again, want 1", n)
	}
	if n := len(f.judge.unanswered.noted()); n != 2 {
		t.Errorf("%d triplets are noted, want the one that is held and the one that came again", n)
	}
}

// A session that is dated back is held from when it came: its date ends no hold.
func TestADateBackEndsNoHold(t *testing.T) {
	w := &world{now: midday}
	f := w.live(t, host("explain", "on", "threshold_method", "quantile", "threshold_quantile", "0.05", "train_hold", "2d"))
	for i := range int64(2000) {
		h := i * 7919 % 30
		f.Process(nil, at(midday-(2000-i)*60*second, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4), fmt.Sprint("client-", h%2)))
	}
	train(t, f)
	for _, when := range []int64{midday - 5*day, midday} {
		out, _ := f.Process(nil, at(when, "stranger", "server-0-1", "strange-tool"))
		if d := decode(t, out)[0].body; d["low_score"] != true {
			t.Fatalf("%v", d)
		}
		if n := unlearned(f); n != 1 {
			t.Errorf("a session of %s: %d triplets are not learned, want 1", date(when), n)
		}
	}
	w.now += 2 * day
	f.Process(nil, at(w.now, "stranger", "server-0-1", "strange-tool"))
	if n := unlearned(f); n != 0 {
		t.Errorf("%d triplets are not learned after the hold, want none", n)
	}
}

func TestUnansweredAlertsSurviveARestart(t *testing.T) {
	properties := []string{"threshold_method", "quantile", "threshold_quantile", "0.05", "train_hold", "3d", "state_dir", filepath.Join(t.TempDir(), "state")}
	f := learned(t, properties...)
	for i := range 5 {
		pass(t, f, 2000+i, fmt.Sprint("stranger-", i), "server-0-1", "strange-tool")
	}
	before := unlearned(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	f = offline(t, host(properties...))
	defer f.Close()
	if n := unlearned(f); n != before || n < 3 {
		t.Errorf("%d triplets are not learned after a restart, %d before", n, before)
	}
	// Whatever the file holds, a start goes on.
	whole, err := f.judge.unanswered.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(whole) {
		if err := f.judge.unanswered.UnmarshalBinary(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes are taken for whole", n, len(whole))
		}
	}
	for _, b := range [][]byte{append(bytes.Clone(whole), 0), {0xdd, 0xff, 0xff, 0xff, 0xff}, {0x91, 0x93}} {
		if err := f.judge.unanswered.UnmarshalBinary(b); err == nil {
			t.Errorf("%x is taken for whole", b)
		}
	}
}

func TestNoHold(t *testing.T) {
	f := learned(t, "threshold_method", "quantile", "threshold_quantile", "0.05")
	if d := pass(t, f, 2000, "stranger", "server-0-1", "strange-tool"); d["low_score"] != true {
		t.Fatalf("%v", d)
	}
	if n := unlearned(f); n != 0 {
		t.Errorf("%d triplets are not learned", n)
	}
}

// A flood of low scores takes no more than its room, and that is said once.
func TestMostUnanswered(t *testing.T) {
	h := host("train_hold", "1d")
	f := offline(t, h)
	for i := range maxUnanswered + 100 {
		var ref [1]graphbuf.Ref
		f.graph.Observe([]graphbuf.Event{{Source: fmt.Append(nil, i), Relation: []byte("r"), Destination: []byte("d"), Time: int64(1+i) * 1e9}}, ref[:])
		f.judge.unanswered.add(&ref[0], ref[0].Time)
		f.judge.unanswered.add(&ref[0], ref[0].Time)
	}
	for range 2 {
		if n := unlearned(f); n != maxUnanswered {
			t.Errorf("%d triplets are not learned, want %d", n, maxUnanswered)
		}
	}
	if n := strings.Count(h.log(), "no more than that"); n != 1 {
		t.Errorf("%d warnings\n%s", n, h.log())
	}
	f.judge.unanswered.add(&graphbuf.Ref{}, 0) // one whose names the graph has no room for
	if n := len(f.judge.unanswered.noted()); n != maxUnanswered {
		t.Errorf("%d are noted", n)
	}
}

// FuzzUnanswered: whatever the state directory holds, a start goes on.
func FuzzUnanswered(f *testing.F) {
	f.Add([]byte{0x90})
	f.Add([]byte{0x91, 0x94, 0xa1, 'a', 0xa1, 'b', 0xa1, 'c', 0x01})
	c := offline(f, host("train_hold", "1d")).common
	f.Fuzz(func(t *testing.T, b []byte) {
		u := newUnanswered(c, nil)
		if err := u.UnmarshalBinary(b); err == nil && len(u.since) > 0 {
			t.Errorf("%d triplets of a graph that has none", len(u.since))
		}
	})
}

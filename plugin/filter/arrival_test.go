package filter

import (
	"strings"
	"testing"
	"time"
)

// A filter that no record reaches tells so: a new one in its status at once, and in the log after some minutes, once.
func TestNoRecordComes(t *testing.T) {
	const says = "no record has come since the start at "
	dir := t.TempDir()
	h := host("state_dir", dir)
	f, err := newInstance(h, forLive, machineClock())
	if err != nil {
		t.Fatal(err)
	}
	if start := f.arrival.start; !start.Equal(f.since) || start == start.Round(0) {
		t.Errorf("a step of the machine's clock would change how long ago the start at %v is", start)
	}
	s := f.Status()
	if s.State != StateWaiting || !strings.HasPrefix(s.Problem, says) || !strings.Contains(s.Problem, "Match") || !strings.Contains(s.Problem, "0 of 50 distinct triplets") {
		t.Errorf("%s: %s", s.State, s.Problem)
	}
	early := f.since.Add(newSilence - time.Second)
	f.arrival.log(early)
	if strings.Contains(h.log(), says) || f.arrival.problem(early, false) != "" { // as with a published model
		t.Error("too early")
	}
	for i := range 5 {
		f.arrival.log(f.since.Add(newSilence + time.Duration(i)*time.Hour))
	}
	if n := strings.Count(h.log(), says); n != 1 {
		t.Errorf("said %d times:\n%s", n, h.log())
	}
	f.Process(nil, join(sessions(10)))
	for range 2 {
		f.arrival.log(f.since.Add(8 * time.Minute))
	}
	if n := strings.Count(h.log(), "the first record has come, 8m0s after the start"); n != 1 || strings.Contains(f.Status().Problem, says) {
		t.Errorf("said %d times: %s\n%s", n, f.Status().Problem, h.log())
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// A restart on a quiet night: the settings did fit.
	h = host("state_dir", dir)
	if f, err = newInstance(h, forLive, machineClock()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := f.Close(); err != nil || !strings.HasSuffix(h.log(), "; no record came") {
			t.Errorf("%v\n%s", err, h.log())
		}
	}()
	f.arrival.log(f.since.Add(usualSilence - time.Second))
	if p := f.Status().Problem; strings.Contains(p+h.log(), says) {
		t.Errorf("%s\n%s", p, h.log())
	}
	f.arrival.log(f.since.Add(usualSilence))
	if strings.Count(h.log(), says) != 1 || !strings.HasPrefix(f.arrival.problem(f.since.Add(usualSilence), false), says) {
		t.Error(h.log())
	}
}

// The last line tells why no record has a score.
func TestClosedWithoutAScore(t *testing.T) {
	check := func(want string, properties []string, do func(f *Instance)) {
		t.Helper()
		h := host(properties...)
		f := offline(t, h)
		do(f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(h.log(), "\n")
		last := lines[len(lines)-1]
		if !strings.HasPrefix(last, "closed: ") || !strings.HasSuffix(last, want) || want == "" && strings.Contains(last, "none has a score") {
			t.Errorf("last line %q, want %q at its end", last, want)
		}
	}
	two := func(f *Instance) { f.Process(nil, join(sessions(2))) }
	many := func(f *Instance) { f.Process(nil, join(sessions(2000))) }
	check("; no record came: see that Match fits the tag of an input, or, for a processor, that its input reads something", nil, func(*Instance) {})
	check("; none has a score: 2 of 50 distinct triplets needed before the first training (train.min_edges), or 8 once the sessions span a day", nil, two)
	check("; none has a score: train.interval = 0 lets no model be trained", []string{"train_interval", "0"}, many)
	check("; none has a score: all came before the first training", nil, many)
	check("; none has a score: all came before the first training", nil, func(f *Instance) { many(f); train(t, f) })
	check("; none has a score: hardly any has a source and a destination, see the warning above", nil, func(f *Instance) {
		f.Process(nil, appendEvent(nil, "a", 1))
	})
	check("; none has a score: none fulfils the conditions of Only, see the warning above", []string{"only", "kind=ssh"}, func(f *Instance) {
		for range 200 {
			f.Process(nil, appendEvent(nil, "kind", "dns", "id.orig_h", "a", "id.resp_h", "b"))
		}
	})
	check("", nil, func(f *Instance) { many(f); train(t, f); two(f) })
}

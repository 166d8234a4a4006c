package filter

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFeatures: a host that came after the training is judged by what a file says of it, with the
// state directory's model too; a file that cannot be read is refused at the start.
func TestFeatures(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "hosts.csv")
	csv := "host,team\n"
	for i := range 40 { // 30 known ones, 10 that are to come
		csv += fmt.Sprintf("host-%d,%d\n", i, i%3)
	}
	if err := os.WriteFile(path, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(seed int) *testHost {
		return host("model_features", path, "model_dim", "32", "train_steps", "1500", "train_seed", fmt.Sprint(seed), "state_dir", filepath.Join(dir, fmt.Sprint("state-", seed)))
	}
	// Hosts come one by one until the end: what a team does is there to be learned.
	var events [][]byte
	for i := range 4000 {
		if h := (i * 7919) % 30; i >= h*130 {
			events = append(events, session(i, fmt.Sprint("host-", h), fmt.Sprintf("server-%d-%d", h%3, i%4), fmt.Sprint("client-", h%2)))
		}
	}
	probe := join([][]byte{session(5000, "host-33", "server-0-1", "client-1"), session(5001, "host-36", "server-1-1", "client-1")})
	scores := func(f *Instance) (own, other float64) {
		out, _ := f.Process(nil, probe)
		d := decode(t, out)
		return d[0].body["score"].(float64), d[1].body["score"].(float64)
	}
	const seeds = 4 // one training may have more or less luck
	var sum float64
	for seed := 1; seed <= seeds; seed++ {
		h := with(seed)
		f := offline(t, h)
		f.Process(nil, join(events))
		train(t, f)
		if !strings.Contains(h.log(), "42 nodes (30 with features)") {
			t.Errorf("log: %s", h.log())
		}
		own, other := scores(f)
		if own < 2*other {
			t.Errorf("seed %d: a stranger scores %v at his team's server and %v at another's", seed, own, other)
		}
		sum += math.Log(own / other)
		f.store.dir.Close() // without saving what the probe taught
		g := offline(t, with(seed))
		if a, b := scores(g); a != own || b != other {
			t.Errorf("seed %d, after a restart: %v and %v, before %v and %v", seed, a, b, own, other)
		}
		g.store.dir.Close()
	}
	if mean := math.Exp(sum / seeds); mean < 3.5 {
		t.Errorf("a stranger scores %v times as high at his team's server as at another's, on average", mean)
	}

	if err := os.WriteFile(path, []byte("host\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("model.features = %q: %s:1: 1 columns, want 2 to 15 with commas between: the host, then its features", path, path)
	if _, err := NewOffline(with(1)); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

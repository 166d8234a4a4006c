package fluentbit

import "testing"

// TestGrowth: after one chunk that grew by more than there was room for, there is room for its like.
func TestGrowth(t *testing.T) {
	var g growth
	const size, grown = 50_000, 200_000
	if room := g.room(size); room < size || room > 2*size {
		t.Errorf("at first %d bytes for %d", room, size)
	}
	g.learn(size, grown)
	for _, n := range []int{size, size / 10, 10 * size} {
		if room := g.room(n); room < n*grown/size || room > 2*n*grown/size {
			t.Errorf("%d bytes for %d, which becomes %d", room, n, n*grown/size)
		}
	}
	g.learn(size, 2*size) // less does not shrink it
	g.learn(1, 1<<40)     // nor does one oddity take all memory
	if room := g.room(size); room < grown || room > 20*size {
		t.Errorf("%d bytes for %d", room, size)
	}
}

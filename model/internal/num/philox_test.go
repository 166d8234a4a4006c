package num

import (
	"math"
	"testing"
)

// The known answers are those that the authors of Philox publish with it.
func TestPhiloxKnownAnswers(t *testing.T) {
	const f = 0xffffffff
	for _, c := range []struct {
		key  [2]uint32
		ctr  [4]uint32
		want [4]uint32
	}{
		{[2]uint32{}, [4]uint32{}, [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[2]uint32{f, f}, [4]uint32{f, f, f, f}, [4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[2]uint32{0xa4093822, 0x299f31d0}, [4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := block(c.key, c.ctr); got != c.want {
			t.Errorf("block(%x, %x) = %x, want %x", c.key, c.ctr, got, c.want)
		}
	}
}

func TestDrawsAreEven(t *testing.T) {
	p := NewPhilox(1, 2)
	var bins [10]int
	var sum float64
	const n = 100_000
	for range n {
		bins[p.IntN(10)]++
		sum += float64(p.Float())
	}
	for i, b := range bins {
		if math.Abs(float64(b)-n/10) > 500 { // five standard deviations
			t.Errorf("%d of %d draws are %d", b, n, i)
		}
	}
	if math.Abs(sum/n-0.5) > 0.005 {
		t.Errorf("mean %v", sum/n)
	}
}

func TestSkippedDraws(t *testing.T) {
	for start := range 6 {
		for skip := range uint64(9) {
			a, b := NewPhilox(3, 4), NewPhilox(3, 4)
			for range start {
				a.Uint32()
				b.Uint32()
			}
			for range skip {
				a.Uint32()
			}
			b.Skip(skip)
			if a.Position() != b.Position() || a.Position() != uint64(start)+skip {
				t.Fatalf("after %d and %d: at %d and %d", start, skip, a.Position(), b.Position())
			}
			for range 5 {
				if x, y := a.Uint32(), b.Uint32(); x != y {
					t.Fatalf("after %d draws and %d skipped: %d, want %d", start, skip, y, x)
				}
			}
		}
	}
}

// A mask is what as many draws of float say, one after another, wherever in a block it begins.
func TestDropOut(t *testing.T) {
	for _, share := range []float64{0, 1e-9, 0.2, 0.5, 0.75, 0.999} {
		p, plain := NewPhilox(5, 6), NewPhilox(5, 6)
		for n := range 40 {
			mask := make([]float32, n)
			Fill(mask, -1)
			p.Dropout(mask, share)
			for i, got := range mask {
				want := float32(0)
				if plain.Float() >= float32(share) {
					want = float32(1 / (1 - share))
				}
				if got != want {
					t.Fatalf("share %v, mask of %d: [%d] is %v, want %v", share, n, i, got, want)
				}
			}
			if p.Position() != plain.Position() {
				t.Fatalf("share %v, mask of %d: %d draws, want %d", share, n, p.Position(), plain.Position())
			}
		}
	}
}

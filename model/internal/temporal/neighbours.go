package temporal

// Neighbours stand in for a host that came after the cut, or after the scorer's training: they are the few hosts
// that it has met since. Where the destination is new, the source is compared with the destination's first
// sources; where the source is new, the destination is compared with the source's first destinations.
type Neighbours struct {
	N       int
	Sources bool // the rows are sources, else destinations
	Rows    [MaxNeighbours]int32
}

// MaxNeighbours is the largest number of neighbours.
const MaxNeighbours = 4

// Add adds a row unless it is there or there is no room.
func (n *Neighbours) Add(row int32) {
	if n.N == MaxNeighbours {
		return
	}
	for _, r := range n.Rows[:n.N] {
		if r == row {
			return
		}
	}
	n.Rows[n.N] = row
	n.N++
}

// neighbours returns the neighbours of a triplet's new host before the time t. It returns none unless exactly
// one of the two hosts is new in the window.
func (w *Window) neighbours(s, d int32, t int64) (out Neighbours) {
	oldS, oldD := s >= 0 && w.s[s] > 0, d >= 0 && w.d[d] > 0
	switch {
	case oldS && !oldD && d >= 0:
		out.Sources = true
		w.deltas.sourcesOfD.eachLast(d, t, func(other int32) {
			if other != s && w.s[other] > 0 {
				out.Add(other)
			}
		})
	case oldD && !oldS && s >= 0:
		w.deltas.destinationsOfS.eachLast(s, t, func(other int32) {
			if other != d && w.d[other] > 0 {
				out.Add(other)
			}
		})
	}
	return out
}

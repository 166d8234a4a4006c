package model

// near is what is known of a host that came after the cut, or after the scorer's
// training: the few hosts that it has met since. Where the destination is new, the
// source is compared with the destination's first sources, by what they are known for;
// where the source is new, the destination with the source's first destinations.
type near struct {
	n       int
	sources bool // the rows are sources, else destinations
	rows    [maxNear]int32
}

const maxNear = 4

// add takes up a row, if there is room and it is not there.
func (n *near) add(Row int32) {
	if n.n == maxNear {
		return
	}
	for _, r := range n.rows[:n.n] {
		if r == Row {
			return
		}
	}
	n.rows[n.n] = Row
	n.n++
}

// near gathers, for a triplet of which one host is new in the window, whom that one met
// there before the time t.
func (w *window) near(s, d int32, t int64) (out near) {
	oldS, oldD := s >= 0 && w.s[s] > 0, d >= 0 && w.d[d] > 0
	switch {
	case oldS && !oldD && d >= 0:
		out.sources = true
		w.news.sourcesOfD.last(d, t, func(other int32) {
			if other != s && w.s[other] > 0 {
				out.add(other)
			}
		})
	case oldD && !oldS && s >= 0:
		w.news.destinationsOfS.last(s, t, func(other int32) {
			if other != d && w.d[other] > 0 {
				out.add(other)
			}
		})
	}
	return out
}

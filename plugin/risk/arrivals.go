package risk

import (
	"slices"

	"flb-filter-rgcn/graphbuf"
)

// maxArrivals bounds the hosts to which odd sessions came within the window. A further one takes the place of the one to
// which the least odd came.
const maxArrivals = 1024

// arrivals are the odd sessions by which hosts were reached: of each host the oddest within the window. Once its window
// has passed, the host has none until another odd session comes. An intruder who goes on from a host came to it before.
type arrivals struct {
	keys []uint64 // of hosts
	rows []arrival
}

// arrival is an odd session, seen from its destination.
type arrival struct {
	from     graphbuf.ID // its source
	at       int64       // unix nanoseconds
	evidence float32
}

func newArrivals() arrivals {
	return arrivals{make([]uint64, 0, maxArrivals), make([]arrival, 0, maxArrivals)}
}

// add takes down a session to a host. Those up to the time from are over.
func (a *arrivals) add(host uint64, x arrival, from int64) {
	i := slices.Index(a.keys, host)
	switch {
	case i >= 0:
		if have := &a.rows[i]; have.at > from && have.evidence > x.evidence {
			return
		}
	case len(a.rows) < maxArrivals:
		i = len(a.rows)
		a.keys, a.rows = append(a.keys, 0), append(a.rows, arrival{})
	default:
		i = 0
		for j := range a.rows {
			if a.rows[j].at <= from {
				i = j
				break
			}
			if a.rows[j].evidence < a.rows[i].evidence {
				i = j
			}
		}
		if a.rows[i].at > from && a.rows[i].evidence >= x.evidence {
			return
		}
	}
	a.keys[i], a.rows[i] = host, x
}

// of returns the oddest session to a host after the time from, without evidence where there was none.
func (a *arrivals) of(host uint64, from int64) arrival {
	if i := slices.Index(a.keys, host); i >= 0 && a.rows[i].at > from {
		return a.rows[i]
	}
	return arrival{}
}

// Renumber replaces the IDs of the sources that sessions came from, where another graph takes the place of the one that
// gave them.
func (s *Sources) Renumber(to func(graphbuf.ID) graphbuf.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.arrivals.rows {
		r := &s.arrivals.rows[i]
		r.from = to(r.from)
	}
}

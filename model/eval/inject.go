package eval

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"flb-filter-rgcn/model/simulate"
)

// Inject plants anomalies among real sessions that carry no labels. After the share from of the sessions, about one in
// so many as every says is followed by an anomaly, of one of the three kinds of package simulate with equal chances. It
// is made of names that the log has up to then: a known source at a destination it never used, a known pair with a
// relation it never used, an unseen address at a known destination.
func Inject(sessions []Session, from float64, every int, seed uint64) []Session {
	rng := rand.New(rand.NewPCG(seed, 2))
	var out []Session
	var sources, relations, destinations [][]byte // distinct, in order of first sight
	known := map[string]bool{}
	note := func(kind string, name []byte, list *[][]byte) {
		if k := kind + string(name); !known[k] {
			known[k] = true
			*list = append(*list, name)
		}
	}
	pair := func(s *Session) string { return "p" + string(s.Source) + "\x00" + string(s.Destination) }
	triplet := func(s *Session) string { return pair(s) + "\x00" + string(s.Relation) }
	pick := func(list [][]byte) []byte { return list[rng.IntN(len(list))] }
	start := int(from * float64(len(sessions)))
	for i, s := range sessions {
		out = append(out, s)
		note("s", s.Source, &sources)
		note("r", s.Relation, &relations)
		note("d", s.Destination, &destinations)
		known[pair(&s)], known[triplet(&s)] = true, true
		if i < start || rng.IntN(every) != 0 {
			continue
		}
		a := Session{Event: s.Event} // which is judged, whatever becomes of the session
		a.Time += int64(time.Second)
		const tries = 100 // a log in which every host meets every other has no room for an anomaly
		for range tries {
			like := sessions[rng.IntN(i+1)]
			a.Relation = like.Relation
			switch a.Label = []string{simulate.LabelLateral, simulate.LabelStrangeTool, simulate.LabelNewSource}[rng.IntN(3)]; a.Label {
			case simulate.LabelLateral:
				a.Source, a.Destination = pick(sources), pick(destinations)
			case simulate.LabelStrangeTool:
				a.Source, a.Destination, a.Relation = like.Source, like.Destination, pick(relations)
			case simulate.LabelNewSource:
				a.Source, a.Destination = fmt.Appendf(nil, "10.%d.%d.%d", 200+rng.IntN(50), rng.IntN(256), rng.IntN(256)), pick(destinations)
			}
			if !known[triplet(&a)] && (a.Label == simulate.LabelStrangeTool || !known[pair(&a)]) {
				out = append(out, a)
				known[pair(&a)], known[triplet(&a)] = true, true
				break
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Session) int { return cmp.Compare(a.Time, b.Time) })
	return out
}

package filter

import (
	"slices"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
	"flb-filter-rgcn/plugin/allow"
)

// maxBadLines bounds the lines that a training draws corrupted triplets from: the last of the file, which are usually
// the newest. Each is compared with the names of all hosts.
const maxBadLines = 256

// bad returns the sessions that the list calls bad, for a training to know.
func (a *allowList) bad() (out []model.Bad) {
	names := a.table().Names(allow.Bad, a.now())
	for _, n := range names[max(0, len(names)-maxBadLines):] {
		out = append(out, model.Bad(n))
	}
	return out
}

// leaveOutBad takes out of a snapshot what the list calls bad: a line may be younger than its sessions.
func (a *allowList) leaveOutBad(s *graphbuf.Snapshot) {
	list := a.table()
	if !list.Has(allow.Bad) {
		return
	}
	now := a.now()
	s.Edges = slices.DeleteFunc(s.Edges, func(e graphbuf.Edge) bool {
		return list.Find(allow.Bad, []byte(s.Nodes[e.Source].Name), []byte(s.Relations[e.Relation].Name), []byte(s.Nodes[e.Destination].Name), now) != nil
	})
}

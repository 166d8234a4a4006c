package filter

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/allow"
)

// unanswered are the triplets that had a low score and that nobody has allowed. Models do not learn to expect them until
// they come again after so long a time: what nobody looked into is not taken for usual at once, and what stays is. The
// graph has them all the same, and counts them.
type unanswered struct {
	*common
	allow *allowList

	mu    sync.Mutex
	since map[tripletID]int64 // when each first had a low score, unix nanoseconds: see recordPath.alertTime
	full  bool                // that there is no room for more was logged
}

// tripletID names a triplet as long as the graph knows its parts.
type tripletID struct{ source, relation, destination graphbuf.ID }

// maxUnanswered bounds the triplets, at some 100 bytes each. A budget of alerts has some tens a day.
const maxUnanswered = 10_000

// newUnanswered returns nil where all is learned.
func newUnanswered(c *common, allow *allowList) *unanswered {
	if c.cfg.Train.Hold == 0 || c.frozen {
		return nil
	}
	return &unanswered{common: c, allow: allow, since: map[tripletID]int64{}}
}

// add notes the low score that a session, which the graph has just seen, had at a time.
func (u *unanswered) add(ref *graphbuf.Ref, at int64) {
	id, none := tripletID{ref.Source, ref.Relation, ref.Destination}, graphbuf.ID{}
	if u == nil || id.source == none || id.relation == none || id.destination == none {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.since[id]; !ok && len(u.since) < maxUnanswered {
		u.since[id] = at
	}
}

// addNamed notes the low score that a triplet had at a time, unless one is noted, or the graph does not have the triplet.
func (u *unanswered) addNamed(source, relation, destination []byte, at int64) {
	var ref [1]graphbuf.Ref
	u.graph.Look([]graphbuf.Event{{Source: source, Relation: relation, Destination: destination, Time: at}}, ref[:])
	if ref[0].Edge != 0 {
		u.add(&ref[0], at)
	}
}

// among tells which edges of a snapshot are of the triplets that were noted before it, and how many. Those that came again
// after the time of the settings are answered: they stay noted while there is room, or their next low score would hold
// them again. It forgets those that the list allows, and those that are gone. is is nil where there are none.
func (u *unanswered) among(s *graphbuf.Snapshot, noted map[tripletID]int64) (is []bool, n int) {
	if len(noted) == 0 {
		return nil, 0
	}
	list, now := u.allow.table(), u.allow.now()
	is = make([]bool, len(s.Edges))
	kept := make(map[tripletID]bool, len(noted))
	for i, e := range s.Edges {
		source, relation, destination := &s.Nodes[e.Source], &s.Relations[e.Relation], &s.Nodes[e.Destination]
		id := tripletID{source.ID, relation.ID, destination.ID}
		since, ok := noted[id]
		switch {
		case !ok || list.Find(allow.Allowed, []byte(source.Name), []byte(relation.Name), []byte(destination.Name), now) != nil:
		case e.Last-since >= int64(u.cfg.Train.Hold):
			kept[id] = len(noted) < maxUnanswered
		default:
			is[i], kept[id] = true, true
			n++
		}
	}
	u.forget(noted, kept)
	if n == 0 {
		return nil, 0
	}
	return is, n
}

// noted are the triplets so far, and when each first had a low score. It is a copy, so that no record waits while a
// graph is looked through.
func (u *unanswered) noted() map[tripletID]int64 {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return maps.Clone(u.since)
}

// forget drops those of the noted triplets that are not kept, and logs where there is no room for more.
func (u *unanswered) forget(noted map[tripletID]int64, kept map[tripletID]bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for id := range noted {
		if !kept[id] {
			delete(u.since, id)
		}
	}
	full := len(u.since) == maxUnanswered
	if full && !u.full {
		u.logf(LevelWarn, "train.hold: %d triplets with a low score are not learned, and no more than that; with fewer low scores there is room again, see threshold.method", maxUnanswered)
	}
	u.full = full
}

// names are the names of a triplet's parts; known is false where the graph has forgotten one.
func (u *unanswered) names(id tripletID) (names [3]string, known bool) {
	names = [3]string{u.graph.HostName(id.source), u.graph.RelationName(id.relation), u.graph.HostName(id.destination)}
	return names, names[0] != "" && names[1] != "" && names[2] != ""
}

// The form in the state directory: msgpack, a list of [source, relation, destination, time].
const unansweredFields = 4

// AppendBinary appends the triplets by their names.
func (u *unanswered) AppendBinary(out []byte) ([]byte, error) {
	type row struct {
		names [3]string
		since int64
	}
	var rows []row
	for id, since := range u.noted() {
		if names, known := u.names(id); known {
			rows = append(rows, row{names, since})
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return slices.Compare(a.names[:], b.names[:]) })
	out = msgp.AppendArrayHeader(out, uint32(len(rows)))
	for _, r := range rows {
		out = msgp.AppendArrayHeader(out, unansweredFields)
		for _, name := range r.names {
			out = msgp.AppendString(out, name)
		}
		out = msgp.AppendInt64(out, r.since)
	}
	return out, nil
}

// UnmarshalBinary takes up what AppendBinary wrote, as far as the graph, which must be restored before, has it.
func (u *unanswered) UnmarshalBinary(b []byte) error {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return fmt.Errorf("unanswered: %w", err)
	}
	if n > maxUnanswered {
		return fmt.Errorf("unanswered: %d triplets, want at most %d", n, maxUnanswered)
	}
	for i := range n {
		fields, rest, err := msgp.ReadArrayHeaderBytes(b)
		if err == nil && fields != unansweredFields {
			err = fmt.Errorf("%d fields, want %d", fields, unansweredFields)
		}
		var names [3][]byte
		for j := range names {
			if err == nil {
				names[j], rest, err = msgp.ReadStringZC(rest)
			}
		}
		var since int64
		if err == nil {
			since, rest, err = msgp.ReadInt64Bytes(rest)
		}
		if err != nil {
			return fmt.Errorf("unanswered: triplet %d: %w", i, err)
		}
		b = rest
		u.addNamed(names[0], names[1], names[2], since)
	}
	if len(b) > 0 {
		return fmt.Errorf("unanswered: %d bytes too many", len(b))
	}
	return nil
}

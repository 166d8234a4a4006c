package allow

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"flb-filter-rgcn/plugin/hostname"
)

// Naming is the form of the names that are looked up.
type Naming struct {
	// The number of values that are joined to a source, a destination, a relation.
	Source, Destination, Relation int
	// How names of hosts are written. Parts of a joined name keep their case: one may be a user.
	Form hostname.Form
}

// maxParts is the largest number of parts of a name.
const maxParts = 8

// Table is a list in the form in which it is looked up. It does not change, and is safe for many goroutines.
type Table struct {
	lines  []*Line
	naming Naming
	roots  [verdicts]*node // nil: there is no such line
}

// node is a place in a tree whose levels are the parts of source, destination and relation. Only paths that the list
// has are there, so that a look-up takes as many steps as lines may match, not as many as there are.
type node struct {
	exact    map[string]*node
	networks []networks // the longest prefixes first
	any      *node
	lines    []*Line // where the path ends; in the order of the file
}

// networks are those of one length of their prefixes, of one family.
type networks struct {
	bits int
	of4  bool
	to   map[netip.Addr]*node // by the first address
}

// Lines returns all lines, in the order of the file.
func (t *Table) Lines() []*Line { return t.lines }

// Has reports whether the list has lines with the verdict.
func (t *Table) Has(v Verdict) bool { return t != nil && t.roots[v] != nil }

// query is one look-up. Parts that are nil are matched by * alone.
type query struct {
	parts [3 * maxParts][]byte
	loose uint32 // a bit for each that is a whole name, of which any part may be the one that is looked for
	n     int
	at    int64
}

// Find returns the line of a verdict that matches a session at a time in unix nanoseconds, nil if none does. If several
// match, the most specific one counts: by source first, then destination, then relation. It does not allocate.
func (t *Table) Find(v Verdict, source, relation, destination []byte, at int64) *Line {
	if !t.Has(v) {
		return nil
	}
	q := query{at: at}
	q.add(source, t.naming.Source, v)
	q.add(destination, t.naming.Destination, v)
	q.add(relation, t.naming.Relation, v)
	return t.roots[v].find(&q, 0)
}

// add appends the parts of a name, as many as it is joined of. A name of another number of parts, such as one that an
// earlier release kept with a user "a|b", has none that could be told apart: no line allows it by one of them, and any of
// them may be one that a line calls bad.
func (q *query) add(name []byte, parts int, v Verdict) {
	first := q.n
	q.n += parts
	if parts == 1 {
		q.parts[first] = name
		return
	}
	differs := bytes.Count(name, separator) != parts-1
	if differs && v != Bad {
		return
	}
	for i := first; i < q.n; i++ {
		if differs {
			q.parts[i] = name
			q.loose |= 1 << i
			continue
		}
		q.parts[i], name, _ = bytes.Cut(name, separator)
	}
}

var separator = []byte("|")

func (n *node) find(q *query, i int) *Line {
	if i == q.n {
		for _, l := range n.lines {
			if l.holds(q.at) {
				return l
			}
		}
		return nil
	}
	if part := q.parts[i]; q.loose&(1<<i) != 0 {
		for more := true; more; {
			var one []byte
			one, part, more = bytes.Cut(part, separator)
			if l := n.findPart(q, i, one); l != nil {
				return l
			}
		}
	} else if part != nil {
		if l := n.findPart(q, i, part); l != nil {
			return l
		}
	}
	if n.any != nil {
		return n.any.find(q, i+1)
	}
	return nil
}

func (n *node) findPart(q *query, i int, part []byte) *Line {
	if next := n.exact[string(part)]; next != nil {
		if l := next.find(q, i+1); l != nil {
			return l
		}
	}
	if len(n.networks) > 0 {
		return n.findNetwork(q, i, part)
	}
	return nil
}

func (n *node) findNetwork(q *query, i int, part []byte) *Line {
	addr, ok := hostname.Address(part)
	if !ok {
		return nil
	}
	for j := range n.networks {
		of := &n.networks[j]
		if of.of4 != addr.Is4() {
			continue
		}
		p, err := addr.Prefix(of.bits)
		if err != nil {
			continue
		}
		if next := of.to[p.Addr()]; next != nil {
			if l := next.find(q, i+1); l != nil {
				return l
			}
		}
	}
	return nil
}

// add puts a line, whose names are normalised, into the tree.
func (t *Table) add(l *Line) {
	t.lines = append(t.lines, l)
	if t.roots[l.Verdict] == nil {
		t.roots[l.Verdict] = new(node)
	}
	n := t.roots[l.Verdict]
	for _, field := range []struct {
		pattern string
		parts   int
		host    bool
	}{{l.Source, t.naming.Source, true}, {l.Destination, t.naming.Destination, true}, {l.Relation, t.naming.Relation, false}} {
		parts := []string{field.pattern}
		if field.parts > 1 {
			if parts = strings.Split(field.pattern, "|"); field.pattern == anything {
				parts = slices.Repeat(parts, field.parts)
			}
		}
		for _, part := range parts {
			n = n.child(part, field.host)
		}
	}
	n.lines = append(n.lines, l)
}

// child returns the next node for a part of a pattern, made if it is not there.
func (n *node) child(part string, host bool) *node {
	if part == anything {
		if n.any == nil {
			n.any = new(node)
		}
		return n.any
	}
	if p, ok := network(part); ok && host {
		return n.network(p)
	}
	next := n.exact[part]
	if next == nil {
		if n.exact == nil {
			n.exact = map[string]*node{}
		}
		next = new(node)
		n.exact[part] = next
	}
	return next
}

func (n *node) network(p netip.Prefix) *node {
	of4 := p.Addr().Is4()
	i := slices.IndexFunc(n.networks, func(of networks) bool { return of.bits == p.Bits() && of.of4 == of4 })
	if i < 0 {
		if i = slices.IndexFunc(n.networks, func(of networks) bool { return of.bits < p.Bits() }); i < 0 {
			i = len(n.networks)
		}
		n.networks = slices.Insert(n.networks, i, networks{p.Bits(), of4, map[netip.Addr]*node{}})
	}
	to := n.networks[i].to
	if to[p.Addr()] == nil {
		to[p.Addr()] = new(node)
	}
	return to[p.Addr()]
}

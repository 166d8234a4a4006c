// Package triplet finds the source, the relation and the destination of a session among a
// record's values, as the settings say. It knows fields and sshd's messages, not bytes of
// chunks and no graph.
package triplet

import (
	"os"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/sshd"
)

// Finder is safe for many goroutines, each with Names of its own.
type Finder struct {
	sshd      bool
	join      [3]int // how many values make a source, a destination, a relation
	values    int    // all of them
	localhost []byte // what a line of sshd that names no host was logged on
}

// Names are those of one session. They point into the record's values or into scratch, and
// hold until the next Find.
type Names struct {
	Source, Relation, Destination []byte

	scratch [3][]byte // joined names
}

// Forget lets go of what the names point to.
func (n *Names) Forget() { n.Source, n.Relation, n.Destination = nil, nil, nil }

// New returns a finder and adds to spec the fields that it reads; they come first among a
// record's values.
func New(fields config.Fields, spec *record.Spec) *Finder {
	f := &Finder{sshd: fields.SSHD}
	var wanted [][]string
	if f.sshd {
		wanted = [][]string{fields.Message, fields.Host, fields.Ident}
		name, err := os.Hostname()
		if err != nil {
			name = "localhost"
		}
		f.localhost = []byte(name)
	} else {
		for i, field := range [][][]string{fields.Source, fields.Destination, fields.Relation} {
			f.join[i] = len(field)
			wanted = append(wanted, field...)
		}
	}
	f.values = len(wanted)
	spec.Fields = append(wanted, spec.Fields...)
	spec.Time = fields.Time
	return f
}

// Values is how many of a record's values are the finder's own.
func (f *Finder) Values() int { return f.values }

// unset is what Zeek writes for a field without a value. As a relation it stands for any
// record that has none, so that Zeek's JSON, which leaves such fields out, and its TSV
// give the same graph.
var unset = []byte("-")

// Find sets the names; it is not ok for a record without a source or a destination.
func (f *Finder) Find(n *Names, values [][]byte) (ok bool) {
	if f.sshd {
		if values[0] == nil {
			return false
		}
		s, ok := sshd.Parse(values[0], values[2], values[1])
		n.Source, n.Relation, n.Destination = s.Peer, s.Relation, s.Host
		if len(n.Destination) == 0 {
			n.Destination = f.localhost
		}
		return ok
	}
	var found [3]bool
	for i, name := range []*[]byte{&n.Source, &n.Destination, &n.Relation} {
		*name, found[i] = joined(&n.scratch[i], values[:f.join[i]])
		values = values[f.join[i]:]
	}
	if !found[2] {
		n.Relation = unset
	}
	return found[0] && found[1]
}

// joined returns the values with "|" between them, in buf unless there is only one. It is
// not ok when none has content; a part without is unset.
func joined(buf *[]byte, values [][]byte) (name []byte, ok bool) {
	if len(values) == 1 {
		return values[0], has(values[0])
	}
	b := (*buf)[:0]
	for i, v := range values {
		if i > 0 {
			b = append(b, '|')
		}
		if !has(v) {
			v = unset
		} else {
			ok = true
		}
		b = append(b, v...)
	}
	*buf = b
	return b, ok
}

func has(v []byte) bool { return len(v) > 0 && string(v) != string(unset) }

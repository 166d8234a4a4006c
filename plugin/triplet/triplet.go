// Package triplet finds the source, the relation and the destination of a session among a
// record's values, as the settings say. It knows fields and sshd's messages, not bytes of
// chunks and no graph.
package triplet

import (
	"os"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/sshd"
)

// Finder is safe for many goroutines, each with Room of its own.
type Finder struct {
	sshd      bool
	join      [3]int // how many values make a source, a destination, a relation
	values    int    // all of them
	localhost []byte // what a line of sshd that names no host was logged on
}

// Room is for the names of one session that are made of several values. It is kept and used again, so a name in it is as the
// graph would keep it: at most graphbuf.MaxName bytes, whatever a sender writes.
type Room [3][]byte

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

// Find returns the names of a session; it is not ok for a record without a source or a destination. They point into
// the record's values or into the room, and hold until that is used again.
func (f *Finder) Find(room *Room, values [][]byte) (source, relation, destination []byte, ok bool) {
	if f.sshd {
		if values[0] == nil {
			return nil, nil, nil, false
		}
		s, ok := sshd.Parse(values[0], values[2], values[1])
		if len(s.Host) == 0 {
			s.Host = f.localhost
		}
		return s.Peer, s.Relation, s.Host, ok
	}
	sources, destinations := f.join[0], f.join[0]+f.join[1]
	source, ok = joined(&room[0], values[:sources])
	destination, met := joined(&room[1], values[sources:destinations])
	relation, named := joined(&room[2], values[destinations:f.values])
	if !named {
		relation = unset
	}
	return source, relation, destination, ok && met
}

// maxParts is how many values may make one name. A list of fields is shorter.
const maxParts = 16

// joined returns the values with "|" between them, in buf unless there is only one. It is
// not ok when none has content; a part without is unset.
func joined(buf *[]byte, values [][]byte) (name []byte, ok bool) {
	if len(values) == 1 {
		return values[0], has(values[0])
	}
	var pieces [2 * maxParts][]byte
	n := 0
	for i, v := range values {
		if i > 0 {
			pieces[n] = bar
			n++
		}
		if !has(v) {
			v = unset
		} else {
			ok = true
		}
		pieces[n] = v
		n++
	}
	*buf = graphbuf.AppendName((*buf)[:0], pieces[:n]...)
	return *buf, ok
}

// bar stands between the parts of a name.
var bar = []byte("|")

func has(v []byte) bool { return len(v) > 0 && string(v) != string(unset) }

// Package triplet finds the source, the relation and the destination of a session among a
// record's values, as the settings say. It knows fields, sshd's messages and rows of Zeek's
// logs, not bytes of chunks and no graph.
package triplet

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/allow"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/hostname"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/sshd"
	"flb-filter-rgcn/plugin/zeek"
)

// Finder is safe for many goroutines, each with a Buffer of its own.
type Finder struct {
	sshd       bool
	join       [3]int     // how many values make a source, a destination, a relation
	wanted     [][]string // the paths of all values, a list of alternatives each
	line       int        // the value that may be a row of Zeek's log, -1: none
	time       []string   // the columns of its time
	conditions []condition
	booleans   []int // values that are Zeek's booleans, whether or not a parser says so
	form       hostname.Form
	localhost  []byte // what a line of sshd that names no host was logged on
}

// condition is a setting's, with the place of its value.
type condition struct {
	value int
	not   bool
	texts []string
}

// Buffer is memory for the names made of one record's values. It is used again for the next record, so a name in it is
// kept as the graph would: at most graphbuf.MaxName bytes, whatever a sender writes.
type Buffer struct {
	source, destination, relation []byte
	parts                         []byte       // of a name that is made of several values
	cells                         []zeek.Value // of a row
	row                           [][]byte     // its values
	text                          []byte       // those that are not written as in the row
	unread                        unread       // of a row that is Unread
}

// unread is a time of a row that could not be read. Another header may have come since, so the layout is kept with it.
type unread struct {
	layout *layout
	place  int
}

// Session is what a record tells of one session. Its names point into the record's values or
// into the b, and hold until that is used again.
type Session struct {
	Source, Relation, Destination []byte
	Time                          int64 // nanoseconds since the epoch; 0: the record's own
	Unread                        bool  // a row has no time, though a column for it has a value: see UnreadTime
	Parts                         Parts
}

// Parts are the values of source, destination and relation that a record has, a bit each, in the order of their fields.
type Parts uint64

// Verdict tells whether a record has a session.
type Verdict uint8

// The verdicts.
const (
	Found   Verdict = iota
	Missing         // it lacks a source or a destination
	Skipped         // the settings' conditions leave it out, or it is a line of a header
)

// New returns a finder and adds to spec the fields that it reads; they come first among a
// record's values.
func New(fields config.Fields, spec *record.Spec) (*Finder, error) {
	f := &Finder{sshd: fields.SSHD, line: -1, time: fields.Time}
	f.form = HostForm(fields)
	if f.sshd {
		f.wanted = [][]string{fields.Message, fields.Host, fields.Ident}
		name, err := os.Hostname()
		if err != nil {
			name = "localhost"
		}
		f.localhost = []byte(name)
	} else {
		for i, field := range [][][]string{fields.Source, fields.Destination, fields.Relation} {
			f.join[i] = len(field)
			f.wanted = append(f.wanted, field...)
		}
	}
	for _, c := range fields.Only {
		f.conditions = append(f.conditions, condition{len(f.wanted), c.Not, c.Spellings()})
		f.wanted = append(f.wanted, []string{c.Path})
	}
	for v, paths := range f.wanted {
		if slices.ContainsFunc(paths, isBoolean) {
			f.booleans = append(f.booleans, v)
		}
	}
	if len(fields.Line) > 0 {
		f.line = len(f.wanted)
		f.wanted = append(f.wanted, fields.Line)
	}
	paths := make([][]string, len(f.wanted))
	for i := range f.wanted {
		var err error
		if paths[i], err = record.Under(fields.Under, f.wanted[i]); err != nil {
			return nil, err
		}
	}
	spec.Fields = append(paths, spec.Fields...)
	spec.Blank = Blank()
	var err error
	spec.Time, err = record.Under(fields.Under, fields.Time)
	return f, err
}

// isBoolean tells whether a path leads to one of Zeek's booleans.
func isBoolean(path string) bool {
	dotted, err := record.Dotted("", path)
	return err == nil && zeek.IsBool(dotted[strings.LastIndexByte(dotted, '.')+1:])
}

// Naming says what the names look like that Find returns.
func (f *Finder) Naming() allow.Naming {
	return allow.Naming{Source: max(f.join[0], 1), Destination: max(f.join[1], 1), Relation: max(f.join[2], 1), Form: f.form}
}

// all is what a record has that lacks nothing.
func (f *Finder) all() Parts { return 1<<(f.join[0]+f.join[1]+f.join[2]) - 1 }

// Lacking tells which of the fields that make source, destination and relation are not among the parts, "" where none is
// missing.
func (f *Finder) Lacking(parts Parts) string {
	var out []string
	for i := range f.join[0] + f.join[1] + f.join[2] {
		if parts&(1<<i) != 0 {
			continue
		}
		of := "Relation"
		if i < f.join[0] {
			of = "Source"
		} else if i < f.join[0]+f.join[1] {
			of = "Destination"
		}
		out = append(out, fmt.Sprintf("%s (%s)", strconv.Quote(strings.Join(f.wanted[i], " else ")), of))
	}
	return strings.Join(out, ", ")
}

// Values is how many of a record's values are the finder's own.
func (f *Finder) Values() int { return len(f.wanted) }

// What Zeek writes for a field without a value, and for an empty one. As a relation the first stands for
// any record that has none, so that Zeek's JSON, which leaves such fields out, and its TSV give the same graph.
var unset, empty = []byte("-"), []byte("(empty)")

func has(v []byte) bool {
	return len(v) > 0 && string(v) != string(unset) && string(v) != string(empty)
}

// Blank returns the texts, beside the empty one, that stand for no value: of alternatives, another one counts.
func Blank() []string { return []string{string(unset), string(empty)} }

// Find returns the session of a record with these values, of which it may replace some. rows, of this finder, keeps the
// columns of a Zeek log; with nil no rows are read.
func (f *Finder) Find(b *Buffer, rows *Rows, values [][]byte) (Session, Verdict) {
	if f.sshd {
		if !f.fulfilled(values) {
			return Session{}, Skipped
		}
		return f.message(b, values)
	}
	s, verdict := f.session(b, values)
	if verdict == Missing && rows.any() && values[f.line] != nil {
		return f.row(b, rows, values[f.line])
	}
	return s, verdict
}

// fulfilled tells whether the values are what the conditions want.
func (f *Finder) fulfilled(values [][]byte) bool {
	for i := range f.conditions {
		c := &f.conditions[i]
		is := false
		for _, t := range c.texts {
			is = is || string(values[c.value]) == t
		}
		if is == c.not {
			return false
		}
	}
	return true
}

// message reads a line of sshd.
func (f *Finder) message(b *Buffer, values [][]byte) (Session, Verdict) {
	if values[0] == nil {
		return Session{}, Missing
	}
	m, ok := sshd.Parse(values[0], values[2], values[1])
	if !ok {
		return Session{}, Missing
	}
	if len(m.Host) == 0 {
		m.Host = f.localhost
	}
	s := Session{Relation: m.Relation, Parts: f.all()}
	s.Source = f.host(&b.source, m.Peer)
	s.Destination = f.host(&b.destination, m.Host)
	if at, ok := record.ParseTime(m.Time); ok {
		s.Time = at
	}
	return s, Found
}

// session makes the names of a record that has them in fields of its own.
func (f *Finder) session(b *Buffer, values [][]byte) (s Session, v Verdict) {
	sources, destinations := f.join[0], f.join[0]+f.join[1]
	all := destinations + f.join[2]
	for _, i := range f.booleans {
		// A parser that knows no types gives what the row has. It is the same session as in Zeek's JSON.
		if is, ok := zeek.ParseBool(values[i]); ok {
			values[i] = truth(is)
		}
	}
	from, to, relation := values[:sources], values[sources:destinations], values[destinations:all]
	if !f.fulfilled(values) {
		// A row of a log has its values in one text, which Find looks at when the fields are missing.
		if f.line >= 0 && values[f.line] != nil && !anyHas(from) && !anyHas(to) {
			return s, Missing
		}
		return s, Skipped
	}
	if !anyHas(from) || !anyHas(to) {
		return s, Missing
	}
	for i, v := range values[:all] {
		if has(v) {
			s.Parts |= 1 << i
		}
	}
	s.Source, s.Destination = f.names(b, &b.source, from), f.names(b, &b.destination, to)
	switch {
	case !anyHas(relation):
		s.Relation = unset
	case len(relation) == 1:
		s.Relation = kept(&b.relation, relation[0])
	default:
		s.Relation = b.joined(&b.relation, relation, nil)
	}
	return s, Found
}

func anyHas(values [][]byte) bool {
	for _, v := range values {
		if has(v) {
			return true
		}
	}
	return false
}

// kept returns a name in the form in which the graph keeps it, written to buf where that is another: lists, rules and
// pages name it so as well.
func kept(buf *[]byte, name []byte) []byte {
	if len(name) <= graphbuf.MaxName {
		return name
	}
	*buf = graphbuf.AppendName((*buf)[:0], name)
	return *buf
}

// host gives one host its one name, written to buf where it may differ from the record's. A name longer than the graph
// keeps is not a host's.
func (f *Finder) host(buf *[]byte, name []byte) []byte {
	if len(name) > graphbuf.MaxName {
		return kept(buf, name)
	}
	if hostname.IsIPv4(name) {
		return name
	}
	*buf = hostname.Append((*buf)[:0], name, f.form)
	return *buf
}

// names is host for several values with "|" between them. One of the parts may be a user, whose case matters.
func (f *Finder) names(b *Buffer, buf *[]byte, values [][]byte) []byte {
	if len(values) == 1 {
		return f.host(buf, values[0])
	}
	return b.joined(buf, values, &hostname.Form{CutPort: f.form.CutPort})
}

// maxParts is how many values may make one name. A list of fields is shorter.
const maxParts = 16

// joined returns in buf the values with "|" between them, hosts among them in a form unless that is nil; a value
// without content is unset. Whatever a value holds, the name has as many parts as there are values, each in its place: a
// user that somebody makes up hides no address. So a "|" in a value becomes "!", and where the name is too long, its
// longest parts are shortened.
func (b *Buffer) joined(buf *[]byte, values [][]byte, form *hostname.Form) []byte {
	var pieces [2 * maxParts][]byte
	n, length := 0, len(values)-1
	b.parts = b.parts[:0]
	for i, v := range values {
		if i > 0 {
			pieces[n] = bar
			n++
		}
		if !has(v) {
			v = unset
		}
		start := len(b.parts)
		if form != nil && len(v) <= graphbuf.MaxName {
			b.parts = hostname.Append(b.parts, v, *form)
		} else {
			b.parts = graphbuf.AppendName(b.parts, v)
		}
		v = b.parts[start:]
		for i, c := range v {
			if c == bar[0] {
				v[i] = '!'
			}
		}
		pieces[n] = v
		length += len(v)
		n++
	}
	if length > graphbuf.MaxName {
		b.shorten(pieces[:n])
	}
	*buf = graphbuf.AppendName((*buf)[:0], pieces[:n]...)
	return *buf
}

// bar stands between the parts of a name.
var bar = []byte("|")

// shorten has pieces make a name of no more than graphbuf.MaxName bytes: it replaces the longest of them, from a length
// on, by what begins as they do and ends with a hash of all of each.
func (b *Buffer) shorten(pieces [][]byte) {
	const hex = 16
	most, length := graphbuf.MaxName+1, graphbuf.MaxName+1
	for length > graphbuf.MaxName {
		most, length = most-1, 0
		for _, p := range pieces {
			length += min(len(p), most)
		}
	}
	for i, p := range pieces {
		if len(p) <= most {
			continue
		}
		h := uint64(14695981039346656037) // FNV-1a, as in longer names
		for _, c := range p {
			h = (h ^ uint64(c)) * 1099511628211
		}
		start := len(b.parts)
		b.parts = append(b.parts, p[:max(0, most-1-hex)]...)
		b.parts = strconv.AppendUint(append(b.parts, '~'), h|1<<63, 16)
		pieces[i] = b.parts[start:][:most]
	}
}

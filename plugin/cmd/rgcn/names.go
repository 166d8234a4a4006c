package main

import (
	"strconv"
	"time"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/sshd"
)

// scored is an enriched record: the triplet that the filter saw in it, and what it added.
// Its bytes are good until the next record.
type scored struct {
	source, relation, destination []byte
	score                         float64
	low                           bool
	reason                        []byte
	time                          time.Time
}

// scoredReader finds in an enriched record what the filter saw and said.
type scoredReader struct {
	*record.Extractor
	join  [3]int // how many values make a source, a destination, a relation
	sshd  bool
	names [3][]byte
}

func newScoredReader(c config.Fields) (*scoredReader, error) {
	r := &scoredReader{sshd: c.SSHD}
	spec := record.Spec{Time: c.Time}
	if c.SSHD {
		spec.Fields = [][]string{c.Message, c.Host, c.Ident}
	} else {
		for i, field := range [][][]string{c.Source, c.Destination, c.Relation} {
			r.join[i] = len(field)
			spec.Fields = append(spec.Fields, field...)
		}
	}
	spec.Fields = append(spec.Fields, []string{c.Score}, []string{c.LowScore}, []string{"score_reason"})
	var err error
	r.Extractor, err = record.Compile(spec)
	return r, err
}

// unset is what the filter writes for a name without a value.
const unset = "-"

// read is not ok for a record without a score.
func (r *scoredReader) read(e *record.Event) (s scored, ok bool) {
	v := e.Values
	added := v[len(v)-3:]
	if added[0] == nil {
		return s, false
	}
	score, err := strconv.ParseFloat(string(added[0]), 64)
	if err != nil {
		return s, false
	}
	s = scored{score: score, low: string(added[1]) == "true", reason: added[2], time: time.Unix(0, e.Time)}
	if r.sshd {
		session, ok := sshd.Parse(v[0], v[2], v[1])
		s.source, s.relation, s.destination = session.Peer, session.Relation, session.Host
		return s, ok
	}
	for i, name := range []*[]byte{&s.source, &s.destination, &s.relation} {
		*name = join(&r.names[i], v[:r.join[i]])
		v = v[r.join[i]:]
	}
	return s, true
}

// join returns the values with "|" between them, in buf unless there is only one.
func join(buf *[]byte, values [][]byte) []byte {
	if len(values) == 1 && len(values[0]) > 0 {
		return values[0]
	}
	b := (*buf)[:0]
	for i, v := range values {
		if i > 0 {
			b = append(b, '|')
		}
		if len(v) == 0 {
			v = []byte(unset)
		}
		b = append(b, v...)
	}
	if len(b) == 0 {
		b = append(b, unset...)
	}
	*buf = b
	return b
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/eval"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

// source says which records eval reads, and where they have what it wants.
type source struct {
	files   []string
	fields  config.Fields
	columns string // of tab-separated files without a header
}

// sessionRecord is a record that is a session, with the values of the fields that were asked for beside it.
type sessionRecord struct {
	graphbuf.Event
	values []string
}

// records reads the sessions of the source in order of time, each with the values at the given paths, "" for none.
func (v *evaluation) records(ctx context.Context, e *env, src source, paths []string) (out []sessionRecord, err error) {
	in := &input{columns: src.columns, chunkSize: v.run.input.chunkSize, strict: v.run.input.strict}
	if err := in.start(&env{console: e.console, args: src.files}, src.fields); err != nil {
		return nil, err
	}
	var spec record.Spec
	for _, p := range paths {
		spec.Fields = append(spec.Fields, []string{p})
	}
	finder, err := triplet.New(src.fields, &spec)
	if err != nil {
		return nil, err
	}
	x, err := record.Compile(spec)
	if err != nil {
		return nil, err
	}
	w := x.NewWalker()
	var buffer triplet.Buffer
	err = in.each(ctx, func(c chunk) error {
		w.Reset(c.data)
		for w.Next() {
			ev := w.Event()
			if ev.Kind != record.Log {
				continue
			}
			found, verdict := finder.Find(&buffer, nil, ev.Values)
			if verdict != triplet.Found {
				continue
			}
			r := sessionRecord{Event: graphbuf.Event{
				Source: bytes.Clone(found.Source), Relation: bytes.Clone(found.Relation), Destination: bytes.Clone(found.Destination), Time: ev.Time,
			}}
			if found.Time > 0 {
				r.Time = found.Time
			}
			for _, value := range ev.Values[finder.Values():] {
				r.values = append(r.values, string(value))
			}
			out = append(out, r)
		}
		return nil
	})
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("%s: no record has a source and a destination", strings.Join(src.files, ", "))
	}
	slices.SortStableFunc(out, func(a, b sessionRecord) int { return cmp.Compare(a.Time, b.Time) })
	return out, err
}

// labels say which records are attacks, which are benign, and which are left out.
type labels struct{ attack, benign, drop []config.Condition }

// labelField tells attacks apart where no condition does; unlabelled are its values for benign sessions.
const labelField = "label"

var unlabelled = []string{"", "-", "0", "false", "benign", "normal"}

// isUnlabelled tells whether a label is that of a benign session, in whatever letters.
func isUnlabelled(label string) bool {
	return slices.ContainsFunc(unlabelled, func(u string) bool { return strings.EqualFold(u, label) })
}

// sessions reads labelled sessions. Unless none may be, one of them at least is an attack.
func (v *evaluation) sessions(ctx context.Context, e *env, src source, l labels, none bool) (sessions []eval.Session, err error) {
	paths := []string{labelField}
	lists := [][]config.Condition{l.attack, l.benign, l.drop}
	for _, list := range lists {
		for _, c := range list {
			paths = append(paths, c.Path)
		}
	}
	records, err := v.records(ctx, e, src, paths)
	if err != nil {
		return nil, err
	}
	attacks := 0
	for i := range records {
		r := &records[i]
		var holds [3]bool // for each list; an empty list never holds
		next := 1
		for i, list := range lists {
			holds[i] = len(list) > 0
			for _, c := range list {
				holds[i] = holds[i] && slices.Contains(c.Spellings(), r.values[next]) != c.Not
				next++
			}
		}
		attack, benign, drop := holds[0], holds[1], holds[2]
		if drop {
			continue
		}
		s := eval.Session{Event: r.Event}
		if l.attack == nil {
			attack = !isUnlabelled(r.values[0])
		}
		switch {
		case attack:
			if s.Label = r.values[0]; isUnlabelled(s.Label) {
				s.Label = "attack"
			}
			attacks++
		case l.benign != nil && !benign:
			s.Ignored = true
		}
		sessions = append(sessions, s)
	}
	if attacks == 0 && !none {
		return nil, fmt.Errorf("%s: no record is an attack, so there is nothing to find: want a label in the field %q, or -attack-if; -inject plants anomalies",
			strings.Join(src.files, ", "), labelField)
	}
	return sessions, nil
}

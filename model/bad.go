package model

import (
	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/temporal"
)

// Bad is a kind of session that people have called bad: it serves as corrupted triplets while a model trains. A nil
// function takes any name, the others tell which names of hosts and relations belong to it.
type Bad struct {
	Source, Relation, Destination func(name string) bool
}

// maxBadNames bounds the names of one kind that triplets are drawn from: a network may hold most hosts.
const maxBadNames = 1000

// badOf finds the names of a snapshot that bad sessions have.
func badOf(snap *graphbuf.Snapshot, ds *temporal.Dataset, kinds []Bad) (out []temporal.Bad) {
	source := func(row int) string { return snap.Nodes[ds.Sources[row]].Name }
	relation := func(row int) string { return snap.Relations[row].Name }
	destination := func(row int) string { return snap.Nodes[ds.Destinations[row]].Name }
	for _, k := range kinds {
		out = append(out, temporal.Bad{
			Sources:      badRows(k.Source, len(ds.Sources), source),
			Relations:    badRows(k.Relation, len(snap.Relations), relation),
			Destinations: badRows(k.Destination, len(ds.Destinations), destination),
		})
	}
	return out
}

// badRows returns those of n rows whose names belong to a kind, nil where any does. Where none does, the session has a
// name that nobody knows.
func badRows(belongs func(name string) bool, n int, name func(row int) string) (rows []int32) {
	if belongs == nil {
		return nil
	}
	for row := 0; row < n && len(rows) < maxBadNames; row++ {
		if belongs(name(row)) {
			rows = append(rows, int32(row))
		}
	}
	if rows == nil {
		return []int32{-1}
	}
	return rows
}

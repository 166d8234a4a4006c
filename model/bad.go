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

// badOf finds the names of a snapshot that bad sessions have. Where none is known, the session has one that nobody
// knows.
func badOf(snap *graphbuf.Snapshot, ds *temporal.Dataset, kinds []Bad) []temporal.Bad {
	unknown := []int32{-1}
	hosts := func(belongs func(string) bool, rows []int32) (out []int32) {
		if belongs == nil {
			return nil
		}
		for row, node := range rows {
			if len(out) < maxBadNames && belongs(snap.Nodes[node].Name) {
				out = append(out, int32(row))
			}
		}
		if out == nil {
			return unknown
		}
		return out
	}
	relations := func(belongs func(string) bool) (out []int32) {
		if belongs == nil {
			return nil
		}
		for i := range snap.Relations {
			if len(out) < maxBadNames && belongs(snap.Relations[i].Name) {
				out = append(out, int32(i))
			}
		}
		if out == nil {
			return unknown
		}
		return out
	}
	var out []temporal.Bad
	for _, k := range kinds {
		out = append(out, temporal.Bad{
			Sources: hosts(k.Source, ds.Sources), Relations: relations(k.Relation), Destinations: hosts(k.Destination, ds.Destinations),
		})
	}
	return out
}

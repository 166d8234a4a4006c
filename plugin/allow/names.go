package allow

import (
	"strings"

	"flb-filter-rgcn/plugin/hostname"
)

// Names tells of a line whose sessions it is about, name by name. A nil function takes any name.
type Names struct {
	Source, Relation, Destination func(name string) bool
}

// Names returns the names of each line of a verdict that is in force at a time, in unix nanoseconds, in the order of the
// file.
func (t *Table) Names(v Verdict, at int64) (out []Names) {
	if !t.Has(v) {
		return nil
	}
	for _, l := range t.lines {
		if l.Verdict == v && l.holds(at) {
			out = append(out, Names{
				Source:      matcher(l.Source, t.naming.Source, true, v),
				Relation:    matcher(l.Relation, t.naming.Relation, false, v),
				Destination: matcher(l.Destination, t.naming.Destination, true, v),
			})
		}
	}
	return out
}

// matcher returns what tells whether a name fits a pattern of so many parts, as find does in the tree; nil where any
// does.
func matcher(pattern string, parts int, host bool, v Verdict) func(string) bool {
	if pattern == anything {
		return nil
	}
	if parts == 1 {
		return part(pattern, host)
	}
	var each []func(string) bool
	some := false // part is asked for
	for p := range strings.SplitSeq(pattern, "|") {
		fits := part(p, host)
		each, some = append(each, fits), some || fits != nil
	}
	if !some {
		return nil
	}
	return func(name string) bool {
		if strings.Count(name, "|") != len(each)-1 {
			return v == Bad && anyOrder(each, name)
		}
		i := 0
		for p := range strings.SplitSeq(name, "|") {
			if fits := each[i]; fits != nil && !fits(p) {
				return false
			}
			i++
		}
		return true
	}
}

// anyOrder tells whether each that is asked for fits some part of a name, wherever that stands.
func anyOrder(each []func(string) bool, name string) bool {
	for _, fits := range each {
		found := fits == nil
		for p := range strings.SplitSeq(name, "|") {
			found = found || fits(p)
		}
		if !found {
			return false
		}
	}
	return true
}

// part is matcher for one part.
func part(pattern string, host bool) func(string) bool {
	if pattern == anything {
		return nil
	}
	if p, ok := network(pattern); ok && host {
		return func(name string) bool {
			addr, ok := hostname.Address([]byte(name))
			return ok && p.Contains(addr)
		}
	}
	return func(name string) bool { return name == pattern }
}

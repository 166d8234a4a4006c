package simulate

import (
	"strings"
	"testing"
)

type (
	pair    struct{ src, dst string }
	triplet struct{ src, client, dst string }
)

func (s Session) pair() pair       { return pair{s.Source, s.Destination} }
func (s Session) triplet() triplet { return triplet{s.Source, s.Client, s.Destination} }

func (c Config) dayOf(s Session) int { return int(s.Time.Sub(c.Start).Hours() / 24) }

func generate(t testing.TB, c Config) []Session {
	t.Helper()
	var all []Session
	if err := Generate(c, func(s *Session) bool { all = append(all, *s); return true }); err != nil {
		t.Fatal(err)
	}
	return all
}

func with(change func(*Config)) Config {
	c := Default()
	change(&c)
	return c
}

func only(all []Session, keep func(Session) bool) (kept []Session) {
	for _, s := range all {
		if keep(s) {
			kept = append(kept, s)
		}
	}
	return kept
}

func benign(s Session) bool { return s.Label == "" }
func attack(s Session) bool { return s.Label != "" }

// distinct counts the distinct keys of sessions.
func distinct[K comparable](all []Session, key func(Session) K) int {
	seen := make(map[K]bool)
	for _, s := range all {
		seen[key(s)] = true
	}
	return len(seen)
}

// prefix24 is an address without its last part.
func prefix24(addr string) string { return addr[:strings.LastIndexByte(addr, '.')] }

// hostsByAddress is the enterprise a configuration stands for.
func hostsByAddress(c Config) map[string]*host {
	hosts := make(map[string]*host)
	for _, h := range newWorld(c, newRand(c.Seed, streamWorld)).hosts {
		hosts[h.addr] = h
	}
	return hosts
}

// named is the configuration of a world.
func named(t testing.TB, name string) Config {
	t.Helper()
	c, err := World(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

package simulate

import (
	"fmt"
	"math/rand/v2"
)

// addresses deals unused addresses of 10.0.0.0/8 from groups of /24 prefixes.
type addresses struct {
	base     int     // the first prefix
	groups   [][]int // unused addresses, as prefix << 8 | last octet
	prefixes int     // prefixes in use
	outside  map[int]bool
	internet map[int]bool
}

// The first prefixes of the enterprise's hosts, and of the runners of its jobs.
const (
	hostBase = 20 << 8  // 10.20.0.0
	jobBase  = 200 << 8 // 10.200.0.0
)

func newAddresses(base, groups int) *addresses {
	return &addresses{base: base, groups: make([][]int, groups), outside: make(map[int]bool), internet: make(map[int]bool)}
}

// reserve adds prefixes to a group until it holds n addresses and as many again,
// so that strangers have where to hide.
func (a *addresses) reserve(group, n int) {
	for len(a.groups[group]) < 2*n {
		for octet := 1; octet < 255; octet++ {
			a.groups[group] = append(a.groups[group], a.prefixes<<8|octet)
		}
		a.prefixes++
	}
}

func (a *addresses) take(r *rand.Rand, group int) string {
	group %= len(a.groups)
	a.reserve(group, 1)
	free := a.groups[group]
	i := r.IntN(len(free))
	v := free[i]
	free[i] = free[len(free)-1]
	a.groups[group] = free[:len(free)-1]
	prefix := v>>8 + a.base
	return fmt.Sprintf("10.%d.%d.%d", prefix>>8, prefix&255, v&255)
}

// takeOutside deals from 172.16.0.0/12, which the enterprise does not use.
func (a *addresses) takeOutside(r *rand.Rand) string {
	for {
		if v := r.IntN(1 << 20); !a.outside[v] {
			a.outside[v] = true
			return fmt.Sprintf("172.%d.%d.%d", 16+v>>16, v>>8&255, v&255)
		}
	}
}

// takeInternet deals from 240.0.0.0/4, which is nobody's: no owner of an address
// shall find it among the scanners.
func (a *addresses) takeInternet(r *rand.Rand) string {
	for {
		if v := r.IntN(1 << 28); !a.internet[v] {
			a.internet[v] = true
			return fmt.Sprintf("%d.%d.%d.%d", 240+v>>24, v>>16&255, v>>8&255, v&255)
		}
	}
}

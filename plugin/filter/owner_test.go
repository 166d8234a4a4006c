package filter

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/budget"
)

// ownerDay is a day after learned's sessions, and ownerMinute the first of its sessions.
const (
	ownerDay    = 18_530
	ownerMinute = (ownerDay*86_400 - 1_600_000_000) / 60
)

// settle has a budget know the days before ownerDay, on which a tenth of 300 scores lay below 0.1.
func settle(t *testing.T, b *budget.AlertBudget) {
	t.Helper()
	for day := int64(ownerDay - 5); day < ownerDay; day++ {
		for i := range int64(300) {
			e := graphbuf.Event{Source: fmt.Append(nil, i), Time: (day*86_400 + i*280) * int64(time.Second)}
			b.Record(&e, budget.Spender{}, 0.05+float32(i*7919%300)/600)
		}
	}
	b.Reach(ownerDay * 86_400 * int64(time.Second))
	if !b.Settled() {
		t.Fatal("the budget has not settled")
	}
}

// New addresses of one IPv6 network have one share of the budget and one report, however many they are. Known ones, as of
// a site's own network, count each for itself, and so do new ones of networks apart.
func TestNewAddressesOfANetworkSpendTogether(t *testing.T) {
	for name, c := range map[string]struct {
		address                                      string
		known                                        bool
		leastLow, mostLow, leastReports, mostReports int
	}{
		"new, of one network":   {"2001:db8:1:1::%x", false, 5, 5, 1, 1},
		"new, of many networks": {"2001:db8:1:%x::1", false, 11, 15, 2, 5}, // half, and a quarter for the lowest
		"known, of one network": {"2001:db8:1:1::%x", true, 6, 40, 2, 20},
	} {
		f := offline(t, host())
		if c.known {
			for i := range 25 {
				f.Process(nil, session(i-25, fmt.Sprintf(c.address, i+1), "server-0-1", "client-1"))
			}
		}
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		settle(t, f.judge.alerts)
		settle(t, f.judge.sources.budget)
		low, reports := 0, 0
		for i := range 25 {
			for j := range 4 {
				d := pass(t, f, ownerMinute+4*i+j, fmt.Sprintf(c.address, i+1), fmt.Sprintf("server-%d-%d", j%3, i%4), fmt.Sprint("strange-", i, j))
				if d["low_score"] == true {
					low++
				}
				if d["source_alert"] == true {
					reports++
				}
			}
		}
		if low < c.leastLow || low > c.mostLow || reports < c.leastReports || reports > c.mostReports {
			t.Errorf("%s: %d low scores and %d reports, want %d to %d and %d to %d", name, low, reports, c.leastLow, c.mostLow, c.leastReports, c.mostReports)
		}
	}
}

// What known hosts do with hosts that were put up today has half of the budget, and a quarter for the lowest, as what new
// hosts do: a migration in one night does not silence the rest.
func TestSessionsToNewHostsShareHalf(t *testing.T) {
	for name, c := range map[string]struct {
		destination string
		least, most int
	}{
		"new":   {"fresh-%d-%d", 5, 15},
		"known": {"server-%d-%d", 16, 40},
	} {
		f := offline(t, host())
		f.Process(nil, join(sessions(2000)))
		train(t, f)
		settle(t, f.judge.alerts)
		low := 0
		for i := range 25 {
			for j := range 4 {
				d := pass(t, f, ownerMinute+4*i+j, fmt.Sprintf("host-%d", i), fmt.Sprintf(c.destination, j%3, i%4), fmt.Sprint("strange-", i, j))
				if d["low_score"] == true {
					low++
				}
			}
		}
		if low < c.least || low > c.most {
			t.Errorf("to %s hosts: %d low scores, want %d to %d", name, low, c.least, c.most)
		}
	}
}

// Before the budget has settled all hosts are new, and each counts for itself.
func TestOwnersOfTheFirstDays(t *testing.T) {
	var text ownerText
	b := budget.New(20)
	e := &graphbuf.Event{Source: []byte("2001:db8:1:1::5")}
	if s := ownerOf(e, &graphbuf.Ref{}, b, &text); string(s.Name) != "2001:db8:1:1::5" || !s.New {
		t.Errorf("%+v", s)
	}
	settle(t, b)
	if s := ownerOf(e, &graphbuf.Ref{}, b, &text); string(s.Name) != "2001:db8:1:1::/64" {
		t.Errorf("%s", s.Name)
	}
	// A server of that network which others have used for days is none of its new addresses when it connects itself.
	now := int64(100 * 24 * time.Hour)
	if s := ownerOf(e, &graphbuf.Ref{Time: now, SourceSince: now, HostSince: now - 2*int64(newFor)}, b, &text); string(s.Name) != "2001:db8:1:1::5" || s.New {
		t.Errorf("a server: %+v", s)
	}
	longest := []byte("2001:db88:1111:1111:1111:1111:1111:1111")
	if n := testing.AllocsPerRun(100, func() { ownerOf(&graphbuf.Event{Source: longest}, &graphbuf.Ref{}, b, &text) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if !slices.Equal(longest, []byte("2001:db88:1111:1111:1111:1111:1111:1111")) {
		t.Error("the name changed")
	}
}

package budget

import (
	"fmt"
	"math"
	"regexp"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/ranking"
)

// settled is a budget of 20 that knows some days, and the time at which the next begins, unix seconds.
func settled() (l *AlertBudget, midnight int64) {
	s := newStream(20, 3)
	for range 2 + settledDays {
		s.next(200, 1)
	}
	return s.budget, int64(20_000+s.day) * secondsOfDay
}

// restarted is a budget that goes on where another one was saved, with what is done to its bytes in between.
func restarted(t *testing.T, l *AlertBudget, do func([]byte) []byte) *AlertBudget {
	t.Helper()
	b, err := l.AppendBinary(nil)
	again := New(l.perDay)
	if err == nil {
		err = again.UnmarshalBinary(do(b))
	}
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// One source that goes from host to host with ever lower scores, from midnight on, gets a quarter of the budget, also over
// a restart, and one alert more each time that they have fallen to a tenth. The budget is there for others.
func TestASourceSpendsItsShareAlone(t *testing.T) {
	l, midnight := settled()
	n, alerts := 0, 0
	scan := func(triplets int) {
		for range triplets {
			n++
			e := graphbuf.Event{Source: []byte("noisy"), Destination: fmt.Append(nil, n), Time: (midnight + int64(n)) * 1e9}
			score := 0.01 / float32(n)
			would := l.WouldBeLow(&e, Spender{}, score)
			if low := l.Low(&e, Spender{}, score); low != would {
				t.Fatalf("triplet %d: low is %v, would be %v", n, low, would)
			} else if low {
				alerts++
			}
		}
	}
	scan(3)
	l = restarted(t, l, func(b []byte) []byte { return b })
	scan(1000) // more than a day has room for
	l = restarted(t, l, func(b []byte) []byte { return b })
	scan(100)
	if alerts != 5+2 { // the 51st is below a tenth of the fifth, and the 511th of that one
		t.Errorf("%d alerts of one source, want a quarter of 20 and two", alerts)
	}
	if !l.Low(&graphbuf.Event{Source: []byte("noisy"), Destination: []byte("1"), Time: (midnight + 7200) * 1e9}, Spender{}, 1e-6) {
		t.Error("what was an alert of the day is none the second time")
	}
	others := 0
	for i := range 20 {
		e := graphbuf.Event{Source: fmt.Appendf(nil, "other-%d", i), Time: (midnight + 3600 + int64(i)*3600) * 1e9}
		if l.Low(&e, Spender{}, 0.005) {
			others++
		}
	}
	if others < 15 {
		t.Errorf("%d alerts of others, want at least 15", others)
	}
}

// The days tell of what may be alerts: a host with more low scores than a budget, each day, leaves the rest of the budget
// to others.
func TestTheThresholdLeavesASourceItsShare(t *testing.T) {
	l := New(20)
	noisy, others := 0, 0
	for day := range int64(8) {
		noisy, others = 0, 0
		for i := range int64(1000) {
			e := graphbuf.Event{Destination: fmt.Append(nil, day, i), Time: ((20_000+day)*secondsOfDay + i*80) * 1e9}
			if i%10 == 0 {
				e.Source = []byte("noisy")
				if l.Low(&e, Spender{}, 0.001+float32(i)*1e-7) {
					noisy++
				}
			} else if e.Source = fmt.Append(nil, i%97); l.Low(&e, Spender{}, 0.1+float32(i*7919%1000)*1e-4) {
				others++
			}
		}
	}
	if noisy != 5 || others < 12 || others > 18 {
		t.Errorf("%d alerts of a noisy host and %d of others, want 5 and about 15", noisy, others)
	}
}

// A share is that of whoever the caller names: many sources may have one together.
func TestSpendersOfOneShare(t *testing.T) {
	l, midnight := settled()
	alerts := 0
	for i := range 30 {
		e := graphbuf.Event{Source: fmt.Appendf(nil, "2001:db8::%x", i+1), Time: (midnight + int64(i)) * 1e9}
		if l.Low(&e, Spender{Name: []byte("2001:db8::/64")}, 0.005) {
			alerts++
		}
	}
	if alerts != 5 {
		t.Errorf("%d alerts, want a quarter of 20", alerts)
	}
}

// Strangers have half of a day together, also over a restart, and leave the other half to hosts that are known. In the
// first days all are strangers.
func TestStrangersSpendHalf(t *testing.T) {
	l, midnight := settled()
	alerts := map[bool]int{}
	flood := func(l *AlertBudget, name string, isNew bool, step int64) {
		for i := range int64(20) {
			e := graphbuf.Event{Source: fmt.Append(nil, name, i), Time: (midnight + i*step) * 1e9}
			would := l.WouldBeLow(&e, Spender{New: isNew}, 0.005)
			if low := l.Low(&e, Spender{New: isNew}, 0.005); low != would {
				t.Fatalf("%s%d: low is %v, would be %v", name, i, low, would)
			} else if low {
				alerts[isNew]++
			}
		}
	}
	flood(l, "stranger-", true, 1)
	l = restarted(t, l, func(b []byte) []byte { return b })
	flood(l, "further-", true, 1)
	flood(l, "known-", false, 1)
	if alerts[true] != 10 || alerts[false] < 9 {
		t.Errorf("%d alerts of strangers and %d of others, want 10 and about 10", alerts[true], alerts[false])
	}
	if e := (graphbuf.Event{Source: []byte("stranger-1"), Time: midnight * 1e9}); !l.Low(&e, Spender{New: true}, 1e-6) {
		t.Error("what was an alert of the day is none the second time")
	}
	// What scores lower than all of them, and than the lowest quarter of a usual day, is an alert all the same, but no more
	// than a quarter of the budget is.
	lowest := 0
	for i := range 20 {
		score := 0.006 - float32(i)*0.0002 // the first six are no lower
		e := graphbuf.Event{Source: fmt.Append(nil, "lowest-", i), Time: (midnight + 60 + int64(i)) * 1e9}
		would := l.WouldBeLow(&e, Spender{New: true}, score)
		if low := l.Low(&e, Spender{New: true}, score); low != would || low && score >= 0.005 {
			t.Errorf("%s, %g: low is %v, would be %v; want none from 0.005 on", e.Source, score, low, would)
		} else if low {
			lowest++
		}
		if i == 8 {
			l = restarted(t, l, func(b []byte) []byte { return b })
		}
	}
	if lowest != 5 {
		t.Errorf("%d more alerts of strangers with the lowest scores, want a quarter of 20", lowest)
	}
	clear(alerts)
	first := New(20)
	first.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1})
	first.Reach((midnight - secondsOfDay) * 1e9)
	flood(first, "first-", true, 4000)
	if first.Settled() || alerts[true] < 15 {
		t.Errorf("%d alerts on a first day, settled %v; want 15 at least", alerts[true], first.Settled())
	}
}

// The least share is an alert, and a state of before there were shares is read: its alerts are of no source.
func TestTheLeastShare(t *testing.T) {
	l := New(1)
	if l.share != 1 {
		t.Errorf("%d alerts, want 1", l.share)
	}
	l, midnight := settled()
	event := func(i int) *graphbuf.Event {
		return &graphbuf.Event{Source: []byte("a"), Destination: fmt.Append(nil, i), Time: (midnight + int64(i)) * 1e9}
	}
	l.Low(event(0), Spender{}, 0.005)
	source := regexp.MustCompile(`"Source":[0-9]+,`)
	l = restarted(t, l, func(b []byte) []byte {
		if !source.Match(b) {
			t.Error("no source is saved")
		}
		return source.ReplaceAll(b, nil)
	})
	alerts := 0
	for i := 1; i < 20; i++ {
		if l.Low(event(i), Spender{}, 0.005) {
			alerts++
		}
	}
	if l.today.Alerts != 6 || alerts != 5 {
		t.Errorf("%d alerts, %d of them after the restart, want 6 and 5", l.today.Alerts, alerts)
	}
}

// As many sources have alerts as a day has, and each is found.
func TestSharesOfMany(t *testing.T) {
	d := newToday(1000)
	for i := range uint64(1000) {
		d.record(entry{Key: i + 1, Source: i/2 + 1}, true)
	}
	for i := range uint64(500) {
		if n := d.shares.of(i + 1).alerts; n != 2 {
			t.Fatalf("source %d has %d alerts, want 2", i+1, n)
		}
	}
	if n := d.shares.of(501).alerts; n != 0 {
		t.Errorf("a source without alerts has %d", n)
	}
}

// dayWith has a budget see 200 unusual triplets of hosts that are known, all day, and what others do beside them: of each
// hundredth of the day, so many sessions. It returns how many alerts each had.
func (l *AlertBudget) dayWith(day int64, rng *num.Philox, others int, other func(i int) (graphbuf.Event, Spender, float32)) (ofKnown, ofOthers int) {
	const parts, known = 100, 2
	made := 0
	for part := range int64(parts) {
		at := ((20_000+day)*secondsOfDay + part*secondsOfDay/parts) * 1e9
		for range others {
			e, by, score := other(made)
			made++
			if e.Time = at; l.First(&e, by, score) {
				ofOthers++
			}
		}
		for i := range int64(known) {
			e := graphbuf.Event{Source: fmt.Append(nil, "known-", part*known+i), Relation: fmt.Append(nil, day), Time: at}
			if l.First(&e, Spender{}, 0.5*float32(math.Exp(-4*float64(rng.Float())))) {
				ofKnown++
			}
		}
	}
	return ofKnown, ofOthers
}

// A host with more low scores each day than a day has room for has its share, and the others the rest: their scores are
// kept, and set the threshold, as on a day without it.
func TestANoisyHostSilencesNobody(t *testing.T) {
	for _, noisy := range []int{4, 30} { // of each hundredth of a day
		l, rng := New(20), num.NewPhilox(1, 1)
		for day := range int64(30) {
			known, ofNoisy := l.dayWith(day, rng, noisy, func(i int) (graphbuf.Event, Spender, float32) {
				return graphbuf.Event{Source: []byte("noisy"), Relation: fmt.Append(nil, day, i)}, Spender{}, 1e-6 * (1 + rng.Float())
			})
			if day > settledDays && (known < 12 || known > 18 || ofNoisy != 5) {
				t.Errorf("%d triplets a day of one host, day %d: %d alerts of others and %d of it, want about 15 and 5", 100*noisy, day, known, ofNoisy)
			}
		}
	}
}

// Nor do new sources set the threshold of known hosts, however many there are and whatever they score.
func TestStrangersDoNotSetTheThreshold(t *testing.T) {
	for _, strangers := range []int{2, 20} {
		l, rng := New(20), num.NewPhilox(1, 1)
		for day := range int64(25) {
			n := strangers
			if day < 8 {
				n = 0
			}
			known, ofNew := l.dayWith(day, rng, n, func(i int) (graphbuf.Event, Spender, float32) {
				return graphbuf.Event{Source: fmt.Append(nil, "new-", day, i)}, Spender{New: true}, 1e-4 * (1 + rng.Float())
			})
			if day > 10 && (known < 2 || ofNew < 10 || ofNew > 15) {
				t.Errorf("%d new sources a day, day %d: %d alerts of known hosts and %d of new ones, want 2 at least and 10 to 15", 100*strangers, day, known, ofNew)
			}
		}
	}
}

// What is among the lowest of a day is an alert after the budget is spent, and a scan with many lower scores does not
// change that: only as many of one source count as may be alerts.
func TestTheLowestBesideAScan(t *testing.T) {
	for _, isNew := range []bool{false, true} {
		l, midnight := settled()
		by, at := Spender{New: isNew}, midnight
		for i := range 1000 {
			at++
			l.Low(&graphbuf.Event{Source: []byte("scanner"), Relation: fmt.Append(nil, i), Time: at * 1e9}, by, 1e-6*float32(1+i%7))
		}
		for i := range 30 {
			at++
			l.Low(&graphbuf.Event{Source: fmt.Append(nil, "other-", i), Time: at * 1e9}, by, 0.005)
		}
		if !l.Low(&graphbuf.Event{Source: []byte("intruder"), Time: (at + 60) * 1e9}, by, 1e-4) {
			t.Errorf("new %v: a score below all but those of a scan is no alert, after %d", isNew, l.today.Alerts)
		}
	}
}

// A monitoring host meets new servers at midnight, which nobody minds, and spends its share. An intruder on it in the
// afternoon is an alert all the same, and takes nothing of others.
func TestAnIntruderOnABusyHost(t *testing.T) {
	for _, isNew := range []bool{false, true} {
		l, midnight := settled()
		by := Spender{New: isNew}
		low := func(server string, hour int64, score float32) bool {
			e := graphbuf.Event{Source: []byte("monitor"), Destination: []byte(server), Time: (midnight + hour*3600) * 1e9}
			would := l.WouldBeLow(&e, by, score)
			if low := l.Low(&e, by, score); low != would {
				t.Errorf("%s: low is %v, would be %v", server, low, would)
			}
			return would
		}
		for i := range 8 {
			low(fmt.Sprint("new-", i), 0, 0.006-float32(i)*0.0005)
		}
		l = restarted(t, l, func(b []byte) []byte { return b })
		spent := l.today.Alerts
		if low("a little lower", 14, 0.001) || !low("victim", 14, 4e-5) || !low("victim", 15, 4e-5) || low("another", 16, 3e-5) || !low("a third", 17, 3e-6) {
			t.Errorf("new %v: what is below a tenth of all alerts of the host should be one, and nothing else", isNew)
		}
		if spent != 5 || l.today.Alerts != spent {
			t.Errorf("new %v: %d alerts spent, then %d; want 5", isNew, spent, l.today.Alerts)
		}
	}
}

// A few workstations with new addresses in the morning leave something to the machine that somebody brings in the
// afternoon, and a hundred of them to what scores far lower.
func TestNewAddressesLeaveSomethingToANewcomer(t *testing.T) {
	for addresses, want := range map[int]int{1: 2, 2: 2, 3: 1, 4: 0, 100: 0} {
		l, midnight := settled()
		session := func(source string, i, at int64, score float32) bool {
			e := graphbuf.Event{Source: []byte(source), Destination: fmt.Append(nil, i), Time: (midnight + at) * 1e9}
			return l.Low(&e, Spender{New: true}, score)
		}
		for a := range addresses {
			for i := range int64(9) {
				session(fmt.Sprint("desk-", a), i, 8*3600+i, 0.004)
			}
		}
		alerts := 0
		for i := range int64(4) {
			if session("rogue", i, 14*3600, 0.004) {
				alerts++
			}
		}
		if alerts != want {
			t.Errorf("%d addresses: %d of the newcomer's sessions are alerts, want %d", addresses, alerts, want)
		}
		if !session("worse", 0, 15*3600, 1e-5) {
			t.Errorf("%d addresses: a score far below all others is no alert", addresses)
		}
	}
}

// Of a small budget, too, new sources leave something to known hosts. One alert more is for a score a tenth of that of
// those before it, and takes nothing of theirs.
func TestSmallBudgets(t *testing.T) {
	for perDay, ofNew := range map[float64]int{1: 1 + 1, 2: 1 + 1, 3: 2 + 1, 4: 3 + 1, 10: 7 + 1, 20: 15} {
		s := newStream(perDay, 3)
		for range 2 + settledDays {
			s.next(200, 1)
		}
		midnight, alerts := int64(20_000+s.day)*secondsOfDay, 0
		for i := range int64(100) {
			e := graphbuf.Event{Source: fmt.Append(nil, "new-", i), Time: (midnight + i*40) * 1e9}
			if s.budget.Low(&e, Spender{New: true}, 1e-3/float32(i+1)) {
				alerts++
			}
		}
		if alerts != ofNew {
			t.Errorf("a budget of %v: %d alerts of new sources, want %d", perDay, alerts, ofNew)
		}
		if e := (graphbuf.Event{Source: []byte("known"), Time: (midnight + 40_000) * 1e9}); !s.budget.Low(&e, Spender{}, 1e-6) {
			t.Errorf("a budget of %v: the lowest score of the day, of a known host, is no alert", perDay)
		}
	}
}

// A budget of 0.2 is one alert in five days, not one a day.
func TestTheRateOfSmallBudgets(t *testing.T) {
	for _, perDay := range []float64{0.1, 0.2, 0.5, 1, 2, 5} {
		const seeds, first, days, triplets = 12, 20, 100, 100
		alerts := 0
		for seed := range uint64(seeds) {
			l, rng := New(perDay), num.NewPhilox(seed, 1)
			for day := range int64(first + days) {
				for i := range int64(triplets) {
					e := graphbuf.Event{
						Source: fmt.Append(nil, "host-", i), Relation: []byte("c"), Destination: []byte("d"),
						Time: ((20_000+day)*secondsOfDay + i*secondsOfDay/triplets) * 1e9,
					}
					if l.First(&e, Spender{}, 0.2*rng.Float()) && day >= first {
						alerts++
					}
				}
			}
		}
		if rate := float64(alerts) / (seeds * days); rate < 0.9*perDay || rate > 1.3*perDay {
			t.Errorf("a budget of %v a day: %.3f alerts a day", perDay, rate)
		}
	}
}

// With names that can be chosen, such as those of users, nobody spends the share of another: these two have the same 32
// bits of FNV-1a, which was once the key.
func TestAShareIsItsOwners(t *testing.T) {
	l, midnight := settled()
	for i := range int64(10) {
		l.Low(&graphbuf.Event{Source: []byte("u11z8jcz"), Destination: fmt.Append(nil, i), Time: (midnight + i) * 1e9}, Spender{}, 0.001)
	}
	if e := (graphbuf.Event{Source: []byte("db-admin-laptop"), Time: (midnight + 600) * 1e9}); !l.Low(&e, Spender{}, 1e-6) {
		t.Error("another's share is spent")
	}
}

// What a scan has beyond its share does not fill the day, and yet its records do not take the lock for ever.
func TestAScanIsIgnoredWithoutTheLock(t *testing.T) {
	for name, by := range map[string]Spender{"one source": {}, "many new ones": {New: true}} {
		l, midnight := settled()
		ignored := 0
		for i := range 2000 {
			e := graphbuf.Event{Source: []byte("scanner"), Relation: fmt.Append(nil, i), Time: midnight * 1e9}
			if by.New {
				e.Source = fmt.Append(nil, "scanner-", i)
			}
			if l.Ignores(e.Time, 0.9) {
				ignored++
			}
			l.Low(&e, by, 0.9)
		}
		if ignored < 1500 {
			t.Errorf("%s: %d of 2,000 scores are ignored without the lock", name, ignored)
		}
		if e := (graphbuf.Event{Source: []byte("intruder"), Time: midnight * 1e9}); !l.Low(&e, Spender{New: true}, 1e-6) {
			t.Errorf("%s: a low score is no alert beside it", name)
		}
	}
}

// However far the scores of busy hosts fall, no day has more than two budgets of alerts, also over a restart.
func TestFarBelowKeepsToTwoBudgets(t *testing.T) {
	l, midnight := settled()
	alerts := 0
	for round := range int64(30) {
		for host := range int64(4) {
			score := 0.004 * float32(math.Pow(0.09, float64(max(0, round-5))))
			e := graphbuf.Event{Source: fmt.Append(nil, "host-", host), Destination: fmt.Append(nil, round), Time: (midnight + round*2000 + host) * 1e9}
			would := l.WouldBeLow(&e, Spender{}, score)
			if low := l.Low(&e, Spender{}, score); low != would {
				t.Fatalf("round %d: low is %v, would be %v", round, low, would)
			} else if low {
				alerts++
			}
		}
		l = restarted(t, l, func(b []byte) []byte { return b })
	}
	if alerts < 21 || alerts > 2*20 {
		t.Errorf("%d alerts of a budget of 20, want more than the budget and no more than two", alerts)
	}
	first := New(20) // in its first days it keeps to the share
	first.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1})
	alerts = 0
	for i := range int64(20) {
		e := graphbuf.Event{Source: []byte("host"), Destination: fmt.Append(nil, i), Time: (midnight + 3600*i) * 1e9}
		if first.Low(&e, Spender{}, 0.1*float32(math.Pow(0.09, float64(i)))) {
			alerts++
		}
	}
	if alerts != 5 {
		t.Errorf("%d alerts of one host on a first day, want 5", alerts)
	}
}

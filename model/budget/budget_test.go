package budget

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model/internal/num"
	"flb-filter-rgcn/model/ranking"
)

// stream feeds a budget a day of sessions: usual triplets with high scores, each several
// times, and unusual ones with scores of a long tail, some of which come again.
type stream struct {
	budget *AlertBudget
	rng    *num.Philox
	day    int
}

// next returns the number of different triplets flagged on a day of the given number of
// unusual ones, whose scores are multiplied by shift.
func (s *stream) next(unusual int, shift float64) int {
	flagged := map[string]bool{}
	const usual = 800
	for i := range usual + unusual {
		e := graphbuf.Event{
			Source: fmt.Appendf(nil, "h%d", s.day*100_000+i), Relation: []byte("c"), Destination: []byte("d"),
			// All day, in order.
			Time: (int64(20_000+s.day)*secondsOfDay + int64(i)*secondsOfDay/int64(usual+unusual)) * 1e9,
		}
		score := 0.9 + 0.1*float64(s.rng.Float())
		if s.rng.IntN(usual+unusual) < unusual {
			score = shift * 0.5 * math.Exp(-4*float64(s.rng.Float()))
		}
		for range 1 + s.rng.IntN(3) {
			if s.budget.Low(&e, Spender{}, float32(score)) {
				flagged[string(e.Source)] = true
			}
		}
	}
	s.day++
	return len(flagged)
}

func newStream(perDay float64, seed uint64) *stream {
	return &stream{budget: New(perDay), rng: num.NewPhilox(seed, 1)}
}

func TestTheBudgetIsKept(t *testing.T) {
	for seed := range uint64(3) {
		s := newStream(20, seed)
		for range 1 + settledDays { // the first of them is not known to be a whole one
			s.next(200, 1)
		}
		for day := s.day; day < 30; day++ {
			shift := 1.0
			if day >= 12 { // a new model, whose scores lie elsewhere
				shift = 0.3
			}
			most := 25
			switch {
			case day == 12:
				most = 60
			case day > 12 && day < 12+keptDays: // half of the days that count are still of before
				most = 35
			}
			if n := s.next(200, shift); n < 15 || n > most {
				t.Errorf("seed %d, day %d: %d alerts, want 15 to %d", seed, day, n, most)
			}
		}
	}
}

// Scanners, and then none: the day on which all scores lie above the lowest of the day before is a day like any other.
func TestABudgetAfterAFlood(t *testing.T) {
	l := New(20)
	l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1, Even: 0.2})
	day := func(day, triplets int, lowest, highest float64) (flagged int) {
		for i := range triplets {
			e := graphbuf.Event{Source: fmt.Appendf(nil, "h%d-%d", day, i), Time: (int64(20_000+day)*secondsOfDay + int64(i)*secondsOfDay/int64(triplets)) * 1e9}
			at := float64(uint64(i)*2654435761%uint64(triplets)) / float64(triplets) // each once, in no order
			if l.Low(&e, Spender{}, float32(lowest+(highest-lowest)*at)) {
				flagged++
			}
		}
		return flagged
	}
	for i := range 14 {
		day(i, 2000, 1e-5, 3e-5)
	}
	for i := 14; i < 40; i++ {
		n := day(i, 400, 0.001, 0.4)
		if i >= 14+keptDays && (n < 15 || n > 25) {
			t.Errorf("day %d: %d alerts, want 15 to 25", i, n)
		}
	}
}

// What Low would say can be asked before, at any time of any day, and takes nothing down.
func TestBudgetWouldBeLow(t *testing.T) {
	asked := newStream(20, 6)
	lows := 0
	for day := range 15 {
		for i := range 1000 {
			e := graphbuf.Event{
				Source: fmt.Appendf(nil, "h%d-%d", day, i), Relation: []byte("c"), Destination: []byte("d"),
				Time: (int64(20_000+day)*secondsOfDay + int64(i)*secondsOfDay/1000) * 1e9,
			}
			score := asked.rng.Float() * asked.rng.Float()
			would := asked.budget.WouldBeLow(&e, Spender{}, score)
			if low := asked.budget.Low(&e, Spender{}, score); low != would {
				t.Fatalf("day %d, event %d, score %v: low is %v, would be %v", day, i, score, low, would)
			} else if low {
				lows++
			}
		}
	}
	if lows == 0 {
		t.Error("nothing was low")
	}
	before, err := asked.budget.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		asked.budget.WouldBeLow(&graphbuf.Event{Source: fmt.Appendf(nil, "x%d", i), Time: int64(20_014) * secondsOfDay * 1e9}, Spender{}, 0.001)
	}
	if after, _ := asked.budget.AppendBinary(nil); !bytes.Equal(after, before) {
		t.Error("to ask changed the budget")
	}
}

// A weekend on which little happens moves no threshold, and neither does the day of a scan;
// the scan's day does not hide what scores lower still.
func TestBudgetKeepsItsHeadOnUnusualDays(t *testing.T) {
	s := newStream(20, 4)
	for range 5 {
		s.next(200, 1)
	}
	usual := s.budget.Usual()
	if n := s.next(20, 1); n > 20 {
		t.Errorf("%d alerts among 20 unusual triplets of a weekend", n)
	}
	s.next(20, 1)
	if n := s.next(200, 1); n < 15 || n > 25 {
		t.Errorf("%d alerts on the day after a weekend", n)
	}
	if n := s.next(1500, 1); n < 20 || n > 80 {
		t.Errorf("%d alerts on the day of a scan, want the budget and some", n)
	}
	worst := graphbuf.Event{Source: []byte("worst"), Time: (int64(20_000+s.day)*secondsOfDay - 1) * 1e9}
	if !s.budget.Low(&worst, Spender{}, 1e-6) {
		t.Error("the lowest score of all is no alert, since the budget is spent")
	}
	for range 3 {
		if n := s.next(200, 1); n < 15 || n > 25 {
			t.Errorf("%d alerts on a day after a scan", n)
		}
	}
	if now := s.budget.Usual(); now < usual/2 || now > usual*2 {
		t.Errorf("the threshold went from %v to %v", usual, now)
	}
}

func TestBudgetStartsFromTheHeldOut(t *testing.T) {
	h := ranking.HeldOut{Days: 2}
	for i := range 1000 {
		h.Scores = append(h.Scores, ranking.Weighted{Score: float32(i) / 1000, Weight: 1})
	}
	l := New(20)
	l.Follow(h)
	if got := l.Usual(); math.Abs(float64(got)-0.040) > 0.001 {
		t.Errorf("the threshold is %v, 40 of the scores of two days lie below 0.040", got)
	}
	huge := New(Max + 1)
	huge.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 1}, {Score: 0.6, Weight: 100_000}}, Days: 1})
	if !huge.Low(&graphbuf.Event{Time: 1e18}, Spender{}, 0.55) || huge.Low(&graphbuf.Event{Time: 1e18}, Spender{}, 0.7) {
		t.Error("a budget too large to follow does not take the threshold of the training")
	}
}

// TestBudgetInItsFirstDays: scores of new sources fall as a young graph ages, so that each is the lowest so far. The
// held-out triplets, few and of minutes, say nothing of that. No day takes more than the budget and a part of it, and a
// day that is watched in part takes a part.
func TestBudgetInItsFirstDays(t *testing.T) {
	l := New(20)
	l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.3, Weight: 1}, {Score: 0.6, Weight: 1}, {Score: 0.9, Weight: 1}}, Days: 0.01, Even: 0.2})
	score := float32(0.05)
	for day := range int64(1 + settledDays) {
		from := int64(0)
		if day == 0 {
			from = secondsOfDay / 2
		}
		alerts, early := 0, 0
		for second := from; second < secondsOfDay; second += 30 {
			score *= 0.9995
			e := graphbuf.Event{Source: fmt.Appendf(nil, "%d-%d", day, second), Time: ((20_000+day)*secondsOfDay + second) * 1e9}
			if l.Low(&e, Spender{}, score) {
				alerts++
				if second < from+3600 {
					early++
				}
			}
		}
		most := 25
		if day == 0 {
			most = 15
		}
		if alerts < most-5 || alerts > most || early > 12 {
			t.Errorf("day %d: %d alerts, %d of them in the first hour; want %d to %d, and at most 12", day, alerts, early, most-5, most)
		}
	}
}

func TestBudgetInBytes(t *testing.T) {
	s := newStream(20, 5)
	for range 4 {
		s.next(200, 1)
	}
	half := graphbuf.Event{Source: []byte("again"), Time: (int64(20_000+s.day)*secondsOfDay + 9) * 1e9}
	s.budget.Low(&half, Spender{}, 1e-5)
	b, err := s.budget.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	l := New(20)
	if err := l.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if l.Usual() != s.budget.Usual() || l.today.Alerts != 1 {
		t.Errorf("threshold %v and %d alerts, were %v and 1", l.Usual(), l.today.Alerts, s.budget.Usual())
	}
	if l.Low(&half, Spender{}, 1e-5); l.today.Alerts != 1 {
		t.Error("an alert of before the restart counts twice")
	}
	if l := New(500); l.UnmarshalBinary(b) != nil || len(l.history.past) > 0 {
		t.Error("days kept for a small budget serve a large one")
	}
	if l := New(2); l.UnmarshalBinary(b) != nil || len(l.history.past) != 3 {
		t.Errorf("%d days serve a smaller budget, want 3", len(l.history.past))
	}
	for _, bad := range []string{
		"", "[]", strings.Replace(string(b), `"Scores":[`, `"Scores":[2,`, 1), strings.Replace(string(b), `"Watch":`, `"Watch":-`, 1),
		strings.Replace(string(b), `"Day":`, `"Day":-`, 1), strings.Replace(string(b), `"Since":0`, `"Since":96`, 1),
	} {
		if err := New(20).UnmarshalBinary([]byte(bad)); err == nil {
			t.Errorf("taken: %.60s", bad)
		}
	}
}

// A day that no time has is none that was saved: its end would lie before its beginning.
func TestADayBeyondAllTimes(t *testing.T) {
	s := newStream(20, 5)
	for range 4 {
		s.next(200, 1)
	}
	b, err := s.budget.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	of := func(day int64) []byte {
		return bytes.Replace(b, fmt.Appendf(nil, `"Day":%d`, 20_000+s.day-1), fmt.Appendf(nil, `"Day":%d`, day), 1)
	}
	for _, day := range []int64{lastDay + 1, math.MaxInt64} {
		if err := New(20).UnmarshalBinary(of(day)); err == nil || !strings.Contains(err.Error(), fmt.Sprint("on day ", day)) {
			t.Errorf("day %d: %v", day, err)
		}
	}
	l := New(20)
	if err := l.UnmarshalBinary(of(lastDay)); err != nil {
		t.Fatal(err)
	}
	for i := range 3 * lateScores { // they end the day
		e := graphbuf.Event{Source: fmt.Append(nil, i), Time: (20_000 + int64(i)) * secondsOfDay * 1e9}
		l.Low(&e, Spender{}, 1e-5)
	}
}

// A larger budget goes on with the days of a smaller one as far as these reach; what it leaves, it tells.
func TestALargerBudgetGoesOnWithWhatReachesFarEnough(t *testing.T) {
	s := newStream(20, 5)
	for range 5 {
		s.next(600, 1)
	}
	half := graphbuf.Event{Source: []byte("again"), Time: (int64(20_000+s.day)*secondsOfDay + 9) * 1e9}
	s.budget.Low(&half, Spender{}, 1e-5)
	b, err := s.budget.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		perDay     float64
		kept, left int
	}{{20, 4, 0}, {30, 4, 0}, {40, 4, 0}, {42, 4, 0}, {43, 0, 4}, {500, 0, 4}, {Max + 1, 0, 0}} {
		l := New(c.perDay)
		if err := l.UnmarshalBinary(b); err != nil || len(l.history.past) != c.kept || l.Left() != c.left {
			t.Errorf("a budget of %v keeps %d days and leaves %d, want %d and %d; %v", c.perDay, len(l.history.past), l.Left(), c.kept, c.left, err)
		}
		if c.kept == 0 {
			continue
		}
		if l.Low(&half, Spender{}, 1e-5); l.today.Alerts != 1 || !l.Settled() {
			t.Errorf("a budget of %v: %d alerts, want 1 as before; settled: %v", c.perDay, l.today.Alerts, l.Settled())
		}
		// The last rank that its threshold may ask for is one that all days have.
		for i := range l.history.past {
			if d := &l.history.past[i]; d.rank(mostPace*c.perDay) == d.Scores[len(d.Scores)-1] {
				t.Errorf("a budget of %v: a day of %d scores ends before the rank %v", c.perDay, len(d.Scores), mostPace*c.perDay)
			}
		}
		again, err := l.AppendBinary(nil)
		if err == nil {
			err = New(c.perDay).UnmarshalBinary(again)
		}
		if err != nil {
			t.Error(err)
		}
	}
	empty, _ := New(20).AppendBinary(nil)
	if l := New(500); l.UnmarshalBinary(empty) != nil || l.Left() != 0 {
		t.Errorf("%d days are left of none", l.Left())
	}
}

// A smaller budget keeps the days of a larger one, which have more scores than its own would, over the next restarts too.
func TestASmallerBudgetOutlivesItsNextRestart(t *testing.T) {
	s := newStream(100, 5)
	for range 5 {
		s.next(600, 1)
	}
	b, err := s.budget.AppendBinary(nil)
	for range 3 {
		if err != nil {
			t.Fatal(err)
		}
		l := New(5)
		if err := l.UnmarshalBinary(b); err != nil || len(l.history.past) != 3 || len(l.history.past[0].Scores) <= l.depth {
			t.Fatalf("%d days, %v", len(l.history.past), err)
		}
		b, err = l.AppendBinary(nil)
	}
}

// What is to be encoded is a copy: to make JSON of it takes long, and the budget goes on meanwhile.
func TestBudgetGoesOnWhileItIsEncoded(t *testing.T) {
	s := newStream(20, 5)
	for range keptDays + 2 {
		s.next(200, 1)
	}
	before, err := s.budget.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	kept := s.budget.copied()
	for range keptDays + 1 {
		s.next(200, 0.5)
	}
	if js, err := json.Marshal(kept); err != nil || !bytes.Equal(js, before) {
		t.Errorf("%v; what was kept changed as the budget went on", err)
	}
}

func TestBudgetAllocatesNothing(t *testing.T) {
	s := newStream(20, 6)
	for range 3 {
		s.next(200, 1)
	}
	e := graphbuf.Event{Source: []byte("again"), Time: (int64(20_000+s.day)*secondsOfDay + 9) * 1e9}
	s.budget.Low(&e, Spender{}, 0.5)
	if n := testing.AllocsPerRun(100, func() { s.budget.Low(&e, Spender{}, 0.01); s.budget.Low(&e, Spender{}, 0.99) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBudgetForManyGoroutines(t *testing.T) {
	l := New(20)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 2000 {
				e := graphbuf.Event{Source: fmt.Appendf(nil, "%d-%d", g, i), Time: int64(20_000*secondsOfDay+i*100) * 1e9}
				l.Low(&e, Spender{}, float32(i%97)/97)
				if i%500 == 0 {
					l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 1}}, Days: 1})
					l.AppendBinary(nil)
				}
			}
		})
	}
	wg.Wait()
	if th := l.Threshold(); !(th >= 0 && th <= 1) {
		t.Errorf("threshold %v", th)
	}
}

// TestBudgetForgetsADayThatNeverWas: a clock that jumps a year ahead for a while does not leave the
// budget of that day for all the year.
func TestBudgetForgetsADayThatNeverWas(t *testing.T) {
	s := newStream(20, 5)
	for range 6 {
		s.next(200, 1)
	}
	s.day += 400
	s.next(50, 1)
	s.day -= 401
	for day := range 6 {
		n := s.next(200, 1)
		if day == 0 { // the day on which it came back is half a day
			continue
		}
		if n < 15 || n > 25 {
			t.Errorf("day %d after the jump: %d alerts, want 15 to 25", day, n)
		}
	}
	if want := int64(20_000 + s.day - 6 + 401); s.budget.today.Day != want-1 {
		t.Errorf("the budget is at day %d, want %d: its day never goes back", s.budget.today.Day, want-1)
	}
}

// TestBudgetLearnsNothingOfAnArchive: a log of other scores and of days long past is held to the budget by its own
// days, and what is usual stays what it was.
func TestBudgetLearnsNothingOfAnArchive(t *testing.T) {
	s := newStream(20, 5)
	for range 12 {
		s.next(200, 1)
	}
	usual := s.budget.Usual()
	fresh := newStream(20, 6) // it has seen no score yet, and knows how far the graph got
	fresh.budget.Reach(int64(20_000+s.day) * secondsOfDay * 1e9)
	for range 5 {
		fresh.next(200, 0.1)
	}
	if n := len(fresh.budget.history.past); n != 0 {
		t.Errorf("%d days of an archive are kept", n)
	}
	s.day -= 100
	for day := range 12 {
		if n := s.next(200, 0.1); day > 0 && n > 200 {
			t.Errorf("%d alerts on a day of the archive", n)
		}
	}
	s.day += 88
	if got := s.budget.Usual(); got != usual {
		t.Errorf("the threshold went from %v to %v", usual, got)
	}
	for day := range 3 {
		if n := s.next(200, 1); n < 15 || n > 25 {
			t.Errorf("day %d after the archive: %d alerts, want 15 to 25", day, n)
		}
	}
}

// TestBudgetForgetsNothingForOldScores: what was spent of a day stays spent, however many scores of days long past come
// between those of the day.
func TestBudgetForgetsNothingForOldScores(t *testing.T) {
	for _, old := range []int{0, lateScores - 1, lateScores, lateScores + 6, 500} {
		for _, days := range []int64{1, 300} {
			s := newStream(20, 5)
			for range 6 {
				s.next(200, 1)
			}
			alerts, n := 0, 0
			at := int64(20_000+s.day)*secondsOfDay + secondsOfDay/2
			low := func(second int64) {
				n++
				if s.budget.Low(&graphbuf.Event{Source: fmt.Appendf(nil, "evil%d", n), Time: second * 1e9}, Spender{}, 1e-3) {
					alerts++
				}
			}
			for range 30 {
				for i := range old {
					low(at - (3+days-int64(i)*days/int64(old))*secondsOfDay)
				}
				for range 100 {
					low(at)
				}
				at += 60
			}
			if days > 1 && old > lateScores { // these are a log of its own
				continue
			}
			if alerts < 20 || alerts > 30 { // the budget, and what scores lowest all the same
				t.Errorf("%d old scores of %d days between every 100: %d alerts, want 20 to 30", old, days, alerts)
			}
		}
	}
}

// TestTheIndexIsItsOwn: keys that are made to lie in the first cells by their bits lie anywhere.
func TestTheIndexIsItsOwn(t *testing.T) {
	l := New(1000)
	d := &l.today
	for key := uint64(0); len(d.Entries) < cap(d.Entries); key++ {
		at := d.find(key)
		d.Entries = append(d.Entries, entry{Key: key})
		d.index[at] = int32(len(d.Entries))
	}
	longest, run := 0, 0
	for _, i := range append(d.index, d.index...) {
		if run++; i == 0 {
			run = 0
		}
		longest = max(longest, run)
	}
	if longest > 200 {
		t.Errorf("%d of %d cells in a row are taken", longest, len(d.index))
	}
}

// A model that held nothing out has no low scores, and is no reason to panic.
func TestBudgetOfAModelWithoutHeldOutScores(t *testing.T) {
	l := New(20)
	l.Follow(ranking.HeldOut{})
	if at := l.Usual(); at != 0 {
		t.Errorf("the threshold is %v", at)
	}
}

// TestNoBudgetPaysForTheUsual: where few sessions are likelier made up than true, fewer are flagged than the budget
// has.
func TestNoBudgetPaysForTheUsual(t *testing.T) {
	scores := make([]ranking.Weighted, 1000)
	for i := range scores {
		scores[i] = ranking.Weighted{Score: float32(i+1) / 1000, Weight: 1} // evenly from 0 to 1, as many as on a day
	}
	h := ranking.HeldOut{Scores: scores, Days: 1, Even: 0.2}
	for _, c := range []struct {
		perDay float64
		want   float32
	}{{100, 0.101}, {200, 0.2}, {500, 0.2}} {
		l := New(c.perDay)
		l.Follow(h)
		if got := l.Usual(); math.Abs(float64(got-c.want)) > 1e-6 {
			t.Errorf("of %v a day: threshold %v, want %v", c.perDay, got, c.want)
		}
		e := graphbuf.Event{Source: []byte("s"), Relation: []byte("r"), Destination: []byte("d"), Time: 1000 * secondsOfDay * 1e9}
		if l.Low(&e, Spender{}, 0.21) || l.Ignores(e.Time, 0.001) || !l.Low(&e, Spender{}, 0.001) {
			t.Errorf("of %v a day: wrong alerts", c.perDay)
		}
	}
}

// The first alert of a triplet on a day is told apart, also after a restart. What is only recorded is no alert.
func TestFirstAlertOfADay(t *testing.T) {
	at := func(source string, hour int) *graphbuf.Event {
		return &graphbuf.Event{Source: []byte(source), Time: (1_700_000_000/86_400*86_400 + int64(hour)*3600) * 1e9}
	}
	followed := func() *AlertBudget {
		l := New(4)
		l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1})
		return l
	}
	l := followed()
	l.Record(at("recorded", 9), Spender{}, 0.001)
	if !l.First(at("a", 9), Spender{}, 0.002) || l.First(at("a", 10), Spender{}, 0.001) || !l.Low(at("a", 10), Spender{}, 0.001) {
		t.Error("an alert is not the first once")
	}
	b, err := l.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	l = followed()
	if err := l.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if l.First(at("a", 11), Spender{}, 0.001) {
		t.Error("after a restart the alert is the first once more")
	}
	if !l.First(at("recorded", 11), Spender{}, 0.001) {
		t.Error("what was only recorded was an alert")
	}
	if !l.First(at("a", 24+9), Spender{}, 0.0005) {
		t.Error("the next day does not count anew")
	}
}

// A triplet is one alert of a day, however many of lower scores come after it, also after a restart. A state with more
// alerts than a smaller budget has room for is read.
func TestAFloodLetsNoTripletCountTwice(t *testing.T) {
	at := func(source string, second int) *graphbuf.Event {
		return &graphbuf.Event{Source: []byte(source), Time: (1_700_000_000/86_400*86_400 + int64(second)) * 1e9}
	}
	l := New(20)
	l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1})
	var alerts []string
	for i := range 86_400 {
		if name := fmt.Sprint("early", i); i%4000 == 0 && l.First(at(name, i), Spender{}, 0.1) {
			alerts = append(alerts, name)
		}
		l.Record(at(fmt.Sprint("lower", i), i), Spender{}, 0.09-float32(i)/1e6)
	}
	b, err := l.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	again, small := New(20), New(1)
	if err := errors.Join(again.UnmarshalBinary(b), small.UnmarshalBinary(bytes.ReplaceAll(b, []byte(`"Alert":false`), []byte(`"Alert":true`)))); err != nil {
		t.Fatal(err)
	}
	for name, l := range map[string]*AlertBudget{"": l, "after a restart, ": again} {
		for _, triplet := range alerts {
			if l.First(at(triplet, 86_399), Spender{}, 1e-6) {
				t.Errorf("%s%s is an alert once more", name, triplet)
			}
		}
	}
	if len(alerts) < 10 || len(small.today.Entries) > small.depth {
		t.Errorf("%d alerts; %d entries where there is room for %d", len(alerts), len(small.today.Entries), small.depth)
	}
}

// Scores that fall one after another, each the lowest so far, get no more than two budgets of a day.
func TestFallingScoresKeepToTwoBudgets(t *testing.T) {
	const perDay = 10
	l := New(perDay)
	l.Follow(ranking.HeldOut{Scores: []ranking.Weighted{{Score: 0.5, Weight: 100}}, Days: 1})
	alerts := 0
	for day := range 8 {
		alerts = 0
		start := (1_700_000_000/86_400 + int64(day)) * 86_400
		for i := range 1000 {
			score := 0.1 + float32(i)/2000
			if day == 7 {
				score = 0.09 - float32(i)/20_000
			}
			e := &graphbuf.Event{Source: fmt.Appendf(nil, "%d-%d", day, i), Time: (start + int64(i)*60) * 1e9}
			if l.Low(e, Spender{}, score) {
				alerts++
			}
		}
	}
	if !l.history.settled() || alerts < perDay || alerts > 2*perDay+1 {
		t.Errorf("%d alerts on a day of a budget of %d, settled %v", alerts, perDay, l.history.settled())
	}
}

// Sessions of the evening that come after midnight spend the new day's budget as of now, not as of the day's end.
func TestLateScoresArePacedAsOfNow(t *testing.T) {
	s := newStream(20, 1)
	for range 1 + 2*settledDays {
		s.next(200, 1)
	}
	l := s.budget
	usual := (l.history.scoreAt(1) + l.history.scoreAt(mostPace)) / 2 // low at the end of a quiet day alone
	at := func(day int, h, m int64) int64 { return (int64(20_000+day)*secondsOfDay + h*3600 + m*60) * 1e9 }
	low := func(l *AlertBudget, time int64) bool {
		return l.WouldBeLow(&graphbuf.Event{Source: []byte("a"), Time: time}, Spender{}, usual)
	}
	l.Low(&graphbuf.Event{Source: []byte("first"), Time: at(s.day, 0, 5)}, Spender{}, l.Threshold()/2)
	if low(l, at(s.day, 0, 10)) || !low(l, at(s.day, 23, 55)) {
		t.Fatal("the score tells nothing")
	}
	if low(l, at(s.day-1, 23, 55)) {
		t.Error("a session of the evening before is judged as if the new day were over")
	}
	l.Low(&graphbuf.Event{Source: []byte("last"), Time: at(s.day, 23, 50)}, Spender{}, l.Threshold()/2)
	b, err := l.AppendBinary(nil)
	again := New(20)
	if err == nil {
		err = again.UnmarshalBinary(b)
	}
	if err != nil {
		t.Fatal(err)
	}
	if !low(l, at(s.day-1, 23, 55)) || !low(again, at(s.day-1, 23, 55)) {
		t.Error("it is not judged as of now")
	}
}

// The rate of a score is what the days that are over had of it, once three busy ones are known.
func TestRate(t *testing.T) {
	l := New(20)
	for day := range int64(16) {
		busy, triplets := l.history.settled(), int64(100)
		if day%7 == 6 {
			triplets = 5 // on Sundays, which do not count
		}
		if rate := l.Rate(0.0105); busy && rate != 11 || !busy && !math.IsNaN(rate) {
			t.Errorf("day %d: %v a day with a score of 0.0105 or less, of 11, or NaN while it is not known", day, rate)
		}
		for i := range triplets {
			e := graphbuf.Event{Source: fmt.Append(nil, "host-", i), Time: ((20_000+day)*secondsOfDay + i*600) * 1e9}
			l.Low(&e, Spender{}, 0.001*float32(i))
		}
	}
	for score, want := range map[float32]float64{0: 1, 0.002: 3, 0.0585: 59, 0.07: math.NaN(), 1: math.NaN()} { // three budgets reach to 0.0593
		if rate := l.Rate(score); rate != want && !(math.IsNaN(rate) && math.IsNaN(want)) {
			t.Errorf("%v a day with a score of %v or less, want %v", rate, score, want)
		}
	}
	if n := testing.AllocsPerRun(10, func() { l.Rate(0.01) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

package budget

import (
	"encoding/json"
	"fmt"
	"slices"
)

// encoded is an AlertBudget between runs, as JSON.
type encoded struct {
	Depth int
	Past  []pastDay
	Today today
}

// AppendBinary implements encoding.BinaryAppender. Records wait for a copy to be made, and not for its JSON.
func (l *AlertBudget) AppendBinary(b []byte) ([]byte, error) {
	js, err := json.Marshal(l.copied())
	if err != nil {
		return b, fmt.Errorf("budget: encode alerts: %w", err)
	}
	return append(b, js...), nil
}

// copied is a copy of what is kept, which the budget goes on without.
func (l *AlertBudget) copied() encoded {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := encoded{l.depth, slices.Clone(l.history.past), l.today}
	for i := range out.Past {
		out.Past[i].Scores = slices.Clone(out.Past[i].Scores)
	}
	out.Today.Entries = slices.Clone(out.Today.Entries)
	out.Today.dropGone()
	out.Today.index, out.Today.shares, out.Today.spare = nil, nil, nil
	return out
}

// UnmarshalBinary implements encoding.BinaryUnmarshaler. What was kept for a budget so much smaller that it says too
// little of this one is left: see Left.
func (l *AlertBudget) UnmarshalBinary(b []byte) error {
	fail := func(format string, a ...any) error { return fmt.Errorf("budget: decode alerts: "+format, a...) }
	var in encoded
	if err := json.Unmarshal(b, &in); err != nil {
		return fail("%w", err)
	}
	if in.Depth < 0 || in.Depth > mostDepth || len(in.Past) > keptDays || len(in.Today.Entries) > in.Depth || in.Today.Alerts < 0 || in.Today.Beyond < 0 || in.Today.Day < 0 || in.Today.Day > lastDay {
		return fail("%d days, %d triplets of today for a depth of %d, %d alerts on day %d",
			len(in.Past), len(in.Today.Entries), in.Depth, in.Today.Alerts, in.Today.Day)
	}
	for _, d := range in.Past {
		n := 0
		for _, q := range d.Quarters {
			n += int(q)
		}
		// Days of a larger budget have more than this one's depth.
		if len(d.Scores) > mostDepth || n != len(d.Scores) || !slices.IsSorted(d.Scores) || slices.ContainsFunc(d.Scores, noScore) {
			return fail("a day of %d scores, allowed are up to %d of 0 to 1, ascending, each in a quarter of an hour", len(d.Scores), mostDepth)
		}
	}
	for _, e := range in.Today.Entries {
		if noScore(e.Score) || e.Quarter < 0 || e.Quarter >= quartersOfDay {
			return fail("a score of %v in quarter %d, allowed are 0 to 1 and 0 to %d", e.Score, e.Quarter, quartersOfDay-1)
		}
	}
	if since := in.Today.Since; since < 0 || since >= quartersOfDay {
		return fail("today is watched since quarter %d, allowed are 0 to %d", since, quartersOfDay-1)
	}
	if noScore(in.Today.Watch) || noScore(in.Today.Lowest) {
		return fail("today's limits of %v and %v, allowed are 0 to 1", in.Today.Watch, in.Today.Lowest)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left = 0; !l.follows() {
		return nil
	}
	if !in.reaches(l.perDay) {
		l.left = len(in.Past)
		return nil
	}
	d := &l.today
	l.history.past = in.Past
	d.Day, d.Whole, d.Since, d.Alerts, d.Watch, d.Lowest = in.Today.Day, in.Today.Whole, in.Today.Since, in.Today.Alerts, in.Today.Watch, in.Today.Lowest
	d.latest = d.Since
	l.recompute()
	for _, e := range in.Today.Entries {
		d.latest = max(d.latest, e.Quarter)
		alert := e.Alert
		e.Alert = false
		d.record(e, alert)
	}
	d.Alerts, d.Beyond = in.Today.Alerts, in.Today.Beyond // of some nothing more is known
	l.setGate()
	return nil
}

// reaches tells whether what was kept holds the scores that the threshold of so many alerts a day asks for: a day that
// had more than there was room for has half of that at least.
func (e *encoded) reaches(perDay float64) bool { return float64(e.Depth/2) >= mostPace*perDay }

// Left is how many days UnmarshalBinary left, since they were kept for a smaller budget and say too little of this one.
// The threshold then begins anew.
func (l *AlertBudget) Left() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.left
}

// noScore tells what is not from 0 to 1.
func noScore(x float32) bool { return !(x >= 0 && x <= 1) }

package eval

import (
	"cmp"
	"context"
	"errors"
	"time"

	"flb-filter-rgcn/model"
)

// DaysPlan says which days of a log are judged, and when methods learn: on the filter's schedule.
type DaysPlan struct {
	From        int           // first day judged; 0 is that of the first session
	Every       time.Duration // between two trainings, at least; 0 stands for a day
	MinEdges    int           // distinct triplets before the first training; 0: see model.LeastEdges
	MinNewEdges int           // distinct triplets new since the last one, without which a training waits, for a day at most
}

// Days replays the sessions of a log, which must be in order of time, as the filter would score them, and judges every
// one from a day on. Days begin at the time of day of the first session: where midnight is in a log, nobody knows.
// Methods learn on days that are not judged, too.
func Days(ctx context.Context, sessions []Session, plan DaysPlan, methods []Method, seed uint64) ([]Result, error) {
	if len(sessions) == 0 {
		return nil, errNoSessions
	}
	r, err := newReplay(methods, seed)
	if err != nil {
		return nil, err
	}
	start := sessions[0].Time + int64(plan.From)*int64(Day)
	t := timetable{plan: plan}
	for i := range sessions {
		s := &sessions[i]
		if s.Time < start {
			r.observe(s)
		} else {
			r.begin(int((s.Time - start) / int64(Day)))
			r.judge(s, false)
		}
		if t.due(s.Time, r) {
			err := r.learn(ctx)
			if err != nil && !errors.Is(err, model.ErrTooLittle) { // with more sessions there will be enough
				return nil, err
			}
			t.trained = t.trained || err == nil
		}
	}
	return r.results(), nil
}

// timetable is the filter's schedule of trainings.
type timetable struct {
	plan           DaysPlan
	tried, trained bool
	last           int64 // time of the last try
	newEdges       uint64
}

// due tells whether it is time to learn after a session at t, and takes it that this is done.
func (d *timetable) due(t int64, r *replay) bool {
	st := r.graph.Stats()
	switch {
	case st.Edges < model.LeastEdges(d.plan.MinEdges, st.Lived),
		d.tried && t-d.last < int64(cmp.Or(d.plan.Every, Day)),
		d.trained && st.NewEdges-d.newEdges < uint64(d.plan.MinNewEdges) && t-d.last < int64(Day):
		return false
	}
	d.tried, d.last, d.newEdges = true, t, st.NewEdges
	return true
}

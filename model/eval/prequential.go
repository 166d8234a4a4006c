package eval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"flb-filter-rgcn/graphbuf"
)

// Session is one session with what is known of it.
type Session struct {
	graphbuf.Event
	Label string // "" for benign
	// Ignored sessions are learned from, and judged neither as attacks nor as benign ones.
	Ignored bool
	Note    string // what kind of attack or of benign change it is, where that is known
}

// Result is how a method did.
type Result struct {
	Method                       string
	AUC, AP                      float64
	Recall10, Recall20, Recall40 float64 // of the attacks, in so many alerts a period
	Alerts                       float64 // below the threshold, a period
	Precision                    float64 // attacks among them, NaN where there are none
	Seconds                      float64 // of one training
	Judged                       Judged
}

// Judged is what the figures of a result are of.
type Judged struct {
	Sessions int
	Attacks  int
	Unscored int // that came before the first training, and count as neither usual nor strange
	Periods  int
}

// Problem is why nothing can be learned from figures of such sessions, "" where something can.
func (j Judged) Problem() string {
	switch {
	case j.Sessions == 0:
		return "no session is judged"
	case j.Attacks == 0:
		return fmt.Sprintf("none of the %d sessions that are judged is an attack", j.Sessions)
	case j.Attacks == j.Sessions:
		return fmt.Sprintf("all of the %d sessions that are judged are attacks", j.Sessions)
	case j.Unscored == j.Sessions:
		return fmt.Sprintf("all of the %d sessions that are judged came before the first training", j.Sessions)
	}
	return ""
}

func (j Judged) plus(k Judged) Judged {
	return Judged{j.Sessions + k.Sessions, j.Attacks + k.Attacks, j.Unscored + k.Unscored, j.Periods + k.Periods}
}

// JudgedIn adds up what the runs of several seeds judged.
func JudgedIn(runs [][]Result) (all Judged) {
	for _, r := range runs {
		all = all.plus(r[0].Judged)
	}
	return all
}

// Bounds of the graph that sessions are judged on: everything is kept.
var bounds = graphbuf.Config{MaxNodes: 1 << 22, MaxRelations: 1 << 16, MaxEdges: 1 << 24}

// Day is the length of a day.
const Day = 24 * time.Hour

// Plan says which days are judged, and when methods learn.
type Plan struct {
	From  int           // first day judged; 0 is the day of the first session
	Every time.Duration // between two trainings, the first of them at the start of the first day judged; 0 stands for a day
}

// Prequential replays the sessions, which must be in order of time, and judges them by day, from midnight to midnight
// UTC, each by what was learned from sessions before it. A distinct triplet counts once a day, by its first session.
func Prequential(ctx context.Context, sessions []Session, plan Plan, methods []Method, seed uint64) ([]Result, error) {
	r, err := prequential(ctx, sessions, plan, methods, seed)
	if err != nil {
		return nil, err
	}
	return r.results(), nil
}

func prequential(ctx context.Context, sessions []Session, plan Plan, methods []Method, seed uint64) (*replay, error) {
	r, err := newReplay(methods, seed)
	if err != nil {
		return nil, err
	}
	return r, byDay(ctx, sessions, plan, r)
}

// course is what goes on while sessions are replayed: see replay, which is one.
type course interface {
	observe(s *Session)
	learn(ctx context.Context) error
	begin(period int) bool
	judge(s *Session, once bool)
}

// byDay replays sessions as Prequential says.
func byDay(ctx context.Context, sessions []Session, plan Plan, c course) error {
	if len(sessions) == 0 {
		return errNoSessions
	}
	start := sessions[0].Time - sessions[0].Time%int64(Day) + int64(plan.From)*int64(Day)
	every := int64(cmp.Or(plan.Every, Day))
	trainings := int64(0)
	for i := range sessions {
		s := &sessions[i]
		since := s.Time - start
		if since < 0 {
			c.observe(s)
			continue
		}
		if n := since/every + 1; n != trainings {
			trainings = n
			if err := c.learn(ctx); err != nil {
				return err
			}
		}
		c.begin(int(since / int64(Day)))
		c.judge(s, true)
	}
	return nil
}

// Parts replays the sessions and judges those after the share from of them, in so many
// parts, each by what was learned from all before it. Every session counts: the way for a
// log of a few hours.
func Parts(ctx context.Context, sessions []Session, from float64, parts int, methods []Method, seed uint64) ([]Result, error) {
	if len(sessions) == 0 {
		return nil, errNoSessions
	}
	start := int(from * float64(len(sessions)))
	r, err := newReplay(methods, seed)
	if err != nil {
		return nil, err
	}
	for i := range sessions {
		s := &sessions[i]
		if i < start {
			r.observe(s)
			continue
		}
		if r.begin((i - start) * parts / (len(sessions) - start)) {
			if err := r.learn(ctx); err != nil {
				return nil, err
			}
		}
		r.judge(s, false)
	}
	return r.results(), nil
}

var errNoSessions = errors.New("eval: no sessions")

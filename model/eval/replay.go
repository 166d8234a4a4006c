package eval

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
)

// replay is one pass over labelled sessions.
type replay struct {
	graph     *graphbuf.Graph
	methods   []Method
	judged    []judged
	rng       *rand.Rand
	period    int             // over which alerts and recall are counted; -1 before the first
	seen      map[string]bool // triplets of the period
	trainings int
	ref       [1]graphbuf.Ref
}

// judged is a method at work.
type judged struct {
	score         Score // nil before the first training
	threshold     float64
	periods       [][]Scored
	flagged, hits float64
	unscored      int     // sessions before the first training
	seconds       float64 // of learning
}

func newReplay(methods []Method, seed uint64) (*replay, error) {
	g, err := graphbuf.New(bounds)
	return &replay{
		graph: g, methods: methods, judged: make([]judged, len(methods)),
		rng: rand.New(rand.NewPCG(seed, 0)), period: -1, seen: map[string]bool{},
	}, err
}

// observe has the graph see a session.
func (r *replay) observe(s *Session) { r.graph.Observe([]graphbuf.Event{s.Event}, r.ref[:]) }

// begin begins a period, unless it is the one that runs, and reports whether it did.
func (r *replay) begin(period int) bool {
	if period == r.period {
		return false
	}
	r.period = period
	clear(r.seen)
	for m := range r.judged {
		r.judged[m].periods = append(r.judged[m].periods, nil)
	}
	return true
}

// noScore counts as the score of what came before the first training.
const noScore = 0.5

// judge has the graph see a session of the period, and every method score it. With once, a triplet that was seen
// in the period does not count again.
func (r *replay) judge(s *Session, once bool) {
	r.observe(s)
	if s.Ignored {
		return
	}
	if once {
		key := string(s.Source) + "\x00" + string(s.Relation) + "\x00" + string(s.Destination)
		if r.seen[key] {
			return
		}
		r.seen[key] = true
	}
	tie := r.rng.Uint64()
	for m := range r.judged {
		j := &r.judged[m]
		v, low := noScore, false
		if j.score == nil {
			j.unscored++
		} else {
			v = j.score(r.graph, &s.Event, &r.ref[0])
			low = v < j.threshold
			if of := r.methods[m].Low; of != nil {
				believed := s.Event
				believed.Time = r.ref[0].Time
				low = of(&believed, v)
			}
		}
		last := &j.periods[len(j.periods)-1]
		*last = append(*last, Scored{v, s.Label != "", s.Note, tie})
		if low {
			j.flagged++
			if s.Label != "" {
				j.hits++
			}
		}
	}
}

// learn lets every method learn from all sessions so far. A method that fails keeps the score it had.
func (r *replay) learn(ctx context.Context) error {
	if err := ctx.Err(); err != nil { // some methods learn at once and do not look
		return err
	}
	r.trainings++
	before := r.graph.Snapshot()
	var failed error
	for m := range r.judged {
		j := &r.judged[m]
		began := time.Now()
		score, threshold, err := r.methods[m].Learn(ctx, before)
		j.seconds += time.Since(began).Seconds()
		if err == nil {
			j.score, j.threshold = score, threshold
		} else if failed == nil || errors.Is(failed, model.ErrTooLittle) { // any other error is graver
			failed = fmt.Errorf("eval: %s, training %d: %w", r.methods[m].Name, r.trainings, err)
		}
	}
	return failed
}

func (r *replay) results() (out []Result) {
	for m := range r.judged {
		out = append(out, r.judged[m].result(r.methods[m].Name, r.trainings))
	}
	return out
}

func (j *judged) result(method string, trainings int) Result {
	var all []Scored
	for _, d := range j.periods {
		all = append(all, d...)
	}
	about := Judged{Sessions: len(all), Unscored: j.unscored, Periods: len(j.periods)}
	for i := range all {
		if all[i].Attack {
			about.Attacks++
		}
	}
	res := Result{
		Method: method, Judged: about, AUC: AUC(all), AP: AveragePrecision(all),
		Recall10: RecallAt(j.periods, 10), Recall20: RecallAt(j.periods, 20), Recall40: RecallAt(j.periods, 40),
		Alerts: j.flagged / float64(len(j.periods)), Seconds: j.seconds / float64(max(trainings, 1)),
		Precision: j.hits / j.flagged,
	}
	return res
}

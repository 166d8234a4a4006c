package filter

import (
	"slices"
	"strings"
	"time"
)

// condition returns how the instance is doing and, unless all is well, the problems, for whoever sees no
// score, or would lose what was learned.
func (f *Instance) condition() (state, problem string) {
	state, problem = f.scoring()
	problems := []string{f.arrival.problem(time.Now(), state == StateWaiting), problem, f.allow.problem(), f.store.saving.problem(f.since), f.times.problem()}
	return state, strings.Join(slices.DeleteFunc(problems, func(p string) bool { return p == "" }), "; ")
}

// scoring is condition, as far as scores go.
func (f *Instance) scoring() (state, problem string) {
	if why := f.fit.problem(); why != "" {
		return StateDegraded, why
	}
	if why, ok := f.fit.leftOut(); ok {
		return StateDegraded, why.Line()
	}
	scorer := f.judge.scorer.Load()
	if scorer == nil {
		if text, waits := f.source.firstPull(time.Now()); waits {
			return StateWaiting, "no model yet: " + text + "; until then score is null"
		} else if text != "" {
			return StateWaiting, f.trainer.waiting() + "; " + text
		}
		if why := f.source.problem(); why != "" {
			return StateWaiting, f.trainer.waiting() + "; " + why
		}
		return StateWaiting, f.trainer.waiting()
	}
	if why := scorer.Model().Weak(); why != "" {
		return StateWaiting, "scores are added but none counts as low: " + why
	}
	if why := f.trainer.untrained.Load(); why != nil {
		return StateScoring, "scores go on by the model before: " + *why
	}
	if why := f.follower.problem(time.Now()); why != "" {
		return StateScoring, why
	}
	if why := f.publisher.problem(); why != "" {
		return StateScoring, why
	}
	if why := f.memory.shortGraph.Load(); why != nil {
		return StateScoring, *why
	}
	if why := f.source.problem(); why != "" {
		return StateScoring, why
	}
	if why := f.source.silent(time.Now()); why != "" {
		return StateScoring, why
	}
	return StateScoring, f.otherNaming
}

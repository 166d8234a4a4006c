package filter

import "flb-filter-rgcn/model"

// closed is the last line in the log: what became of the records and, where none has a score, why.
func (f *Instance) closed() string {
	c := f.Counts()
	line := "closed: " + c.String()
	if why := f.unscored(c); why != "" {
		line += "; " + why
	}
	return line
}

// unscored is why no record has a score, "" if one has.
func (f *Instance) unscored(c RecordCounts) string {
	const none = "none has a score: "
	train := f.cfg.Train
	st := f.graph.Stats()
	_, leftOut := f.fit.leftOut()
	switch {
	case c.Scored > 0:
		return ""
	case c.Total == 0 && f.arrival.learned: // a quiet time
		return "no record came"
	case c.Total == 0:
		return "no record came: see that Match fits the tag of an input, or, for a processor, that its input reads something"
	case leftOut:
		return none + "none fulfils the conditions of Only, see the warning above"
	case f.fit.problem() != "" && float64(c.Counted) < fitShare*float64(c.Total-c.Skipped):
		return none + "hardly any has a source and a destination, see the warning above"
	case c.Counted == 0:
		return none + "none has a source and a destination"
	case f.judge.scorer.Load() != nil && f.follower.active:
		return none + "all came before the first published state was taken"
	case f.judge.scorer.Load() != nil:
		return none + "all came before the first training"
	case f.follower.active:
		return none + f.follower.waiting()
	case train.Interval <= 0:
		return none + "train.interval = 0 lets no model be trained"
	case st.Edges < model.LeastEdges(train.MinEdges, st.Lived):
		return none + f.trainer.tooFew(&st)
	}
	if why := f.trainer.untrained.Load(); why != nil {
		return none + *why
	}
	return none + "all came before the first training"
}

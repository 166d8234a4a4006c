package filter

import (
	"fmt"
	"time"
)

// Status is what an Instance is and has done, for people and for metrics.
type Status struct {
	State     string          `json:"state"`             // one of the State constants
	Problem   string          `json:"problem,omitempty"` // in words: why it is degraded or waits, what memory does not allow, what is not saved
	Misfits   []string        `json:"misfits,omitempty"` // why records are not understood, of each tag, 20 of them at most
	Since     time.Time       `json:"since"`             // start of the counts
	Written   time.Time       `json:"written,omitzero"`  // when a state directory got this; zero: it is of now, or of an older version
	Records   RecordCounts    `json:"records"`
	Graph     GraphStatus     `json:"graph"`
	Trainings []TrainingCount `json:"trainings"` // by device and result
	Training  *LastTraining   `json:"last_training"`
	Model     *ModelStatus    `json:"model"` // nil: none yet
	Allow     *AllowStatus    `json:"allow,omitempty"`
	Saving    *SavingStatus   `json:"saving,omitempty"`          // nil: there is no state directory
	Source    *SourceStatus   `json:"source,omitempty"`          // nil: there is none
	Published *FollowStatus   `json:"published_state,omitempty"` // by which this filter scores; nil: it trains for itself
	Publish   *PublishStatus  `json:"publish,omitempty"`         // nil: it publishes nothing
}

// What an instance is doing.
const (
	StateScoring  = "scoring"  // records get scores
	StateWaiting  = "waiting"  // there is no model yet, or it is too weak to tell low scores
	StateDegraded = "degraded" // most records of some tag are not understood
)

// RecordCounts count records since the start.
type RecordCounts struct {
	Total     uint64 `json:"total"`
	Counted   uint64 `json:"counted"` // with a source and a destination: counted in the graph, unless denied, and forwarded with the added fields
	Scored    uint64 `json:"scored"`  // of these with a score: there was a model
	LowScore  uint64 `json:"low_score"`
	Reported  uint64 `json:"source_alerts"`        // with an alert about their source
	Missed    uint64 `json:"source_alerts_missed"` // of bad lines without such an alert: their sources were too many within 24 hours
	Allowed   uint64 `json:"allowed"`              // would have had a low score, but for the list of judged sessions
	Denied    uint64 `json:"denied"`               // of those with a low score: that list calls them bad
	Missing   uint64 `json:"missing"`              // without a source or a destination
	Skipped   uint64 `json:"skipped"`              // left out by the settings' conditions, or lines of a log's header
	Malformed uint64 `json:"malformed"`            // stretches of a chunk that are no records
	WrongTime uint64 `json:"wrong_time"`           // with a time that is not believed, or long past
	Unread    uint64 `json:"unreadable_time"`      // of the counted ones, with a time that cannot be read
}

// String is the counts in words.
func (r RecordCounts) String() string {
	text := fmt.Sprintf("%d records, %d counted, %d scored, %d with a low score, %d without source or destination",
		r.Total, r.Counted, r.Scored, r.LowScore, r.Missing)
	if r.Reported > 0 {
		text += fmt.Sprintf(", %d with an alert about their source", r.Reported)
	}
	if r.Missed > 0 {
		text += fmt.Sprintf(", %d of bad lines without one, as their sources are too many", r.Missed)
	}
	if r.Allowed+r.Denied > 0 {
		text += fmt.Sprintf(", %d allowed, %d denied", r.Allowed, r.Denied)
	}
	if r.Skipped > 0 {
		text += fmt.Sprintf(", %d left out", r.Skipped)
	}
	text += fmt.Sprintf(", %d malformed", r.Malformed)
	if r.Unread > 0 {
		text += fmt.Sprintf(", %d with a time that cannot be read", r.Unread)
	}
	return text
}

// GraphStatus is the size of the graph and what came and went since the start.
type GraphStatus struct {
	Nodes     int    `json:"nodes"`
	Relations int    `json:"relations"`
	Edges     int    `json:"edges"`
	NewEdges  uint64 `json:"new_edges"`
	Evicted   uint64 `json:"evicted_edges"`
}

// ModelStatus is the model in use.
type ModelStatus struct {
	Trained   time.Time `json:"trained"`
	Quality   float64   `json:"held_out_auc"`
	Threshold float64   `json:"threshold"`
}

// Counts returns what became of the records that this very instance had.
func (f *Instance) Counts() RecordCounts {
	c := &f.path.counters
	var missed uint64
	if f.judge.sources != nil {
		missed = f.judge.sources.unreported.Load()
	}
	return RecordCounts{
		Total: c.records.Load(), Counted: c.counted.Load(), Scored: c.scored.Load(), LowScore: c.flagged.Load(), Reported: c.reported.Load(), Missed: missed, Allowed: c.allowed.Load(), Denied: c.denied.Load(),
		Missing: c.missing.Load(), Skipped: c.skipped.Load(), Malformed: c.malformed.Load(), Unread: c.unread.Load(),
	}
}

// Status returns what the instance is and has done. A frozen instance tells what the one
// that wrote its state directory had done by then.
func (f *Instance) Status() Status {
	g := f.graph.Stats()
	s := Status{
		Since:   f.since,
		Records: f.Counts(),
		Graph:   GraphStatus{NewEdges: g.NewEdges, Evicted: g.Evicted},
		Allow:   f.Allow(),
		Saving:  f.store.saving.status(f.since),
		Source:  f.source.report(),

		Published: f.follower.state(),
		Publish:   f.publisher.state(),
	}
	s.Records.WrongTime = f.clock.wrongTimes(&g)
	s.Trainings, s.Training = f.trainer.history.list()
	if f.frozen && f.savedStatus != nil {
		s = *f.savedStatus
	}
	s.Graph.Nodes, s.Graph.Relations, s.Graph.Edges = g.Nodes, g.Relations, g.Edges
	s.Model = nil
	if sc := f.judge.scorer.Load(); sc != nil {
		m := sc.Model()
		s.Model = &ModelStatus{Trained: m.Trained, Quality: m.Quality, Threshold: float64(f.judge.threshold(sc))}
	}
	if !f.frozen || f.savedStatus == nil || s.State == "" { // what was so for the instance that wrote it
		s.State, s.Problem = f.condition()
		_, s.Misfits, _ = f.fit.misfits(time.Now())
	}
	return s
}

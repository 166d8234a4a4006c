package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"flb-filter-rgcn/plugin/elastic"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/version"
)

// collector reads an instance at each scrape: no value is kept twice, and the path of a record knows nothing of
// Prometheus. No label comes from a record.
type collector struct{ f *filter.Instance }

func desc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rgcn_"+name, help, labels, nil)
}

var (
	recordsDesc   = desc("records_total", "Log records that came to the filter.")
	countedDesc   = desc("records_counted_total", "Records with a source and a destination, forwarded with score and low_score.")
	scoredDesc    = desc("records_scored_total", "Of the counted records those with a score; before the first training it is null.")
	skippedDesc   = desc("records_left_out_total", "Records left out by the settings' conditions, or lines of a log's header, forwarded untouched.")
	degradedDesc  = desc("degraded", "1 while hardly any record has a source and a destination, else 0. The log and /healthz say why.")
	lowDesc       = desc("records_low_score_total", "Records forwarded with low_score true.")
	sourceDesc    = desc("source_alerts_total", "Records forwarded with source_alert true: each reports a source, once within 24 hours.")
	missedDesc    = desc("source_alerts_missed_total", "Records that the list of judged sessions calls bad, from sources that were too many within 24 hours to be reported.")
	missingDesc   = desc("records_missing_fields_total", "Records without a source or a destination, forwarded untouched.")
	malformedDesc = desc("records_malformed_total", "Stretches of a chunk that are no records, forwarded untouched.")
	wrongTimeDesc = desc("records_wrong_time_total", "Records with a time that is not believed, or long past; they are scored and counted all the same.")
	unreadDesc    = desc("records_unreadable_time_total", "Records whose time is in a form that is not read; the time that the input gave them counts. The log quotes one.")

	allowedDesc      = desc("records_allowed_total", "Records that would have had a low score, but for the list of judged sessions.")
	deniedDesc       = desc("records_denied_total", "Records that have a low score because the list of judged sessions calls them bad.")
	allowLinesDesc   = desc("allow_lines", "Lines of the list of judged sessions: used made a difference since the start, expired are over.", "state")
	allowProblemDesc = desc("allow_problem", "1 while the list of judged sessions is older than its file, which cannot be read or has a bad line, else 0.")
	// Its labels are what the operator wrote into the file, of at most 100 lines: nothing of a record.
	allowHitsDesc = desc("allow_hits_total", "Records for which a line of the list of judged sessions made a difference, of the 100 lines with the most of them.",
		"source", "relation", "destination", "verdict")

	nodesDesc     = desc("graph_nodes", "Hosts in the graph.")
	relationsDesc = desc("graph_relations", "Distinct relations in the graph.")
	edgesDesc     = desc("graph_edges", "Distinct triplets in the graph.")
	newEdgesDesc  = desc("graph_new_edges_total", "Triplets that were not in the graph when they came.")
	evictedDesc   = desc("graph_evicted_edges_total", "Triplets given up for a bound or for their age.")

	trainingsDesc = desc("trainings_total", "Trainings by device and how they ended: new, kept (the old parameters were better), put_off (too little to learn from), no_memory (put off for want of memory), stopped, failed.", "device", "result")
	durationDesc  = desc("training_duration_seconds", "Time the last training took.")
	lossDesc      = desc("training_loss", "Loss at the end of the last training.")

	qualityDesc   = desc("model_held_out_auc", "AUC of the model in use, over triplets held out of its training against corrupted ones.")
	thresholdDesc = desc("model_threshold", "Scores below it are low.")
	trainedDesc   = desc("model_trained_timestamp_seconds", "When the model in use was trained, Unix time.")
	ageDesc       = desc("model_age_seconds", "Time since the model in use was trained.")

	unsavedDesc = desc("state_unsaved", "1 while what is learned is not saved in state.dir, so that a restart would lose it, else 0; absent without state.dir. /healthz says why.")
	savedDesc   = desc("state_saved_timestamp_seconds", "When graph and model were last saved, Unix time; absent before the first time since the start.")

	pulledDesc        = desc("source_last_pull_timestamp_seconds", "When the graph last took in what other agents saw, Unix time; absent before the first time.")
	pullDurationDesc  = desc("source_pull_duration_seconds", "Time that took.")
	pullsDesc         = desc("source_pulls_total", "How often the graph took in what other agents saw.")
	pullErrorsDesc    = desc("source_errors_total", "Attempts that failed, by kind: unreachable, timeout, busy, partial, refused, no_index, mapping, other.", "kind")
	pullFailingDesc   = desc("source_failing", "1 while graph.source fails and the graph of this agent's own records serves, else 0.")
	pullBucketsDesc   = desc("source_buckets_total", "Buckets read from graph.source: triplets by stretches of time.")
	pullDocumentsDesc = desc("source_documents_total", "Documents that graph.source counted for them.")
	pullAddedDesc     = desc("source_events_added_total", "Events that the graph got from graph.source and that this agent did not see itself.")
	pullBytesDesc     = desc("source_received_bytes_total", "Bytes of answers of graph.source, decompressed.")
	stateTimeDesc     = desc("published_state_timestamp_seconds", "When the published state in use was published, Unix time.")
	stateAgeDesc      = desc("published_state_age_seconds", "Time since the published state in use was published.")
	statePollDesc     = desc("published_state_last_poll_timestamp_seconds", "When the place of published states was last found in order, Unix time.")
	statePollsDesc    = desc("published_state_polls_total", "Looks for a published state by result: taken, unchanged, failed (no server, or no state), refused (forged, damaged, older, too large).", "result")
	stateCarriedDesc  = desc("published_state_carried_edges", "Triplets that this filter had seen after the horizon of the published state when it took it.")

	publicationsDesc    = desc("publications_total", "Attempts to publish a state by result: published, failed.", "result")
	publicationTimeDesc = desc("publication_timestamp_seconds", "When a state was last published, Unix time.")
	publicationSizeDesc = desc("publication_bytes", "Size of the state that was last published.")

	buildDesc = desc("build_info", "Always 1; the labels tell the version of the filter and of Go.", "version", "goversion")

	latencyDesc = desc("filter_duration_seconds", "Time one call of the filter took, with a whole chunk of records.")
)

// Describe implements prometheus.Collector; no description makes it an unchecked one, as there is
// no model at first.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	s := c.f.Status()
	counter := func(d *prometheus.Desc, v uint64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(v), labels...)
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	out <- prometheus.MustNewConstMetric(buildDesc, prometheus.GaugeValue, 1, version.String(), version.Go())
	counter(recordsDesc, s.Records.Total)
	counter(countedDesc, s.Records.Counted)
	counter(scoredDesc, s.Records.Scored)
	counter(skippedDesc, s.Records.Skipped)
	degraded := 0.0
	if s.State == filter.StateDegraded {
		degraded = 1
	}
	gauge(degradedDesc, degraded)
	counter(lowDesc, s.Records.LowScore)
	counter(sourceDesc, s.Records.Reported)
	counter(missingDesc, s.Records.Missing)
	counter(malformedDesc, s.Records.Malformed)
	counter(wrongTimeDesc, s.Records.WrongTime)
	counter(unreadDesc, s.Records.Unread)
	if a := s.Allow; a != nil {
		counter(allowedDesc, s.Records.Allowed)
		counter(deniedDesc, s.Records.Denied)
		counter(missedDesc, s.Records.Missed)
		gauge(allowLinesDesc, float64(a.Used), "used")
		gauge(allowLinesDesc, float64(a.Lines-a.Used), "never_used")
		gauge(allowLinesDesc, float64(a.Expired), "expired")
		problem := 0.0
		if a.Problem != "" {
			problem = 1
		}
		gauge(allowProblemDesc, problem)
		hits := map[[4]string]uint64{} // lines that differ only in their times are one series
		for _, l := range a.TopLines {
			hits[[4]string{l.Source, l.Relation, l.Destination, l.Verdict}] += l.Hits
		}
		for labels, n := range hits {
			counter(allowHitsDesc, n, labels[:]...)
		}
	}
	gauge(nodesDesc, float64(s.Graph.Nodes))
	gauge(relationsDesc, float64(s.Graph.Relations))
	gauge(edgesDesc, float64(s.Graph.Edges))
	counter(newEdgesDesc, s.Graph.NewEdges)
	counter(evictedDesc, s.Graph.Evicted)
	for _, t := range s.Trainings {
		counter(trainingsDesc, t.Count, t.Device, t.Result)
	}
	if t := s.Training; t != nil {
		gauge(durationDesc, t.Seconds)
		gauge(lossDesc, t.Loss)
	}
	if m := s.Model; m != nil {
		gauge(qualityDesc, m.Quality)
		gauge(thresholdDesc, m.Threshold)
		gauge(trainedDesc, unix(m.Trained))
		gauge(ageDesc, time.Since(m.Trained).Seconds())
	}
	if p := s.Saving; p != nil {
		unsaved := 0.0
		if p.Problem != "" {
			unsaved = 1
		}
		gauge(unsavedDesc, unsaved)
		if !p.Last.IsZero() {
			gauge(savedDesc, unix(p.Last))
		}
	}
	if p := s.Source; p != nil {
		if p.LastPull != nil {
			gauge(pulledDesc, float64(p.LastPull.Unix()))
			gauge(pullDurationDesc, p.Seconds)
		}
		counter(pullsDesc, p.Pulls)
		for _, kind := range elastic.Kinds {
			counter(pullErrorsDesc, p.Errors[kind], string(kind))
		}
		failing := 0.0
		if p.Problem != "" {
			failing = 1
		}
		gauge(pullFailingDesc, failing)
		counter(pullBucketsDesc, p.Buckets)
		counter(pullDocumentsDesc, p.Documents)
		counter(pullAddedDesc, p.Added)
		counter(pullBytesDesc, p.Bytes)
	}
	if p := s.Published; p != nil {
		for result, n := range map[string]uint64{"taken": p.Taken, "unchanged": p.Unchanged, "failed": p.Failed, "refused": p.Refused} {
			counter(statePollsDesc, n, result)
		}
		if !p.LastPoll.IsZero() {
			gauge(statePollDesc, unix(p.LastPoll))
		}
		if p.Sequence > 0 {
			gauge(stateTimeDesc, unix(p.Published))
			gauge(stateAgeDesc, p.AgeSeconds)
			gauge(stateCarriedDesc, float64(p.CarriedEdges))
		}
	}
	if p := s.Publish; p != nil {
		counter(publicationsDesc, p.Count, "published")
		counter(publicationsDesc, p.Failed, "failed")
		if p.Count > 0 {
			gauge(publicationTimeDesc, unix(p.Published))
			gauge(publicationSizeDesc, float64(p.Bytes))
		}
	}
	l := c.f.Latency()
	buckets, n := map[float64]uint64{}, uint64(0)
	for i, bound := range filter.LatencyBounds {
		n += l.Counts[i]
		buckets[bound.Seconds()] = n
	}
	n += l.Counts[len(l.Counts)-1]
	out <- prometheus.MustNewConstHistogram(latencyDesc, n, l.Sum.Seconds(), buckets)
}

// unix is a time in seconds of Unix time.
func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1e3 }

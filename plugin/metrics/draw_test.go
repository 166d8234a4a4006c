package metrics

import (
	"fmt"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/report"
)

// Of more sessions with a low score than the page lists, the newest are listed: reports that are older than all of them
// take no place.
func TestThePageListsTheNewest(t *testing.T) {
	now := time.Date(2026, 3, 20, 12, 0, 0, 0, time.UTC)
	at := func(network string, i int, before time.Duration) filter.Session {
		return filter.Session{Source: fmt.Sprintf("%s.%d", network, i%250), Relation: "r", Destination: "b", Score: 0.01, Low: true, Time: now.Add(-before).UnixNano()}
	}
	var w filter.Watched // the newest first
	for i := range report.MaxLows {
		w.Recent = append(w.Recent, at("10.0.0", i, time.Duration(i)*time.Second))
	}
	for i := range report.MaxAlerts + 10 {
		w.Alerts = append(w.Alerts, at("10.1.0", i, time.Duration(i+24)*time.Hour))
	}
	b := report.NewBuilder()
	connectWatched(b, &w)
	d := b.Data()
	if len(d.Lows) != report.MaxLows || len(d.Alerts) != report.MaxAlerts {
		t.Fatalf("%d low scores and %d reports are listed, want %d and %d", len(d.Lows), len(d.Alerts), report.MaxLows, report.MaxAlerts)
	}
	for i, low := range d.Lows {
		if want := w.Recent[i].Time / 1e6; low[2] != want {
			t.Fatalf("the low score %d from the newest is of %v, want %d", i, low[2], want)
		}
	}
	for i, alert := range d.Alerts {
		if want := w.Alerts[i].Time / 1e6; alert[2] != want {
			t.Fatalf("the report %d from the newest is of %v, want %d", i, alert[2], want)
		}
	}
}

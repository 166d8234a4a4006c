package eval

import (
	"context"
	"fmt"
	"testing"
	"time"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/model"
)

func TestDaysByHand(t *testing.T) {
	scores := map[string]float64{"d1": 0.1, "d2": 0.2, "d3": 0.3, "d4": 0.4}
	sessions := []Session{
		session("a ssh d1", 0, "x"),  // day 0 begins, at 10:00
		session("a ssh d2", 1, ""),   // the second triplet: the first training comes behind it
		session("a ssh d1", 23, "x"), // day 0
		session("a ssh d1", 24, "x"), // day 1: judged from here on; 23 hours after the training
		session("a ssh d3", 25, ""),  // a second training, with a new triplet
		{Event: event("a ssh d1", 30), Ignored: true},
		session("a ssh d2", 30, "x"),
		session("a ssh d2", 47, ""),
		session("a ssh d2", 50, ""), // day 2; a day after the training, and so a third one, though no triplet is new
		session("a ssh d4", 60, ""), // one is, but a day has not passed
	}
	var learned []*graphbuf.Snapshot
	r, err := Days(t.Context(), sessions, DaysPlan{From: 1, MinEdges: 2, MinNewEdges: 1}, []Method{fixed(scores, &learned)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(learned) != 3 || len(learned[0].Edges) != 2 || len(learned[1].Edges) != 3 || len(learned[2].Edges) != 3 {
		t.Errorf("%d trainings", len(learned))
	}
	// Judged: .1x .3 .2x .2 on day 1, .2 .4 on day 2. The attack at .1 wins four, that at .2 two and, tied twice, two
	// halves.
	near(t, "AUC", r[0].AUC, (4+2+1)/8.0)
	near(t, "recall", r[0].Recall10, 1)
	near(t, "alerts", r[0].Alerts, 4/2.0) // below 0.3
	near(t, "precision", r[0].Precision, 2/4.0)

	learned = nil
	// Within a day no training comes without a new triplet: behind hours 1, 25, 50 and 60.
	if _, err = Days(t.Context(), sessions, DaysPlan{From: 1, Every: 6 * time.Hour, MinEdges: 2, MinNewEdges: 1}, []Method{fixed(scores, &learned)}, 1); err != nil || len(learned) != 4 {
		t.Errorf("%d trainings, %v", len(learned), err)
	}
	learned = nil
	// Behind hours 1, 23, 30, 47 and 60.
	if _, err = Days(t.Context(), sessions, DaysPlan{From: 1, Every: 6 * time.Hour, MinEdges: 2}, []Method{fixed(scores, &learned)}, 1); err != nil || len(learned) != 5 {
		t.Errorf("%d trainings, %v", len(learned), err)
	}
}

// A method that finds too little to learn from is asked again; until it has learned, all scores are the same.
func TestDaysBeforeTheFirstTraining(t *testing.T) {
	var sessions []Session
	for i := range 4 {
		sessions = append(sessions, session(fmt.Sprintf("a ssh d%d", i), float64(24*i), []string{"", "x"}[i%2]))
	}
	tries, fail := 0, model.ErrTooLittle
	m := Method{Name: "late", Learn: func(context.Context, *graphbuf.Snapshot) (Score, float64, error) {
		tries++
		return nil, 0, fail
	}}
	r, err := Days(t.Context(), sessions, DaysPlan{From: 1, MinEdges: 1, MinNewEdges: 1000}, []Method{m}, 1)
	if err != nil || tries != 4 {
		t.Fatalf("%d tries, %v", tries, err)
	}
	near(t, "AUC", r[0].AUC, 0.5)
	near(t, "alerts", r[0].Alerts, 0)
	fail = model.ErrDiverged
	if _, err := Days(t.Context(), sessions, DaysPlan{From: 1, MinEdges: 1}, []Method{m}, 1); err == nil {
		t.Error("a training failed, and nobody heard of it")
	}
	if _, err := Days(t.Context(), nil, DaysPlan{}, nil, 1); err == nil {
		t.Error("no sessions, and no error")
	}
}

// Trainings within a day see what came before on the same day, and the day is one list still.
func TestPrequentialWithSeveralTrainingsADay(t *testing.T) {
	var sessions []Session
	for i := range 48 { // from 10:00 on day 0 to 09:00 on day 2
		sessions = append(sessions, session(fmt.Sprintf("a ssh d%d", i), float64(i), ""))
	}
	var learned []*graphbuf.Snapshot
	r, err := prequential(t.Context(), sessions, Plan{From: 1, Every: 6 * time.Hour}, []Method{fixed(nil, &learned)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var edges []int
	for _, s := range learned {
		edges = append(edges, len(s.Edges))
	}
	if fmt.Sprint(edges) != "[14 20 26 32 38 44]" || len(r.judged[0].periods) != 2 || len(r.judged[0].periods[0]) != 24 {
		t.Errorf("trained on %v triplets; %d days", edges, len(r.judged[0].periods))
	}
}

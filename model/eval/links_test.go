package eval

import (
	"context"
	"errors"
	"testing"

	"flb-filter-rgcn/graphbuf"
)

func dated(text string, snapshot int64) Dated { return Dated{event(text, float64(snapshot)), snapshot} }

func pair(text string, snapshot int64, draw string, isTrue, isNew bool) Pair {
	return Pair{Dated: dated(text, snapshot), True: isTrue, New: isNew, Draw: draw}
}

// Snapshot 2 has, from the most expected on, true, made up, true and new, made up: of four combinations the true pairs
// win three, precisions are 1 and 2/3. Of the new pair: it wins one of two, precision 1/2. In snapshot 3 all is right.
func TestLinksByHand(t *testing.T) {
	events := []Dated{dated("a - b", 3), dated("a - b", 0), dated("a - c", 1), dated("x - y", 2)}
	pairs := []Pair{
		pair("a - p9", 3, "0", true, false), pair("a - p1", 3, "0", false, false),
		pair("a - p9", 2, "0", true, false), pair("a - p8", 2, "0", false, false), pair("a - p7", 2, "0", true, true), pair("a - p1", 2, "0", false, false),
	}
	scores := map[string]float64{"p1": 0.1, "p7": 0.7, "p8": 0.8, "p9": 0.9}
	var learned []*graphbuf.Snapshot
	methods := func() []Method { return []Method{fixed(scores, &learned)} }
	judge := func(plan LinkPlan) LinkResult {
		t.Helper()
		learned = nil
		r, err := Links(t.Context(), events, pairs, plan, methods, 1)
		if err != nil || len(r) != 1 || r[0].Method != "fixed" {
			t.Fatalf("%+v, %v", r, err)
		}
		return r[0]
	}

	r := judge(LinkPlan{})
	near(t, "AUC", r.AUC, (0.75+1)/2)
	near(t, "AP", r.AP, ((1+2.0/3)/2+1)/2)
	near(t, "AUC of new pairs", r.NewAUC, 0.5) // snapshot 3 has none, which is no zero
	near(t, "AP of new pairs", r.NewAP, 0.5)
	near(t, "balanced AP of new pairs", r.NewBalanced, 1/1.5) // of two made-up pairs, one comes first and counts half
	if len(learned) != 2 || len(learned[0].Edges) != 2 || len(learned[1].Edges) != 3 {
		t.Errorf("learned from %d snapshots", len(learned))
	}

	r = judge(LinkPlan{Step: 2})
	near(t, "AUC of the first snapshot alone", r.AUC, 0.75)

	// 9 9 8' 7 1' 1': of nine combinations one is lost.
	r = judge(LinkPlan{Pooled: true})
	near(t, "AUC of all together", r.AUC, 8.0/9)
	near(t, "AP of all together", r.AP, (1+1+3.0/4)/3)
	near(t, "AUC of new pairs together", r.NewAUC, 2.0/3)

	// Another draw of made-up pairs is a group of its own.
	pairs = append(pairs, pair("a - p1", 2, "1", true, false), pair("a - p9", 2, "1", false, false))
	r = judge(LinkPlan{})
	near(t, "AUC with another draw", r.AUC, (0.75+1+0)/3)
}

// An interruption ends link prediction, whatever a method does about it.
func TestLinksAreInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var learned []*graphbuf.Snapshot
	methods := func() []Method {
		m := fixed(map[string]float64{"c": 1}, &learned)
		learn := m.Learn
		m.Learn = func(ctx context.Context, before *graphbuf.Snapshot) (Score, float64, error) {
			cancel()
			return learn(ctx, before)
		}
		return []Method{m, m}
	}
	_, err := Links(ctx, []Dated{dated("a - b", 0)}, []Pair{pair("a - c", 1, "", true, true), pair("a - c", 2, "", true, true)}, LinkPlan{}, methods, 1)
	if !errors.Is(err, context.Canceled) || len(learned) != 1 {
		t.Errorf("%v after %d trainings", err, len(learned))
	}
}

func TestLinksInBothDirections(t *testing.T) {
	events := []Dated{dated("a - b", 0)}
	pairs := []Pair{pair("lo - hi", 1, "", true, false), pair("mid - mid", 1, "", false, false)}
	scores := map[string]float64{"hi": 1, "mid": 0.6, "lo": 0}
	var learned []*graphbuf.Snapshot
	for undirected, want := range map[bool]float64{false: 1, true: 0} { // 1 against 0.6; (1+0)/2 against 0.6
		r, err := Links(t.Context(), events, pairs, LinkPlan{Undirected: undirected}, func() []Method { return []Method{fixed(scores, &learned)} }, 1)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "AUC", r[0].AUC, want)
	}
	if _, err := Links(t.Context(), nil, pairs, LinkPlan{}, nil, 1); err == nil {
		t.Error("no events, and no error")
	}
}

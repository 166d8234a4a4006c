package eval

import (
	"bytes"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flb-filter-rgcn/model/simulate"
)

// alertsByHand are two days with attacks and one without, which does not count. Hours are from 10:00 of the first day on.
func alertsByHand() AlertResult {
	j := NewAlertJudge(1)
	add := func(text string, hours float64, label, note string, v Verdict) {
		s := session(text, hours, label)
		s.Note = note
		j.Add(&s, v)
	}
	low := Verdict{Score: 0.1, Low: true}
	lateral := simulate.LabelLateral

	// Before the first attack of a day all counts too.
	add("a ssh x", 0, "", "", Verdict{Score: math.NaN()})
	add("a ssh x", 1, "", "", low) // low though its first session was not, and still of the score 0.5
	add("b ssh x", 2, "", "", Verdict{Score: 0.25, Reported: true, Low: true})
	add("m ssh x", 3, lateral, "", Verdict{Score: 0.05}) // found by the next session
	add("m ssh y", 3.1, lateral, "", Verdict{Score: 0.2, Reported: true})
	add("m ssh y", 3.2, lateral, "", low)
	add("n ssh x", 4, lateral, simulate.NoteChain, low) // not found, but it has a low score
	add("n ssh v", 5, "", "", Verdict{Score: 0.7})

	add("b ssh x", 24, "", "", Verdict{Score: 0.1, Low: true, Reported: true}) // a day without attacks

	add("m ssh x", 48, "", "", Verdict{Score: 0.3, Reported: true}) // found by what is no attack
	add("m ssh z", 49, lateral, simulate.NoteChain, Verdict{Score: 0.6})
	add("o ssh z", 49, lateral, "", Verdict{Score: 0.8})
	return j.Result()
}

func TestAlertsByHand(t *testing.T) {
	r := alertsByHand()
	near(t, "average precision", r.AP, (1+1+1+4./7+5./9)/5)
	r.AP = 0
	want := AlertResult{
		Days: 2, Attackers: 2,
		Reports: 1.5, ReportPrecision: 2. / 3, AttackersFound: 0.5, TripletsCovered: 3. / 5, ChainsFound: 0.5,
		Lows: 2, LowPrecision: 0.5, AttackersWithLow: 0.5, TripletsFound: 2. / 5, Recall20: 1,
	}
	if r != want {
		t.Errorf("got  %+v\nwant %+v", r, want)
	}
}

// Without an attack there is nothing to find.
func TestAlertsWithoutAttacks(t *testing.T) {
	j := NewAlertJudge(1)
	s := session("a ssh x", 0, "")
	j.Add(&s, Verdict{Score: 0.1, Low: true, Reported: true})
	r := j.Result()
	if r.Days != 0 || !math.IsNaN(r.Reports) || !math.IsNaN(r.AttackersFound) || !math.IsNaN(r.AP) {
		t.Errorf("%+v", r)
	}
	rows := SummarizeAlerts([]AlertResult{r})
	b, err := json.Marshal(rows[2])
	if want := `{"figure":"source alerts a day","value":null,"seeds":[null]}`; err != nil || string(b) != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
	var text bytes.Buffer
	if err := PrintAlerts(&text, rows); err != nil || !regexp.MustCompile(`(?m)^source alerts a day +- +-$`).MatchString(text.String()) {
		t.Errorf("%v: %s", err, text.String())
	}
}

func TestAlertTable(t *testing.T) {
	r := alertsByHand()
	other := r
	other.Reports = 4.5
	rows := SummarizeAlerts([]AlertResult{r, other})
	var b bytes.Buffer
	if err := PrintAlerts(&b, rows); err != nil {
		t.Fatal(err)
	}
	cells := regexp.MustCompile(" {2,}").Split(strings.Split(b.String(), "\n")[3], -1)
	if want := []string{"source alerts a day", "3.0 ± 2.1", "1.5 4.5"}; !slices.Equal(cells, want) {
		t.Errorf("got %q, want %q", cells, want)
	}
	text, err := json.Marshal(rows[2])
	if want := `{"figure":"source alerts a day","value":{"mean":3,"sd":2.1213203435596424},"seeds":[1.5,4.5]}`; err != nil || string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
}

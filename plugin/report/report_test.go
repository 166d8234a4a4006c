package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
)

func session(source, destination string, score float64, low bool, at int) *Session {
	return &Session{
		Source: []byte(source), Relation: []byte("SSH-2.0-Go"), Destination: []byte(destination), Reason: []byte("new_pair"),
		Score: score, Low: low, Time: time.Date(2026, 3, 2, 0, at, 0, 0, time.UTC).UnixNano(),
	}
}

func TestDataOfSessions(t *testing.T) {
	b := NewBuilder()
	b.Skip()
	b.Add(session("a", "x", math.NaN(), false, 0))
	b.Add(session("a", "x", 0.9, false, 1))
	b.Add(session("a", "x", 0.7, false, 2))
	low := session("b", "x", 0.1, true, 30)
	low.Evidence = "never <met> before"
	b.Add(low)
	b.Add(session("b", "x", 0.05, false, 31)) // below a later, lower threshold: the low one stays
	b.Add(session("c", "y", 1, false, 32))
	d := b.Data()
	if d.Records != 7 || d.Scored != 5 || d.Low != 1 || d.Omitted != 0 || *d.Threshold != 0.1 {
		t.Errorf("%+v", d)
	}
	js, _ := json.Marshal(d)
	for _, want := range []string{
		`"nodes":["b","x","a","c","y"]`,
		`"edges":[[0,1,0,2,0.1,1,0,1772411460000],[2,1,0,3,0.7,0,0,1772409720000],[3,4,0,1,1,0,0,1772411520000]]`,
		`"lowest":[0,1,2],"evidence":["never \u003cmet\u003e before","",""]`,
		`"lows":[[0,0.1,1772411400000,0]]`,
		`"timeline":{"start":1772409600000,"step":600000,"low":[0,0,0,1],"all":[3,0,0,3]}`,
	} {
		if !strings.Contains(string(js), want) {
			t.Errorf("no %s in\n%s", want, js)
		}
	}
	if h := d.Histogram; h.Low[5] != 1 || h.Other[2] != 1 || h.Other[35] != 1 || h.Other[45] != 1 || h.Other[49] != 1 {
		t.Errorf("%v", h)
	}
}

// The threshold is the highest score that was low by itself: what the list of judged sessions calls bad may have any
// score, or none yet.
func TestThresholdOfAReport(t *testing.T) {
	b := NewBuilder()
	denied := session("a", "x", 0.97, true, 0)
	denied.Denied = true
	early := session("b", "x", math.NaN(), true, 1)
	early.Denied = true
	b.Add(denied)
	b.Add(early)
	if d := b.Data(); d.Threshold != nil {
		t.Errorf("without a score below it, the threshold is %v", *d.Threshold)
	}
	b.Add(session("c", "x", 0.04, true, 2))
	d := b.Data()
	if d.Low != 3 || d.Threshold == nil || *d.Threshold != 0.04 {
		t.Errorf("%d low, threshold %v, want 3 and 0.04", d.Low, d.Threshold)
	}
	js, err := json.Marshal(d)
	if want := `"lows":[[1,0.04,1772409720000,0],[0,null,1772409660000,0],[2,0.97,1772409600000,0]]`; err != nil || !strings.Contains(string(js), want) {
		t.Errorf("%v, no %s in\n%s", err, want, js)
	}
}

// A log of many years, read in one go, has its end in the timeline, and all its sessions.
func TestTimelineOfYears(t *testing.T) {
	b := NewBuilder()
	first := time.Date(2020, 9, 13, 0, 0, 0, 0, time.UTC).UnixNano()
	last, n := first, uint64(0)
	for at := first; at < first+3*365*24*3600*1e9; at += timeStep {
		b.Add(&Session{Source: []byte("a"), Relation: []byte("r"), Destination: []byte("b"), Score: 0.01, Low: n%2 == 0, Time: at})
		last = at
		n++
	}
	tl := b.Data().Timeline
	if end := tl.Start + int64(len(tl.All))*tl.Step; tl.Start > first/1e6 || end <= last/1e6 || len(tl.All) > maxBars {
		t.Errorf("%d bars from %d to %d, want at most %d from %d to %d", len(tl.All), tl.Start, end, maxBars, first/1e6, last/1e6)
	}
	var all, low uint64
	for i := range tl.All {
		all += tl.All[i]
		low += tl.Low[i]
	}
	if all != n || low != (n+1)/2 {
		t.Errorf("%d sessions, %d low, want %d and %d", all, low, n, (n+1)/2)
	}
	if len(b.times) > maxTimes {
		t.Errorf("%d times are kept", len(b.times))
	}
}

// Records that no filter wrote may have any reason.
func TestReasonsAreBounded(t *testing.T) {
	b := NewBuilder()
	for i := range 2 * maxReasons {
		b.Add(&Session{Source: []byte("a"), Relation: []byte("r"), Destination: []byte("b"), Reason: fmt.Appendf(nil, "reason %d", i), Score: 0.9, Time: 1e18})
	}
	if n := len(b.reasons.list); n > maxReasons+1 {
		t.Errorf("%d reasons are kept, want at most %d and none", n, maxReasons)
	}
}

// Sources that were reported are listed by their sessions, low or not, the newest first, the last ones of many.
func TestReportedSources(t *testing.T) {
	b := NewBuilder()
	for i := range MaxAlerts + 20 {
		s := session(fmt.Sprint("s", i), "d", 0.3, i%2 == 0, i)
		s.SourceAlert, s.Risk, s.Triplets = true, float64(i)/4, i
		b.Add(s)
	}
	d := b.Data()
	if d.Reported != MaxAlerts+20 || len(d.Alerts) != MaxAlerts {
		t.Fatalf("%d reported, %d of them listed, want %d and %d", d.Reported, len(d.Alerts), MaxAlerts+20, MaxAlerts)
	}
	for at, a := range d.Alerts {
		i := MaxAlerts + 19 - at
		edge := d.Edges[a[0].(int)]
		if d.Nodes[edge[0].(int32)] != fmt.Sprint("s", i) || edge[5] != 1-i%2 || a[1] != 0.3 ||
			a[2] != session("", "", 0, true, i).Time/1e6 || a[4] != float64(i)/4 || a[5] != i {
			t.Fatalf("alert %d is %v of %v", i, a, edge)
		}
	}
}

func TestNothingToShow(t *testing.T) {
	var page bytes.Buffer
	if err := WritePage(&page, NewBuilder().Data()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), `"threshold":null,"nodes":[],"relations":[],"reasons":[],"edges":[],"omitted":0,"lowest":[],"evidence":[],"lows":[],"alerts":[]`) {
		t.Error("an empty page has no empty lists")
	}
}

func TestAPageIsBounded(t *testing.T) {
	b := NewBuilder()
	for i := range 3 * maxKept {
		at := i
		if i == 0 {
			at = -1 << 24 // 31 years earlier
		}
		b.Add(session(fmt.Sprint("s", i/7), fmt.Sprint("d", i%1000), 0.5, i%1000 == 0, at))
	}
	d := b.Data()
	if len(d.Edges) != MaxEdges || d.Omitted < maxKept || len(b.edges) > 2*maxKept || len(d.Lowest) != maxLowest || len(d.Timeline.All) > maxBars {
		t.Errorf("%d edges, %d omitted, %d kept, %d in the list, %d bars", len(d.Edges), d.Omitted, len(b.edges), len(d.Lowest), len(d.Timeline.All))
	}
	for i, e := range d.Edges {
		if low := e[5] == 1; low != (i < 3*maxKept/1000) {
			t.Fatalf("edge %d: low is %v", i, low)
		}
	}
}

// The sessions with a low score are kept one by one, the last thousand, the newest first.
func TestLowSessions(t *testing.T) {
	b := NewBuilder()
	for i := range MaxLows + 500 {
		b.Add(session(fmt.Sprint("s", i%50), "d", 0.01+float64(i)*1e-5, true, i))
	}
	d := b.Data()
	if len(d.Lows) != MaxLows || len(d.Edges) != 50 {
		t.Fatalf("%d sessions of %d connections, want %d of 50", len(d.Lows), len(d.Edges), MaxLows)
	}
	for at, low := range d.Lows {
		i := MaxLows + 499 - at
		edge := d.Edges[low[0].(int)]
		if d.Nodes[edge[0].(int32)] != fmt.Sprint("s", i%50) || low[1] != round(0.01+float64(i)*1e-5) ||
			low[2] != session("", "", 0, true, i).Time/1e6 || d.Reasons[low[3].(int32)] != "new_pair" {
			t.Fatalf("session %d is %v of %v", i, low, edge)
		}
	}
}

// TestHostileNames: clients choose names, which must stay text.
func TestHostileNames(t *testing.T) {
	b := NewBuilder()
	for _, name := range []string{"</script><script>alert(1)</script>", "<!--", "]]>", "a\u202eb", "\x1b[31m", "\xff\xfe", strings.Repeat("x", 5000), "\u2028", ""} {
		b.Add(&Session{Source: []byte(name), Relation: []byte(name), Destination: []byte("x"), Reason: []byte(name), Score: 0.5})
	}
	var page bytes.Buffer
	if err := WritePage(&page, b.Data()); err != nil {
		t.Fatal(err)
	}
	data := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindStringSubmatch(page.String())
	if data == nil || strings.ContainsAny(data[1], "<>&\u202e\x1b\u2028") {
		t.Fatalf("%q", data)
	}
	var d Data
	if err := json.Unmarshal([]byte(data[1]), &d); err != nil {
		t.Fatal(err)
	}
	for _, n := range d.Nodes {
		if len(n) > 300 {
			t.Errorf("a name of %d bytes", len(n))
		}
	}
	if n := strings.Count(page.String(), "</script"); n != 2 {
		t.Errorf("%d scripts end in the page, it has two", n)
	}
}

func TestPolicyNamesWhatIsInThePage(t *testing.T) {
	var page bytes.Buffer
	if err := WritePage(&page, NewBuilder().Data()); err != nil {
		t.Fatal(err)
	}
	text := page.String()
	for _, tag := range []string{"script", "style"} {
		part := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(text)
		if part == nil || !strings.Contains(text, "'"+digest(part[1])+"'") {
			t.Errorf("the policy does not have the hash of the %s", tag)
		}
	}
	if strings.Contains(Policy(false), "connect-src") || !strings.HasPrefix(Policy(false), "default-src 'none'") {
		t.Errorf("%s", Policy(false))
	}
	for _, library := range []string{"sigma 3", "graphology 0", "Permission is hereby granted"} {
		if !strings.Contains(text, library) {
			t.Errorf("the page does not carry the licence of %s", library)
		}
	}
}

// Records come from anywhere: numbers that no filter writes leave the page whole.
func TestNumbersThatAreNone(t *testing.T) {
	b := NewBuilder()
	for i, score := range []float64{1e305, -1, math.Inf(1), math.Inf(-1)} {
		s := session("d", "z", score, i%2 == 0, i)
		s.Risk, s.SourceAlert = score, true
		b.Add(s)
	}
	var page bytes.Buffer
	if err := WritePage(&page, b.Data()); err != nil || page.Len() == 0 {
		t.Error(err)
	}
}

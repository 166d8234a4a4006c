package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// browser starts a headless Chromium and returns a tab, and what the tab complained of or asked
// the network for so far.
func browser(t *testing.T) (context.Context, func() []string) {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not on the PATH: the page is not tried in a browser")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("use-angle", "swiftshader"), chromedp.Flag("enable-unsafe-swiftshader", true),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	var mu sync.Mutex
	var said []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventConsoleAPICalled:
			for _, a := range e.Args {
				said = append(said, fmt.Sprintf("console %s: %s", e.Type, a.Value))
			}
		case *runtime.EventExceptionThrown:
			said = append(said, e.ExceptionDetails.Error())
		case *log.EventEntryAdded:
			said = append(said, "log: "+e.Entry.Text)
		case *network.EventRequestWillBeSent:
			if u := e.Request.URL; !strings.HasPrefix(u, "file:") && !strings.HasPrefix(u, "blob:") {
				said = append(said, "request: "+u)
			}
		}
	})
	if err := chromedp.Run(ctx, network.Enable(), log.Enable()); err != nil {
		t.Fatal(err)
	}
	return ctx, func() []string { mu.Lock(); defer mu.Unlock(); return said }
}

// open writes the page and opens it from its file, as a user does.
func open(t *testing.T, ctx context.Context, d *Data, then ...chromedp.Action) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(file)
	if err == nil {
		err = WritePage(f, d)
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if err := chromedp.Run(ctx, append([]chromedp.Action{chromedp.Navigate("file://" + file)}, then...)...); err != nil {
		t.Fatal(err)
	}
}

func TestPageInABrowser(t *testing.T) {
	ctx, said := browser(t)
	b := NewBuilder()
	for i := range 300 {
		b.Add(session(fmt.Sprintf("10.0.0.%d", i%40), fmt.Sprintf("server-%d", i%7), 0.9, false, i))
	}
	b.Add(session("10.0.0.3", "vault", 0.01, true, 301))
	b.Add(session("10.0.0.9", "vault", 0.02, true, 302))
	b.Add(session("<b>&amp;\u202e", "server-1", 0.8, false, 303))

	var edges, reds, listed, found, chosen string
	var wide, narrow bool
	open(t, ctx, b.Data(),
		// What sigma draws: an edge is red if and only if its score is low.
		chromedp.Evaluate(`(() => { const p = rgcn.picture, red = getComputedStyle(document.documentElement).getPropertyValue("--low").trim();
			let right = 0, n = 0;
			p.graph.forEachEdge((e) => { n++; if ((p.sigma.getEdgeDisplayData(e).color === red) === (rgcn.data.edges[e][5] === 1)) right++; });
			return right + " of " + n; })()`, &edges),
		chromedp.Evaluate(`[...document.querySelectorAll("#lowest .islow .pair")].map((e) => e.textContent).join(", ")`, &reds),
		chromedp.Evaluate(`document.querySelectorAll("#lowest li").length + " " + document.querySelector("#figures").textContent`, &listed),
		chromedp.SendKeys("#search", "vau"),
		chromedp.Evaluate(`document.querySelector("#found").textContent`, &found),
		chromedp.SendKeys("#search", "\r"),
		chromedp.Text("#chosen", &chosen),
		chromedp.Evaluate(`document.documentElement.scrollWidth <= 1280`, &wide),
		chromedp.ActionFunc(func(ctx context.Context) error {
			return emulation.SetDeviceMetricsOverride(390, 844, 2, true).Do(ctx)
		}),
		chromedp.Sleep(300*time.Millisecond),
		chromedp.Evaluate(`document.documentElement.scrollWidth <= 390`, &narrow),
		// The keyboard alone: to the picture, in and out of it, back.
		chromedp.Focus("#canvas"), chromedp.KeyEvent("+"), chromedp.KeyEvent("0"), chromedp.KeyEvent("/"),
		chromedp.Sleep(500*time.Millisecond))
	if edges != "283 of 283" {
		t.Errorf("edges in the right colour: %s", edges)
	}
	if reds != "10.0.0.3 → vault, 10.0.0.9 → vault" {
		t.Errorf("marked as low in the list: %s", reds)
	}
	if want := "200 303sessions303scored2with a low score49hosts283connections"; listed != want {
		t.Errorf("%q, want %q", listed, want)
	}
	if found != "vault" || !strings.Contains(chosen, "0 connections out, 2 in, 2 of them with a low score") {
		t.Errorf("search finds %q and shows %q", found, chosen)
	}
	if !wide || !narrow {
		t.Errorf("no sideways scrolling at 1280: %v, at 390: %v", wide, narrow)
	}
	for _, s := range said() {
		t.Error(s)
	}
}

func TestEmptyPageInABrowser(t *testing.T) {
	ctx, said := browser(t)
	var text string
	open(t, ctx, NewBuilder().Data(), chromedp.Text("body", &text))
	for _, want := range []string{"Nothing to draw", "No sessions yet"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	for _, s := range said() {
		t.Error(s)
	}
}

// hostileNames are names that a hostile client may choose.
var hostileNames = []string{
	"<img src=x onerror=document.title='run'>", "a\u202egnp.exe", strings.Repeat("x", 4096), strings.Repeat("\u0e49", 4096),
	"\u05d0\u05d1\u05d2.example", strings.Repeat("long-label.", 400),
}

// TestLowScoresInABrowser: with five hundred low scores, shown alone, sources stand left of destinations, hosts that
// are both in the middle, nothing lies on anything else, and no name on another. Wide and narrow, with hostile names
// among them.
func TestLowScoresInABrowser(t *testing.T) {
	ctx, said := browser(t)
	b := NewBuilder()
	for i := range 2500 {
		b.Add(session(fmt.Sprintf("10.0.%d.%d", i%3, i%90), fmt.Sprintf("server-%d", i*7%60), 0.9, false, i))
	}
	for i := range 500 {
		s := session(fmt.Sprintf("10.0.%d.%d", i%3, i*i%90), fmt.Sprintf("server-%d", i%60), 0.001*float64(i), true, 2600+i)
		s.Relation = fmt.Append(nil, "tool-", i)
		b.Add(s)
	}
	for _, name := range hostileNames {
		s := session(name, "server-1", 0.0001, true, 3200)
		s.Relation, s.Reason, s.Evidence = []byte(name), []byte(name), name[:10]
		b.Add(s)
		b.Add(session("server-2", name, 0.0002, true, 3201))
	}
	const state = `(() => { const p = rgcn.picture, lows = rgcn.data.edges.filter((e) => e[5] && e[0] !== e[1]);
		const at = (n) => p.graph.getNodeAttributes(String(n));
		const both = (n) => lows.some((e) => e[0] === n) && lows.some((e) => e[1] === n);
		const on = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
		const shown = p.graph.filterNodes((n) => !p.sigma.getNodeDisplayData(n).hidden), drawn = p.labels.drawn;
		return JSON.stringify({
			backwards: lows.filter((e) => at(e[0]).x >= at(e[1]).x && !(both(e[0]) && both(e[1]))).length,
			lines: p.graph.filterEdges((e) => !p.sigma.getEdgeDisplayData(e).hidden).length === lows.length,
			hosts: shown.length === new Set(lows.flatMap((e) => [e[0], e[1]])).size,
			places: new Set(shown.map((n) => at(n).x + " " + at(n).y)).size === shown.length,
			names: drawn.length >= 12, overlap: drawn.some((a, i) => drawn.some((b, j) => i < j && on(a, b))),
			sideways: document.documentElement.scrollWidth > document.documentElement.clientWidth, title: document.title }); })()`
	const want = `{"backwards":0,"lines":true,"hosts":true,"places":true,"names":true,"overlap":false,"sideways":false,"title":"SSH sessions by how expected they are"}`
	var wide, narrow, all string
	const overlap = `(() => { const d = rgcn.picture.labels.drawn; return d.length + " " + d.some((a, i) => d.some((b, j) => i < j && (a.name === b.name || a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom))); })()`
	open(t, ctx, b.Data(),
		chromedp.Poll(`rgcn.picture.labels.drawn?.length > 5`, nil), chromedp.Evaluate(overlap, &all),
		chromedp.Click("#onlyLow"), chromedp.Poll(`rgcn.picture.labels.drawn.length >= 12`, nil), chromedp.Evaluate(state, &wide),
		chromedp.ActionFunc(func(ctx context.Context) error { return emulation.SetDeviceMetricsOverride(390, 844, 1, true).Do(ctx) }),
		chromedp.Poll(`rgcn.picture.columnsWidth < 1`, nil), chromedp.Evaluate(state, &narrow))
	if !strings.HasSuffix(all, " false") {
		t.Errorf("names of the whole graph, and whether they overlap: %s", all)
	}
	if wide != want || narrow != want {
		t.Errorf("wide %s\nnarrow %s\nwant %s", wide, narrow, want)
	}
	for _, s := range said() {
		t.Error(s)
	}
}

// TestTheDayOfASource: a click on a connection shows its source's last day, by the keyboard too, and what is chosen
// stays chosen when newer data come.
func TestTheDayOfASource(t *testing.T) {
	ctx, said := browser(t)
	b := NewBuilder()
	b.Add(session("10.0.0.1", "old", 0.9, false, -24*60))
	for i := range 150 {
		b.Add(session("10.0.0.1", fmt.Sprint("server-", i), 0.9, false, i))
	}
	b.Add(session("10.0.0.2", "earlier", 0.04, true, -3*24*60))
	b.Add(session("10.0.0.2", "vault", 0.03, true, 200))
	b.Add(session("10.0.0.2", "vault", 0.02, true, 210))
	b.Add(session("10.0.0.2", "files", 0.7, false, 220))
	var low, heading, all, more, focused, kept, earlier string
	rows := `[...document.querySelectorAll("#day li")].map((e) => e.textContent + (e.className ? "!" : "")).join("|")`
	open(t, ctx, b.Data(),
		chromedp.Focus("#lowest button"), chromedp.KeyEvent("\r"), chromedp.Evaluate(rows, &low), chromedp.Text("#day h3", &heading),
		chromedp.Evaluate(`rgcn.refresh(JSON.parse(JSON.stringify(rgcn.data))); document.activeElement.textContent`, &focused),
		chromedp.Evaluate(rows, &kept),
		chromedp.Evaluate(`rgcn.choose({ edge: rgcn.data.lowest[1] }); document.querySelector("#day").textContent`, &earlier),
		chromedp.Evaluate(`rgcn.choose({ node: rgcn.byName.get("10.0.0.1") }); String(document.querySelectorAll("#day li").length)`, &all),
		chromedp.Text("#day", &more))
	want := "2026-03-02 03:400.700→ filesnew pairSSH-2.0-Go|2026-03-02 03:300.020→ vaultnew pairSSH-2.0-Go!|2026-03-02 03:200.030→ vaultnew pairSSH-2.0-Go!"
	if low != want || kept != want || heading != "The last day of 10.0.0.2" {
		t.Errorf("%q\n%q, after newer data\n%q, want\n%q", heading, low, kept, want)
	}
	if !strings.HasPrefix(earlier, "The day of 10.0.0.22026-02-26 12:00 to 2026-02-27 12:00: 1 session with a low score;") {
		t.Errorf("of three days before: %q", earlier)
	}
	if !strings.HasPrefix(focused, "0.02010.0.0.2 → vault") {
		t.Errorf("after newer data the keyboard is at %q", focused)
	}
	if all != "100" || !strings.Contains(more, "50 more are not listed") || strings.Contains(more, "old") {
		t.Errorf("%s rows: %s", all, more)
	}
	for _, s := range said() {
		t.Error(s)
	}
}

// TestReportedSourcesInABrowser: a click on a source that was reported shows the day of that, with the session at which
// it was.
func TestReportedSourcesInABrowser(t *testing.T) {
	ctx, said := browser(t)
	b := NewBuilder()
	for i := range 60 {
		b.Add(session("10.0.0.1", fmt.Sprint("server-", i), 0.9, false, i))
	}
	b.Add(session("10.0.0.2", "vault", 0.03, true, 100))
	quiet := session("10.0.0.2", "files", 0.2, false, 110) // reported by a session whose score is not low
	quiet.SourceAlert, quiet.Risk, quiet.Triplets = true, 2.25, 3
	b.Add(quiet)
	loud := session("10.0.0.3", "vault", 0.01, true, 120)
	loud.SourceAlert = true // of a record without evidence
	b.Add(loud)
	b.Add(session("10.0.0.2", "files", 0.8, false, 3*24*60))
	var figures, listed, day, words, other, refreshed string
	rows := `[...document.querySelectorAll("#day li")].map((e) => e.textContent + (e.className ? "!" : "")).join("|")`
	open(t, ctx, b.Data(),
		chromedp.Evaluate(`document.querySelector("#figures").textContent`, &figures),
		chromedp.Evaluate(`[...document.querySelectorAll("#sources li")].map((e) => e.textContent).join("|")`, &listed),
		chromedp.Focus("#sources li:nth-child(2) button"), chromedp.KeyEvent("\r"),
		chromedp.Evaluate(rows, &day), chromedp.Evaluate(`document.querySelector("#day .reported").textContent`, &words),
		chromedp.Evaluate(`rgcn.refresh(JSON.parse(JSON.stringify(rgcn.data))); `+rows, &refreshed),
		chromedp.Click("#sources li:nth-child(1) button"), chromedp.Evaluate(rows, &other))
	if !strings.Contains(figures, "2source alerts") {
		t.Errorf("%q", figures)
	}
	if want := "–10.0.0.3new pair2026-03-02 02:00|2.310.0.0.2new pairpoints from 3 odd triplets2026-03-02 01:50"; listed != want {
		t.Errorf("listed %q, want %q", listed, want)
	}
	want := "2026-03-02 01:500.200→ filessource alertnew pairSSH-2.0-Go|2026-03-02 01:400.030→ vaultnew pairSSH-2.0-Go!"
	if day != want || refreshed != want {
		t.Errorf("its day %q, after newer data %q, want %q", day, refreshed, want)
	}
	if want := "Reported at 2026-03-02 01:50, with 2.3 points from 3 odd triplets."; words != want {
		t.Errorf("%q, want %q", words, want)
	}
	if want := "2026-03-02 02:000.010→ vaultsource alertnew pairSSH-2.0-Go!"; other != want {
		t.Errorf("the other one's day %q, want %q", other, want)
	}
	for _, s := range said() {
		t.Error(s)
	}
}

// TestSearchWhileDataComes: what the list of hosts shows is what is taken from it, though newer data, which come every few
// seconds, number them otherwise.
func TestSearchWhileDataComes(t *testing.T) {
	ctx, said := browser(t)
	b := NewBuilder()
	for i := range 30 {
		b.Add(session(fmt.Sprint("10.0.0.", i), fmt.Sprint("server-", i%10), 0.9, false, i))
	}
	const renumber = `(() => { const d = JSON.parse(JSON.stringify(rgcn.data)), n = d.nodes.length; d.nodes.reverse();
		for (const e of d.edges) { e[0] = n - 1 - e[0]; e[1] = n - 1 - e[1]; } rgcn.refresh(d); })()`
	var first, chosen, box, gone string
	open(t, ctx, b.Data(),
		chromedp.SendKeys("#search", "server-7"), chromedp.Evaluate(`document.querySelector("#found li").textContent`, &first),
		chromedp.Evaluate(renumber, nil), chromedp.SendKeys("#search", "\r"),
		chromedp.Text("#chosenName", &chosen), chromedp.Value("#search", &box),
		// A host that is not drawn any more is not taken.
		chromedp.Evaluate(`rgcn.choose(null)`, nil), chromedp.Evaluate(`document.querySelector("#search").value = ""`, nil), chromedp.SendKeys("#search", "server-8"),
		chromedp.Evaluate(`rgcn.refresh({ ...rgcn.data, nodes: rgcn.data.nodes.map((n) => (n === "server-8" ? "another" : n)) })`, nil),
		chromedp.SendKeys("#search", "\r"), chromedp.Evaluate(`String(document.querySelector("#chosen").hidden)`, &gone))
	if first != "server-7" || chosen != first || box != first || gone != "true" {
		t.Errorf("the list shows %q, %q is chosen and %q in the box; one that is gone is left: %s", first, chosen, box, gone)
	}
	for _, s := range said() {
		t.Error(s)
	}
}

// TestHealthInABrowser: a live page says how the filter is doing, and since when it counts; a start forgets the lists.
func TestHealthInABrowser(t *testing.T) {
	ctx, said := browser(t)
	d := NewBuilder().Data()
	d.Live, d.State, d.Since = true, "waiting", time.Date(2026, 11, 28, 1, 12, 0, 0, time.UTC).UnixMilli()
	d.Problem = "no record has come: see that <b>Match</b> fits"
	const shown = `document.querySelector("header").textContent.trim() + "|" + [...document.querySelectorAll("#problem:not([hidden])")].map((e) => e.className + ": " + e.textContent) +
		"|" + document.querySelector("#lowest").textContent`
	refreshed := func(changes string) string { return `rgcn.refresh({ ...rgcn.data, ` + changes + ` }); ` + shown }
	var first, misfit, unscored, scored string
	open(t, ctx, d,
		chromedp.Evaluate(shown, &first),
		chromedp.Evaluate(refreshed(`records: 500, state: "degraded", problem: "0 of the last 100 records"`), &misfit),
		chromedp.Evaluate(refreshed(`records: 500, state: "scoring", problem: "nothing is saved"`), &unscored),
		chromedp.Evaluate(refreshed(`scored: 400, problem: ""`), &scored))
	const title, at = "SSH sessions by how expected they are", "since 2026-11-28 01:12 UTC"
	const since = "since the filter started at 2026-11-28 01:12 UTC"
	for _, c := range []struct{ got, want string }{
		{first, title + "live, waitingcounted " + at + "|problem waiting: no record has come: see that <b>Match</b> fits|No session has come " + since + ": see above."},
		{misfit, title + "live, degradedcounted " + at + "|problem degraded: 0 of the last 100 records|No session has had a score " + since + ": see above."},
		{unscored, title + "live, scoringcounted " + at + "|problem scoring: nothing is saved|No session has had a score " + since + "."},
		{scored, title + "live, scoringcounted " + at + "||No session had a low score " + since + "."},
	} {
		if c.got != c.want {
			t.Errorf("%q, want\n%q", c.got, c.want)
		}
	}
	for _, s := range said() {
		t.Error(s)
	}
}

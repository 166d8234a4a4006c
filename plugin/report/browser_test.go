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

package filter

import (
	"strings"
	"testing"
)

func TestWarningLine(t *testing.T) {
	for want, w := range map[string]Warning{
		"it is so":                          {What: "it is so"},
		"it is so; do that":                 {What: "it is so", Remedy: "do that"},
		"It is so. Do that. Seen was this.": {What: "It is so.", Remedy: "Do that.", More: "Seen was this."},
		"It is so. Seen was this.":          {What: "It is so.", More: "Seen was this."},
	} {
		if got := w.Line(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// parts is a host that takes warnings in their parts.
type parts struct {
	*testHost
	warnings []Warning
}

func (p *parts) Warn(w Warning) { p.warnings = append(p.warnings, w) }

// A host that takes warnings gets in parts what the log of another has in a line.
func TestAHostThatTakesWarnings(t *testing.T) {
	taker, logger := &parts{testHost: host()}, host()
	for _, h := range []Host{taker, logger} {
		f, err := NewOffline(h)
		if err != nil {
			t.Fatal(err)
		}
		for range fitPeriod {
			f.Process(nil, appendEvent(nil, "source", map[string]any{"ip": "198.51.100.1"}, "destination", map[string]any{"ip": "192.0.2.1"}))
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(taker.warnings) != 1 {
		t.Fatalf("%+v", taker.warnings)
	}
	w := taker.warnings[0]
	if w.About != AboutMisfit || !strings.HasPrefix(w.What, "0 of the last 100 records") || w.Remedy != "Preset ecs understands it." || !strings.HasPrefix(w.More, "Looked for source ") {
		t.Errorf("%+v", w)
	}
	if !strings.Contains(logger.log(), w.Line()) || strings.Contains(taker.log(), w.What) {
		t.Errorf("%s\n%s", logger.log(), taker.log())
	}
}

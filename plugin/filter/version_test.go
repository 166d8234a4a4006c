package filter

import (
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/version"
)

// Whoever reads a log has to know which version wrote it.
func TestTheVersionIsSaidAtTheStart(t *testing.T) {
	h := host("train_interval", "0")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	if want := "version " + version.Line(); !strings.Contains(h.log(), want) {
		t.Errorf("no %q in\n%s", want, h.log())
	}
}

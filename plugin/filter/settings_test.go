package filter

import (
	"strings"
	"testing"
)

// A start tells the settings in lines that are not cut, and what was set without an effect.
func TestSettingsAreTold(t *testing.T) {
	h := host("threshold_quantile", "0.2")
	f, err := New(h)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\nsettings: preset=zeek ", " threshold_quantile=0.2\n", "\ndefaults: ", " threshold_per_day=20 ", " metrics_allow_remote=false\n",
		"\nproperty threshold_quantile = 0.2 has no effect: used with threshold.method quantile only, and threshold.method is budget; remove it, or set threshold.method to quantile\n",
	} {
		if !strings.Contains(h.log(), want) {
			t.Errorf("no %q in\n%s", want, h.log())
		}
	}
	for _, line := range strings.Split(h.log(), "\n") {
		if len(line) > 1024 {
			t.Errorf("the host's log would cut %s", line)
		}
	}
}

package config

import (
	"slices"
	"testing"
)

// A boolean is meant whichever way it is written, and anything else as it is written alone.
func TestSpellings(t *testing.T) {
	for _, c := range []struct{ values, want []string }{
		{[]string{"T"}, []string{"T", "true"}},
		{[]string{"false", "-"}, []string{"false", "-", "F"}},
		{[]string{"true", "T", "F"}, []string{"true", "T", "F", "false"}},
		{[]string{"t", "True", "", "dns"}, []string{"t", "True", "", "dns"}},
	} {
		if got := (Condition{Values: c.values}).Spellings(); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.values, got, c.want)
		}
	}
}

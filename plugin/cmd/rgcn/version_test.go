package main

import (
	"testing"

	"flb-filter-rgcn/plugin/version"
)

func TestVersion(t *testing.T) {
	for _, form := range []string{"version", "-version", "--version", "-V"} {
		if stdout, stderr := mustRun(t, form); stdout != "rgcn "+version.Line()+"\n" || stderr != "" {
			t.Errorf("%s: %q, %q", form, stdout, stderr)
		}
	}
	stdout, stderr, status := rgcn("version", "now")
	if status != exitUsage || stdout != "" {
		t.Errorf("status %d, %q", status, stdout)
	}
	has(t, stderr, `unexpected "now"`)
}

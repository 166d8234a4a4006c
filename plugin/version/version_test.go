package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestOfCommit(t *testing.T) {
	revision := debug.BuildSetting{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}
	check := func(want string, settings ...debug.BuildSetting) {
		t.Helper()
		if got := ofCommit(settings); got != want {
			t.Errorf("%v: %q, want %q", settings, got, want)
		}
	}
	check("devel")
	check("devel", debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	check("devel+0123456789ab", debug.BuildSetting{Key: "GOOS", Value: "linux"}, revision, debug.BuildSetting{Key: "vcs.modified", Value: "false"})
	check("devel+0123456789ab.dirty", revision, debug.BuildSetting{Key: "vcs.modified", Value: "true"})
	check("devel+abc", debug.BuildSetting{Key: "vcs.revision", Value: "abc"})
}

func TestARelease(t *testing.T) {
	defer func(before string) { stamp = before }(stamp)
	stamp = "1.2.3"
	if want := "1.2.3, " + Go() + ", " + runtime.GOOS + "/" + runtime.GOARCH; Line() != want || String() != stamp {
		t.Errorf("%q, want %q", Line(), want)
	}
}

func TestWithoutExperiments(t *testing.T) {
	for version, want := range map[string]string{
		"go1.26.0": "go1.26.0", "go1.26.0-X:simd": "go1.26.0", "go1.25.1 X:simd,jsonv2": "go1.25.1", "devel go1.27-0123456": "devel go1.27-0123456",
	} {
		if got := withoutExperiments(version); got != want {
			t.Errorf("%q becomes %q, want %q", version, got, want)
		}
	}
}

// Package version tells which build of the filter this is. It owns that one string; it never knows who shows it.
package version

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// stamp is set by the linker, -X flb-filter-rgcn/plugin/version.stamp=1.2.3: by `make release` to a release's number, by
// a plain make to what String says of a commit. A build by the go command alone leaves it empty.
var stamp string

// String is the version: of a release its number, else "devel" and, where git knew it, the commit, as
// "devel+0123456789ab" or, of changed sources, "devel+0123456789ab.dirty".
func String() string {
	if stamp != "" {
		return stamp
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "devel"
	}
	return ofCommit(info.Settings)
}

func ofCommit(settings []debug.BuildSetting) string {
	version, dirty := "devel", ""
	for _, s := range settings {
		switch {
		case s.Key == "vcs.revision" && s.Value != "":
			version += "+" + s.Value[:min(len(s.Value), 12)]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ".dirty"
		}
	}
	if version == "devel" {
		return version
	}
	return version + dirty
}

// Go is the version of Go that this was built with, as "go1.26.0", without the experiments that were on.
func Go() string { return withoutExperiments(runtime.Version()) }

// withoutExperiments leaves out what Go lists behind its version: "go1.26.0-X:simd", or with a space in between.
func withoutExperiments(version string) string {
	if at := strings.Index(version, "X:"); at > 0 {
		version = version[:at-1]
	}
	return version
}

// Line is all that tells builds apart, for logs: "1.2.3, go1.26.0, linux/amd64".
func Line() string {
	return String() + ", " + Go() + ", " + runtime.GOOS + "/" + runtime.GOARCH
}

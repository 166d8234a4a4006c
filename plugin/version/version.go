// Package version tells which build of the filter this is. It owns that one string; it never knows who shows it.
package version

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// release is what `make release` builds, as "1.2.3", set by the linker: -X
// flb-filter-rgcn/plugin/version.release=1.2.3. A build of any other kind leaves it empty.
var release string

// String is the version: of a release its number, else "devel" and, where the go command knew it, the commit, as
// "devel+0123456789ab" or, of changed sources, "devel+0123456789ab.dirty".
func String() string {
	if release != "" {
		return release
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

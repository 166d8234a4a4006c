package filter

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/state"
)

// Saved is what a state directory holds.
type Saved struct {
	Graph, Model bool      // there is one, whole
	Status       *Status   // of the filter that wrote the directory, as of then; nil: none
	At           time.Time // when the newest of its files was written
	Bytes        int64     // of all files
	Notes        []string  // of damaged files
	Naming       string    // of hosts and relations, by who wrote the graph: see SavedNamingDiffers
}

// HasState tells whether somebody has saved anything in a state directory. The error is of what this user may not read.
func HasState(directory string) (has bool, err error) {
	entries, err := os.ReadDir(directory)
	for _, e := range entries {
		if !slices.Contains([]string{graphFile, modelFile, statusFile}, strings.TrimSuffix(e.Name(), ".prev")) {
			continue
		}
		has = true
		if path := filepath.Join(directory, e.Name()); e.Type().IsRegular() && unix.Access(path, unix.R_OK) != nil {
			return true, fmt.Errorf("%s cannot be read by this user", path)
		}
	}
	return has, err
}

// LookAt tells what a state directory holds, which somebody else may be using. It changes nothing and makes no graph of
// the files, and takes no memory for it.
func LookAt(directory string) (Saved, error) {
	var s Saved
	dir, err := state.OpenReadOnly(directory)
	if err != nil {
		return s, err
	}
	defer dir.Close()
	note := func(ok bool, notes []string) bool {
		s.Notes = append(s.Notes, notes...)
		return ok
	}
	s.Graph = note(dir.Whole(graphFile, graphVersion))
	s.Model = note(dir.Whole(modelFile, modelVersion))
	note(dir.Load(statusFile, statusVersion, func(b []byte) error { return json.Unmarshal(b, &s.Status) }))
	note(dir.Load(namingFile, namingVersion, func(b []byte) error { s.Naming = string(b); return nil }))
	s.At, s.Bytes, err = dir.Written()
	return s, err
}

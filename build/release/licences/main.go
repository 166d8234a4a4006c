// Command licences writes the licence texts of all that is linked into Go programs, for whoever gets these without
// their sources: those of the modules that the programs name, in the versions that they were built with, and Go's own.
//
//	licences [-also FOLDER] PROGRAM... > FILE
//
// -also adds the texts in a folder, of what programs do not name.
//
// It owns which files of a module are its licence. What licences allow it never knows.
package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// part is something with a licence of its own.
type part struct {
	name, version string
	dir           string // with its sources
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("licences", flag.ContinueOnError)
	also := flags.String("also", "", "a `FOLDER` with more texts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("no program is named; want licences PROGRAM... > FILE")
	}
	parts, err := partsOf(flags.Args())
	if err != nil {
		return err
	}
	if *also != "" {
		parts = append(parts, part{name: strings.TrimLeft(*also, "./"), dir: *also})
	}
	return write(out, parts)
}

// partsOf returns what the programs are built of, in order: Go, then the modules.
func partsOf(programs []string) ([]part, error) {
	root, err := exec.Command("go", "env", "GOROOT", "GOVERSION").Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	golang := strings.Fields(string(root))
	versions := map[string]string{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return nil, err
		}
		for _, m := range info.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			versions[m.Path] = m.Version
		}
	}
	parts := []part{{"Go", golang[1], golang[0]}}
	for path, version := range versions {
		dir, err := directory(path, version)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part{path, version, dir})
	}
	slices.SortFunc(parts[1:], func(a, b part) int { return strings.Compare(a.name, b.name) })
	return parts, nil
}

// directory is where Go keeps the sources of a module.
func directory(path, version string) (string, error) {
	answer, err := exec.Command("go", "mod", "download", "-json", path+"@"+version).Output()
	var module struct{ Dir, Error string }
	if bad := json.Unmarshal(answer, &module); err != nil || bad != nil || module.Dir == "" {
		return "", fmt.Errorf("go mod download %s@%s: %v %s", path, version, err, module.Error)
	}
	return module.Dir, nil
}

// licence matches the names of files that are licences, or belong to one.
var licence = regexp.MustCompile(`(?i)^(un)?(licen[sc]es?|copying|notice|patents)([.-].*)?$`)

// texts returns the licence texts in a directory, in the order of their files' names.
func texts(dir string) (all []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.Type().IsRegular() || !licence.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		all = append(all, string(bytes.TrimSpace(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")))))
	}
	return all, nil
}

// write writes each text once, below the names of all parts that have it.
func write(out io.Writer, parts []part) error {
	var order []string
	whose := map[string][]string{}
	for _, p := range parts {
		all, err := texts(p.dir)
		if err == nil && len(all) == 0 {
			err = errors.New("no file of it is a licence by its name")
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", p.name, p.version, err)
		}
		for _, text := range all {
			if whose[text] == nil {
				order = append(order, text)
			}
			whose[text] = append(whose[text], strings.TrimSpace(p.name+" "+p.version))
		}
	}
	var b bytes.Buffer
	fmt.Fprintln(&b, "Licences of what is linked into flb-filter_rgcn.so and rgcn beside their own sources.")
	for _, text := range order {
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(whose[text], "\n"), text)
	}
	_, err := out.Write(b.Bytes())
	return err
}

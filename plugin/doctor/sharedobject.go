package doctor

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"flb-filter-rgcn/plugin/regularfile"
	"flb-filter-rgcn/plugin/version"
)

const (
	// fileName is what Fluent Bit has to find: it takes the name of the plugin from that of the file.
	fileName = "flb-filter_rgcn.so"
	// symbol is how the host finds the registration in it.
	symbol = "filter_rgcn_plugin"
)

// plugin checks that the shared object exists and that this machine's loader and Fluent Bit load it.
func (e *examination) plugin(ctx context.Context) {
	path, at, named := e.sharedObject()
	if path == "" {
		e.findings.add(Problem, TopicPlugin, "", "no "+fileName+" was found", "name it: rgcn doctor -plugin PATH; `make` builds it, and packages put it into /usr/lib/fluent-bit")
	} else if _, err := os.Stat(path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("no such file")
		}
		e.findings.add(Problem, TopicPlugin, at, fmt.Sprintf("%s: %v; Fluent Bit does not start without a file that it shall load", path, err),
			"put "+fileName+" there, or name the path at which it is; make it absolute, since a relative one begins in the directory in which Fluent Bit runs")
		path = ""
	} else if !e.loads(ctx, path, at) {
		path = ""
	} else if !named && e.conf != nil {
		e.findings.add(OK, TopicPlugin, "", "the configuration names no shared object: start Fluent Bit with -e "+path, "")
	}
	e.fluentBit(ctx, path, named)
}

// sharedObject finds the file. named is true if the configuration names it.
func (e *examination) sharedObject() (path, at string, named bool) {
	if e.conf != nil {
		for _, p := range e.conf.Plugins {
			if strings.Contains(filepath.Base(p.Value), "rgcn") {
				path, at, named = p.Value, p.At.String(), true
			}
		}
	}
	if e.Plugin != "" {
		return e.Plugin, "", named
	}
	if named {
		return path, at, true
	}
	var places []string
	if self, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(self), fileName))
	}
	for _, place := range append(places, "/usr/lib/fluent-bit/"+fileName, "/usr/local/lib/fluent-bit/"+fileName, "/fluent-bit/lib/"+fileName) {
		if _, err := os.Stat(place); err == nil {
			return place, "", false
		}
	}
	return "", "", false
}

// loads reports whether this machine's loader takes the file, and adds a finding.
func (e *examination) loads(ctx context.Context, path, at string) bool {
	problem := func(text, fix string) bool {
		e.findings.add(Problem, TopicPlugin, at, path+": "+text, fix)
		return false
	}
	if filepath.Base(path) != fileName {
		return problem("Fluent Bit takes the name of a plugin from that of its file", "rename it to "+fileName)
	}
	file, err := regularfile.Open(path)
	if err != nil {
		return problem(fmt.Sprintf("cannot be read: %v", regularfile.Cause(err)), "name the shared object, which this user may read")
	}
	defer file.Close()
	f, err := elf.NewFile(file)
	if err != nil {
		return problem(fmt.Sprintf("is no shared object: %v", err), "copy it anew, with the checksum of the release")
	}
	if want := machines[runtime.GOARCH]; f.Machine != want || f.Type != elf.ET_DYN {
		return problem(fmt.Sprintf("is for %v, this machine is %v", f.Machine, want), "take the file of this architecture: "+runtime.GOARCH)
	}
	if !exports(f) {
		return problem("has no "+symbol+", so it is not this filter", "take the file that `make` or a release built")
	}
	needs := oldest(f)
	has, libc, known := ownGlibc()
	if known && needs > has {
		return problem(fmt.Sprintf("needs glibc 2.%d, this machine has 2.%d (%s)", needs, has, libc), "take the file of a release, which loads with glibc 2.17 and newer, or one that was built here")
	}
	if text := e.link(ctx, path); text != "" {
		return problem("the system's loader refuses it: "+text, "install what is missing, or take the file of a release, which needs glibc alone")
	}
	text := path + " loads here"
	if known && needs > 0 {
		text += fmt.Sprintf("; it needs glibc 2.%d and this machine has 2.%d", needs, has)
	}
	e.findings.add(OK, TopicPlugin, at, text, "")
	if its, err := version.OfFile(path); err == nil {
		if own := version.String(); strings.HasPrefix(own, "devel+") && strings.HasPrefix(its, "devel+") && own != its {
			e.findings.add(Warning, TopicPlugin, at, fmt.Sprintf("the shared object is %s, this tool %s: what it says of settings and records is the tool's own view", its, own),
				"take both from one build")
		}
	}
	return true
}

var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func exports(f *elf.File) bool {
	symbols, _ := f.DynamicSymbols() // none, of a file that has none
	for i := range symbols {
		if symbols[i].Name == symbol && symbols[i].Section != elf.SHN_UNDEF {
			return true
		}
	}
	return false
}

// oldest is n of the oldest glibc 2.n with which the file loads.
func oldest(f *elf.File) (n int) {
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		return 0
	}
	for _, need := range needs {
		for _, v := range need.Needs {
			n = max(n, release(v.Dep))
		}
	}
	return n
}

// release is n of GLIBC_2.n or GLIBC_2.n.m, 0 of anything else.
func release(version string) int {
	rest, ok := strings.CutPrefix(version, "GLIBC_2.")
	first, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(first)
	if !ok || err != nil {
		return 0
	}
	return n
}

// ownGlibc is n of the glibc 2.n that this process runs with, and its file.
func ownGlibc() (n int, path string, known bool) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, "", false
	}
	for l := range strings.Lines(string(maps)) {
		fields := strings.Fields(l)
		if len(fields) < 6 || !strings.HasPrefix(filepath.Base(fields[5]), "libc.so.6") && !strings.HasPrefix(filepath.Base(fields[5]), "libc-2.") {
			continue
		}
		f, err := elf.Open(fields[5])
		if err != nil {
			return 0, "", false
		}
		defer f.Close()
		versions, err := f.DynamicVersions()
		if err != nil {
			return 0, "", false
		}
		for _, v := range versions {
			n = max(n, release(v.Name))
		}
		return n, fields[5], n > 0
	}
	return 0, "", false
}

// link lets the system's loader resolve all that the file needs, without running any of it. It returns what is missing.
func (e *examination) link(ctx context.Context, path string) string {
	loader := loaderOf("/proc/self/exe")
	if loader == "" {
		return ""
	}
	path, err := filepath.Abs(path)
	if err != nil {
		return err.Error()
	}
	r, err := run(ctx, []string{"LD_TRACE_LOADED_OBJECTS=1", "LD_WARN=yes", "LD_BIND_NOW=yes"}, loader, path) // as ldd -r does
	if err != nil {
		return "" // unknown; Fluent Bit's own check may tell
	}
	if missing := having(r.output, "not found", "undefined symbol"); len(missing) > 0 {
		return strings.Join(missing, "; ")
	}
	if r.code != 0 {
		return strings.Join(having(r.output, ""), "; ")
	}
	return ""
}

// loaderOf is the loader that a program names in its header.
func loaderOf(program string) string {
	f, err := elf.Open(program)
	if err != nil {
		return ""
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			b := make([]byte, min(p.Filesz, 4096))
			if _, err := p.ReadAt(b, 0); err == nil {
				return strings.TrimRight(string(b), "\x00")
			}
		}
	}
	return ""
}

package release

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// oldestGlibc is the release of glibc that the README promises: 2.oldestGlibc.
const oldestGlibc = 17

// libraries that a file may ask for. All are part of glibc and in every process that Fluent Bit runs in.
var libraries = []string{"libc.so.6", "libpthread.so.0", "libdl.so.2"}

var machines = map[string]struct {
	machine elf.Machine
	page    uint64 // the largest that kernels for it are built with
}{
	"amd64": {elf.EM_X86_64, 4 << 10},
	"arm64": {elf.EM_AARCH64, 64 << 10},
}

// Every file that is handed out loads with the oldest glibc, asks for no library but glibc's, runs with any page size, and wants
// neither an executable stack nor memory that is writable and executable.
func TestFiles(t *testing.T) {
	for _, target := range targets {
		for _, name := range []string{"flb-filter_rgcn.so", "rgcn"} {
			t.Run(target.goarch+"/"+name, func(t *testing.T) {
				f, err := elf.Open(target.file(name))
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				want := machines[target.goarch]
				if f.Machine != want.machine || f.Class != elf.ELFCLASS64 {
					t.Errorf("is for %v, %v", f.Machine, f.Class)
				}
				checkVersions(t, f)
				checkSegments(t, f, want.page)
				checkDynamic(t, f)
			})
		}
	}
}

func checkVersions(t *testing.T, f *elf.File) {
	needs, err := f.DynamicVersionNeeds()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, need := range needs {
		for _, version := range need.Needs {
			seen++
			if !loadsWith(version.Dep, oldestGlibc) {
				t.Errorf("wants %s of %s, which is newer than 2.%d: %q", version.Dep, need.Name, oldestGlibc, wanting(t, f, version.Dep))
			}
		}
	}
	if seen == 0 {
		t.Error("names no version of any symbol")
	}
}

// loadsWith tells whether glibc 2.minor has a version of symbols, as GLIBC_2.2.5.
func loadsWith(version string, minor int) bool {
	rest, ok := strings.CutPrefix(version, "GLIBC_2.")
	first, _, _ := strings.Cut(rest, ".")
	n, err := strconv.Atoi(first)
	return ok && err == nil && n <= minor
}

func wanting(t *testing.T, f *elf.File, version string) (names []string) {
	symbols, err := f.ImportedSymbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Version == version {
			names = append(names, s.Name)
		}
	}
	return names
}

func checkSegments(t *testing.T, f *elf.File, page uint64) {
	stacks, loads := 0, 0
	for _, p := range f.Progs {
		switch p.Type {
		case elf.PT_GNU_STACK: // without one the kernel makes the stack executable
			stacks++
			if p.Flags&elf.PF_X != 0 {
				t.Error("wants an executable stack")
			}
		case elf.PT_LOAD:
			loads++
			if p.Align%page != 0 || p.Align < page {
				t.Errorf("segment at %#x is aligned to %d, want pages of %d", p.Vaddr, p.Align, page)
			}
			if (p.Vaddr-p.Off)%page != 0 {
				t.Errorf("segment at %#x lies in the file at %#x: not the same place in a page of %d", p.Vaddr, p.Off, page)
			}
			if p.Flags&elf.PF_W != 0 && p.Flags&elf.PF_X != 0 {
				t.Errorf("segment at %#x is writable and executable", p.Vaddr)
			}
		}
	}
	if stacks != 1 || loads == 0 {
		t.Errorf("%d stack headers and %d segments", stacks, loads)
	}
}

func checkDynamic(t *testing.T, f *elf.File) {
	needed, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	if len(needed) == 0 {
		t.Error("needs no library: is it linked statically?")
	}
	for _, library := range needed {
		if !slices.Contains(libraries, library) {
			t.Errorf("needs %s, beside %q", library, libraries)
		}
	}
	for _, tag := range []elf.DynTag{elf.DT_RPATH, elf.DT_RUNPATH, elf.DT_TEXTREL} {
		if values, err := f.DynValue(tag); err != nil || len(values) > 0 {
			t.Errorf("%v: %v, %v", tag, values, err)
		}
	}
}

// registrationBytes is the size of struct flb_filter_plugin (plugin/fluentbit/abi.h) on either architecture.
const registrationBytes = 88

// The plugin exports what the host looks for: the data symbol of its registration.
func TestRegistration(t *testing.T) {
	for _, target := range targets {
		f, err := elf.Open(target.file("flb-filter_rgcn.so"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		symbols, err := f.DynamicSymbols()
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(symbols, func(s elf.Symbol) bool { return s.Name == "filter_rgcn_plugin" })
		if i < 0 {
			t.Fatalf("%s exports no filter_rgcn_plugin", target.goarch)
		}
		if s := symbols[i]; elf.ST_TYPE(s.Info) != elf.STT_OBJECT || s.Section == elf.SHN_UNDEF || s.Size != registrationBytes {
			t.Errorf("%s: filter_rgcn_plugin is %+v", target.goarch, s)
		}
	}
}

// A path in the files would tell about the machine that built them, and change their bytes on the next one.
func TestNoPathsOfThisMachine(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range targets {
		for _, name := range []string{"flb-filter_rgcn.so", "rgcn"} {
			data, err := os.ReadFile(target.file(name))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{root + "/", home + "/go/", home + "/.cache/"} {
				if at := bytes.Index(data, []byte(path)); at >= 0 {
					t.Errorf("%s/%s holds %q", target.goarch, name, data[at:min(at+len(path)+40, len(data))])
				}
			}
		}
	}
}

func TestLoadsWith(t *testing.T) {
	for version, want := range map[string]bool{
		"GLIBC_2.2.5": true, "GLIBC_2.17": true, "GLIBC_2.18": false, "GLIBC_2.34": false, "GLIBC_PRIVATE": false, "GLIBC_ABI_DT_RELR": false, "": false,
	} {
		if got := loadsWith(version, 17); got != want {
			t.Errorf("%s with 2.17: %v", version, got)
		}
	}
}

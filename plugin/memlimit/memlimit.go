// Package memlimit tells how much memory the process may still take before something stops it: a memory cgroup, of
// version 1 or 2, any of those above it, the limit of its address space, or the machine running out.
//
// It owns the files in which the kernel reports this, and the rule that memory which the kernel can free at once does
// not count as taken. It never knows who asks, and limits nothing itself.
package memlimit

import (
	"bufio"
	"bytes"
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// Limit is one bound on the memory of the process, alone or together with others.
type Limit struct {
	By    string // who limits: a cgroup's file, the limit of address space, or the machine
	Bytes int64  // the bound
	Left  int64  // bytes of it that can still be taken now; below 0 where it is passed
}

// Tightest returns the limit that leaves least now, and false where none is known. root is the file system of the
// machine, os.DirFS("/") but in tests. It reads some ten small files.
func Tightest(root fs.FS) (Limit, bool) {
	tightest, found := Limit{Left: math.MaxInt64}, false
	limits := append(cgroups(root), machine(root)...)
	if l, ok := AddressSpace(root); ok {
		limits = append(limits, l)
	}
	for _, l := range limits {
		if l.Left < tightest.Left {
			tightest, found = l, true
		}
	}
	return tightest, found
}

// AddressSpace is the limit of the process's address space (RLIMIT_AS), false where there is none. What is reserved and
// not used counts as taken, as for the kernel: some of it may still serve, but when more is asked for than is left, a Go
// runtime ends the process.
func AddressSpace(root fs.FS) (Limit, bool) {
	limits, err := fs.ReadFile(root, "proc/self/limits")
	if err != nil {
		return Limit{}, false
	}
	status, err := fs.ReadFile(root, "proc/self/status")
	if err != nil {
		return Limit{}, false
	}
	const name, kib = "Max address space", 1 << 10
	size, known := valueOf(status, "VmSize:")
	for line := range strings.Lines(string(limits)) {
		fields := strings.Fields(strings.TrimPrefix(line, name)) // soft, hard, unit
		if !strings.HasPrefix(line, name) || len(fields) == 0 {
			continue
		}
		most, err := strconv.ParseInt(fields[0], 10, 64)
		return Limit{By: "the limit of address space (ulimit -v, LimitAS=)", Bytes: most, Left: most - size*kib}, err == nil && known && most < unlimited
	}
	return Limit{}, false
}

// machine is what the kernel counts as available to a new program without swapping.
func machine(root fs.FS) []Limit {
	info, err := fs.ReadFile(root, "proc/meminfo")
	if err != nil {
		return nil
	}
	total, ok := valueOf(info, "MemTotal:")
	left, known := valueOf(info, "MemAvailable:") // since Linux 3.14
	if !ok || !known {
		return nil
	}
	const kib = 1 << 10
	return []Limit{{By: "the machine's memory", Bytes: total * kib, Left: left * kib}}
}

// valueOf returns the number behind a key at the start of a line.
func valueOf(text []byte, key string) (int64, bool) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == key {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			return n, err == nil
		}
	}
	return 0, false
}

// within returns the path of name below above, and false where it does not lie there.
func within(name, above string) (string, bool) {
	if above == "/" {
		return name, true
	}
	rest, ok := strings.CutPrefix(name, above)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return path.Clean("/" + rest), true
}

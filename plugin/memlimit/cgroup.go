package memlimit

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

// hierarchy is one tree of cgroups that may limit memory, as the two versions of the kernel's interface have it.
type hierarchy struct {
	version int
	mount   string // where it is mounted
	root    string // the cgroup that is seen there
	own     string // the cgroup of this process
}

// unlimited is the number of bytes from which on a limit means none: version 1 writes the largest multiple of a page.
const unlimited = math.MaxInt64 / 2

// cgroups returns the limits of the process's own cgroup and of all above it that can be seen.
func cgroups(root fs.FS) (limits []Limit) {
	for _, h := range hierarchies(root) {
		// A cgroup outside of what is mounted cannot be found: what is mounted then is the container's own, as a rule.
		at, ok := within(h.own, h.root)
		if !ok {
			at = "/"
		}
		for {
			dir := path.Join(h.mount, at)
			if h.version == 2 {
				limits = append(limits, unified(root, dir)...)
			} else {
				limits = append(limits, legacy(root, dir)...)
			}
			if at == "/" || h.version == 1 && !inherits(root, path.Dir(dir)) {
				break
			}
			at = path.Dir(at)
		}
	}
	return limits
}

// hierarchies finds those with the memory controller, from /proc/self/cgroup and /proc/self/mountinfo.
func hierarchies(root fs.FS) (found []hierarchy) {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	mounts, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(groups)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // number:controllers:path
		if len(fields) != 3 {
			continue
		}
		kind, option := "cgroup2", ""
		if fields[1] != "" {
			if kind, option = "cgroup", "memory"; !has(fields[1], option) {
				continue
			}
		}
		if mount, seen, ok := mountOf(string(mounts), kind, option); ok {
			version := 1
			if kind == "cgroup2" {
				version = 2
			}
			found = append(found, hierarchy{version, mount, path.Clean("/" + seen), path.Clean("/" + fields[2])})
		}
	}
	return found
}

// mountOf finds where a file system of a kind, with an option unless that is "", is mounted, and which of its
// directories is seen there.
func mountOf(mounts, kind, option string) (at, seen string, ok bool) {
	for line := range strings.Lines(mounts) {
		// 35 31 0:32 ROOT MOUNTPOINT OPTIONS [tags] - KIND SOURCE OPTIONS
		head, tail, found := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		h, t := strings.Fields(head), strings.Fields(tail)
		if !found || len(h) < 5 || len(t) < 3 || t[0] != kind || option != "" && !has(t[2], option) {
			continue
		}
		return unescape(h[4]), unescape(h[3]), true
	}
	return "", "", false
}

// has tells whether a list with commas between has an item.
func has(list, item string) bool {
	for each := range strings.SplitSeq(list, ",") {
		if each == item {
			return true
		}
	}
	return false
}

// unescape undoes the kernel's escapes of blanks and backslashes in a path.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// unified returns the limits of a cgroup of version 2. memory.high throttles where memory.max kills: both are kept.
func unified(root fs.FS, dir string) (limits []Limit) {
	taken, ok := number(root, path.Join(dir, "memory.current"))
	if !ok { // the root, or no memory controller
		return nil
	}
	taken -= reclaimable(root, dir, "inactive_file", "file_dirty", "file_writeback")
	for _, name := range []string{"memory.max", "memory.high"} {
		file := path.Join(dir, name)
		if most, ok := number(root, file); ok { // "max" is no number
			limits = append(limits, Limit{By: file, Bytes: most, Left: most - taken})
		}
	}
	return limits
}

// legacy returns the limits of a cgroup of version 1: its own, and the lowest of those above it, which a container may
// not see.
func legacy(root fs.FS, dir string) (limits []Limit) {
	taken, ok := number(root, path.Join(dir, "memory.usage_in_bytes"))
	if !ok {
		return nil
	}
	taken -= reclaimable(root, dir, "total_inactive_file", "total_dirty", "total_writeback")
	own := int64(math.MaxInt64)
	file := path.Join(dir, "memory.limit_in_bytes")
	if most, ok := number(root, file); ok && most < unlimited {
		own = most
		limits = append(limits, Limit{By: file, Bytes: most, Left: most - taken})
	}
	stat := path.Join(dir, "memory.stat")
	if most, ok := statOf(root, stat, "hierarchical_memory_limit"); ok && most < unlimited && most < own {
		limits = append(limits, Limit{By: stat + " (hierarchical_memory_limit)", Bytes: most, Left: most - taken})
	}
	return limits
}

// inherits tells whether memory of the cgroups below one of version 1 counts there, too: always, since Linux 5.11.
func inherits(root fs.FS, dir string) bool {
	n, ok := number(root, path.Join(dir, "memory.use_hierarchy"))
	return !ok || n != 0
}

// reclaimable is what the kernel gives up before a limit is reached: pages of files that nobody used of late, but for
// those that have to be written first. A host that writes files has many of them, and a cgroup of version 1 does not
// wait for them.
func reclaimable(root fs.FS, dir, unused string, unwritten ...string) int64 {
	file := path.Join(dir, "memory.stat")
	n, _ := statOf(root, file, unused)
	for _, key := range unwritten {
		pages, _ := statOf(root, file, key)
		n -= pages
	}
	return max(0, n)
}

func statOf(root fs.FS, file, key string) (int64, bool) {
	text, err := fs.ReadFile(root, name(file))
	if err != nil {
		return 0, false
	}
	return valueOf(text, key)
}

// number reads a file that holds one number of bytes.
func number(root fs.FS, file string) (int64, bool) {
	text, err := fs.ReadFile(root, name(file))
	if err != nil {
		return 0, false
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n, err == nil
}

// name is a path of the machine as fs.FS has it.
func name(file string) string { return strings.TrimPrefix(file, "/") }

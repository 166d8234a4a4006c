package memlimit

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

const mib = 1 << 20

// machineOf makes a file system of files whose names and contents come by turns.
func machineOf(files ...string) fstest.MapFS {
	root := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		root[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	return root
}

const (
	mounts1 = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
	mounts2 = "24 1 0:22 / /proc rw - proc proc rw\n30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
	meminfo = "MemTotal:       2097152 kB\nMemFree:         10 kB\nMemAvailable:    1048576 kB\n"
)

func TestTightest(t *testing.T) {
	const none = "9223372036854771712\n"
	for name, c := range map[string]struct {
		files []string
		by    string // "": no limit is known
		bytes int64
		left  int64
	}{
		"nothing can be read": {},
		"the machine alone":   {[]string{"proc/meminfo", meminfo}, "the machine's memory", 2048 * mib, 1024 * mib},
		"an old kernel":       {[]string{"proc/meminfo", "MemTotal: 2097152 kB\nMemFree: 10 kB\n"}, "", 0, 0},
		"version 2": {[]string{"proc/meminfo", meminfo, "proc/self/cgroup", "0::/kubepods/pod1/app\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/kubepods/pod1/app/memory.current", "104857600\n",
			"sys/fs/cgroup/kubepods/pod1/app/memory.stat", "anon 5\nfile_dirty 2097152\nfile_writeback 8388608\ninactive_file 31457280\nactive_file 7\n",
			"sys/fs/cgroup/kubepods/pod1/app/memory.max", "268435456\n",
			"sys/fs/cgroup/kubepods/pod1/app/memory.high", "max\n",
		}, "/sys/fs/cgroup/kubepods/pod1/app/memory.max", 256 * mib, 176 * mib},
		"memory.high comes before memory.max": {[]string{"proc/self/cgroup", "0::/a\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/a/memory.current", "104857600\n", "sys/fs/cgroup/a/memory.max", "268435456\n", "sys/fs/cgroup/a/memory.high", "209715200\n",
		}, "/sys/fs/cgroup/a/memory.high", 200 * mib, 100 * mib},
		"one above it is tighter, since others live there": {[]string{"proc/self/cgroup", "0::/a/b/c\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/a/b/c/memory.current", "10485760\n", "sys/fs/cgroup/a/b/c/memory.max", "268435456\n",
			"sys/fs/cgroup/a/b/memory.current", "10485760\n", "sys/fs/cgroup/a/b/memory.max", "max\n",
			"sys/fs/cgroup/a/memory.current", "524288000\n", "sys/fs/cgroup/a/memory.max", "536870912\n",
		}, "/sys/fs/cgroup/a/memory.max", 512 * mib, 12 * mib},
		"more pages to write than unused ones": {[]string{"proc/self/cgroup", "0::/a\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/a/memory.current", "104857600\n", "sys/fs/cgroup/a/memory.max", "268435456\n", "sys/fs/cgroup/a/memory.stat", "inactive_file 1048576\nfile_dirty 2097152\n",
		}, "/sys/fs/cgroup/a/memory.max", 256 * mib, 156 * mib},
		"a limit that is passed": {[]string{"proc/self/cgroup", "0::/a\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/a/memory.current", "104857600\n", "sys/fs/cgroup/a/memory.max", "max\n", "sys/fs/cgroup/a/memory.high", "52428800\n",
		}, "/sys/fs/cgroup/a/memory.high", 50 * mib, -50 * mib},
		"in a namespace of its own the cgroup is the root": {[]string{"proc/self/cgroup", "0::/\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/memory.current", "104857600\n", "sys/fs/cgroup/memory.max", "268435456\n",
		}, "/sys/fs/cgroup/memory.max", 256 * mib, 156 * mib},
		"only the own cgroup is mounted": {[]string{"proc/self/cgroup", "0::/system.slice/docker-1\n",
			"proc/self/mountinfo", "30 24 0:26 /system.slice/docker-1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
			"sys/fs/cgroup/memory.current", "104857600\n", "sys/fs/cgroup/memory.max", "268435456\n",
		}, "/sys/fs/cgroup/memory.max", 256 * mib, 156 * mib},
		"another one is mounted": {[]string{"proc/self/cgroup", "0::/../other\n",
			"proc/self/mountinfo", "30 24 0:26 /system.slice/docker-1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n",
			"sys/fs/cgroup/memory.current", "104857600\n", "sys/fs/cgroup/memory.max", "268435456\n",
		}, "/sys/fs/cgroup/memory.max", 256 * mib, 156 * mib},
		"a mount point with a blank": {[]string{"proc/self/cgroup", "0::/\n", "proc/self/mountinfo", `30 24 0:26 / /sys/fs/my\040cgroup ro - cgroup2 cgroup rw` + "\n",
			"sys/fs/my cgroup/memory.current", "104857600\n", "sys/fs/my cgroup/memory.max", "268435456\n",
		}, "/sys/fs/my cgroup/memory.max", 256 * mib, 156 * mib},
		"version 1": {[]string{"proc/meminfo", meminfo, "proc/self/cgroup", "9:name=systemd:/x\n4:cpu,memory:/docker/1\n0::/x\n", "proc/self/mountinfo", mounts1,
			"sys/fs/cgroup/memory/docker/1/memory.usage_in_bytes", "104857600\n",
			"sys/fs/cgroup/memory/docker/1/memory.stat", "inactive_file 1\nhierarchical_memory_limit 268435456\ntotal_inactive_file 31457280\ntotal_dirty 8388608\ntotal_writeback 2097152\n",
			"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "268435456\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes", "1048576000\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", none,
		}, "/sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", 256 * mib, 176 * mib},
		"version 1, one above it": {[]string{"proc/self/cgroup", "4:memory:/a/b\n", "proc/self/mountinfo", mounts1,
			"sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "1048576\n", "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", none,
			"sys/fs/cgroup/memory/a/memory.use_hierarchy", "1\n",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "104857600\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "268435456\n",
		}, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", 256 * mib, 156 * mib},
		"version 1, one above it that does not count what lies below": {[]string{"proc/self/cgroup", "4:memory:/a/b\n", "proc/self/mountinfo", mounts1,
			"sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "1048576\n", "sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", "536870912\n",
			"sys/fs/cgroup/memory/a/memory.use_hierarchy", "0\n",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "104857600\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "268435456\n",
		}, "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes", 512 * mib, 511 * mib},
		"version 1, a limit above that cannot be seen": {[]string{"proc/self/cgroup", "4:memory:/pod/1\n",
			"proc/self/mountinfo", "35 31 0:32 /pod/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/memory/memory.usage_in_bytes", "104857600\n", "sys/fs/cgroup/memory/memory.limit_in_bytes", none,
			"sys/fs/cgroup/memory/memory.stat", "hierarchical_memory_limit 268435456\n",
		}, "/sys/fs/cgroup/memory/memory.stat (hierarchical_memory_limit)", 256 * mib, 156 * mib},
		"both versions, memory with the first": {[]string{"proc/self/cgroup", "4:memory:/a\n0::/b\n", "proc/self/mountinfo", mounts1 + "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes", "104857600\n", "sys/fs/cgroup/memory/a/memory.limit_in_bytes", "268435456\n",
		}, "/sys/fs/cgroup/memory/a/memory.limit_in_bytes", 256 * mib, 156 * mib},
		"the machine is tighter than the cgroup": {[]string{"proc/meminfo", meminfo, "proc/self/cgroup", "0::/a\n", "proc/self/mountinfo", mounts2,
			"sys/fs/cgroup/a/memory.current", "104857600\n", "sys/fs/cgroup/a/memory.max", "4294967296\n",
		}, "the machine's memory", 2048 * mib, 1024 * mib},
		"files of rubbish": {[]string{"proc/meminfo", "MemTotal:\nMemAvailable: much kB\n", "proc/self/cgroup", "::\n4:memory\n0::/a\n", "proc/self/mountinfo", "30 - \n30 24 0:26 / /sys/fs/cgroup - cgroup2\n" + mounts2,
			"sys/fs/cgroup/a/memory.current", "\n", "sys/fs/cgroup/a/memory.max", "12x\n",
		}, "", 0, 0},
	} {
		got, ok := Tightest(machineOf(c.files...))
		if ok != (c.by != "") || ok && got != (Limit{c.by, c.bytes, c.left}) {
			t.Errorf("%s: %+v, %v; want %s, %d MiB, %d left", name, got, ok, c.by, c.bytes/mib, c.left/mib)
		}
	}
}

// The files of this very machine are understood.
func TestThisMachine(t *testing.T) {
	l, ok := Tightest(os.DirFS("/"))
	if !ok {
		info, err := os.ReadFile("/proc/meminfo")
		if err == nil && strings.Contains(string(info), "MemAvailable:") {
			t.Error("no limit is known")
		}
		t.Skip("skipped: this machine does not say how much memory is available")
	}
	if l.By == "" || l.Bytes <= 0 || l.Left > l.Bytes {
		t.Errorf("%+v", l)
	}
	t.Logf("%+v", l)
}

func TestAddressSpace(t *testing.T) {
	const limits = "Limit                     Soft Limit           Hard Limit           Units     \nMax cpu time              unlimited            unlimited            seconds   \n" +
		"Max address space         1073741824           2073741824           bytes     \n"
	const status = "Name:\tfluent-bit\nVmPeak:\t 900000 kB\nVmSize:\t  614400 kB\n"
	root := machineOf("proc/self/limits", limits, "proc/self/status", status, "proc/meminfo", meminfo)
	if l, ok := AddressSpace(root); !ok || l.Bytes != 1024*mib || l.Left != 424*mib {
		t.Errorf("%+v, %v", l, ok)
	}
	if l, ok := Tightest(root); !ok || l.By != "the limit of address space (ulimit -v, LimitAS=)" || l.Left != 424*mib {
		t.Errorf("not the tightest: %+v, %v", l, ok)
	}
	for _, files := range [][]string{
		{"proc/self/limits", strings.ReplaceAll(limits, "1073741824", "unlimited"), "proc/self/status", status},
		{"proc/self/limits", limits},
		{"proc/self/status", status},
		{"proc/self/limits", limits, "proc/self/status", "Name:\tx\n"},
	} {
		if l, ok := AddressSpace(machineOf(files...)); ok {
			t.Errorf("%q: %+v", files, l)
		}
	}
}

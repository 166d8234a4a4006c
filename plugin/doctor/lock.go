package doctor

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/printable"
	"flb-filter-rgcn/plugin/regularfile"
)

// holder reports whether a process holds the lock of a file, and which one, as far as this process can see. It reads the
// kernel's list of locks, since trying the lock would block others for a moment. It tries the lock where the list does not
// have the file: that of a container lacks the processes of others.
func holder(path string) (pid int, held bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	if locks, err := os.ReadFile("/proc/locks"); err == nil {
		if pid := lockedBy(string(locks), unix.Major(st.Dev), unix.Minor(st.Dev), st.Ino); pid > 0 {
			return pid, true
		}
	}
	f, err := regularfile.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == unix.EWOULDBLOCK {
		return 0, true
	}
	return 0, false
}

// lockedBy finds a file in the text of /proc/locks: "1: FLOCK  ADVISORY  WRITE 708 08:01:1234 0 EOF", with the device
// in hexadecimal.
func lockedBy(locks string, major, minor uint32, inode uint64) (pid int) {
	want := fmt.Sprintf("%02x:%02x:%d", major, minor, inode)
	for l := range strings.Lines(locks) {
		fields := strings.Fields(l)
		if len(fields) >= 6 && fields[1] == "FLOCK" && fields[5] == want {
			pid, _ = strconv.Atoi(fields[4])
			return pid
		}
	}
	return 0
}

// nameOf is the name of a process with its number.
func nameOf(pid int) string {
	name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	if err != nil {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d (%s)", pid, printable.Name(strings.TrimSpace(string(name)), longestName))
}

// Package filelimit tells how large a file the process may write (RLIMIT_FSIZE). Whoever writes beyond that gets the
// signal SIGXFSZ, which ends a host that does not expect it, and its scores with it: so the limit is looked at before.
// The package never touches what the process does at a signal, which is the host's.
package filelimit

import (
	"fmt"
	"math"
	"syscall"

	"golang.org/x/sys/unix"
)

// Of returns the limit in bytes, math.MaxInt64 for none. Tests set another: the process's own would count for the files
// of the test's driver, too.
var Of = func() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &limit); err != nil || limit.Cur > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(limit.Cur)
}

// Check returns an error that wraps syscall.EFBIG, with the limit and where it is set, if a file of so many bytes is
// larger than the process may write.
func Check(bytes int64) error {
	if limit := Of(); bytes > limit {
		return fmt.Errorf("%w: %d bytes, and this process may write files of at most %d (ulimit -f, LimitFSIZE= of a unit)", syscall.EFBIG, bytes, limit)
	}
	return nil
}

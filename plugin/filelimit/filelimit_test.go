package filelimit

import (
	"errors"
	"math"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inChild is set in the environment of a process that sets the limit for itself.
const inChild = "FILELIMIT_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(inChild) == "" {
		os.Exit(m.Run())
	}
	err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: 1000, Max: 1000})
	if err = errors.Join(err, Check(1000)); err == nil {
		err = Check(1001)
	}
	os.Stdout.WriteString(err.Error())
}

// The limit is that of the process, and a file may be as large as it.
func TestTheLimitOfTheProcess(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), inChild+"=1")
	said, err := cmd.Output()
	if want := "file too large: 1001 bytes, and this process may write files of at most 1000 (ulimit -f, LimitFSIZE= of a unit)"; err != nil || string(said) != want {
		t.Errorf("%q, %v, want %q", said, err, want)
	}
}

func TestCheck(t *testing.T) {
	defer func(was func() int64) { Of = was }(Of)
	for _, c := range []struct {
		limit, bytes int64
		fits         bool
	}{{0, 0, true}, {0, 1, false}, {1000, 1000, true}, {1000, 1001, false}, {math.MaxInt64, 1 << 60, true}} {
		Of = func() int64 { return c.limit }
		err := Check(c.bytes)
		if (err == nil) != c.fits || err != nil && (!errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), "ulimit -f")) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

package doctor

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/state"
)

func stateOf(t *testing.T, dir string, more ...string) *examination {
	t.Helper()
	return examine(t, Options{Conf: conf(t, "", append(more, "State_Dir "+dir)...)}, (*examination).states)
}

// learned makes a state directory as a filter leaves it.
func learned(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	over := map[string]string{"state_dir": dir, "train_interval": "0"}
	f, err := filter.NewOffline(newProperties(nil, over, ""))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		f.Process(nil, eventOf(map[string]any{"ts": 1772445600.0, "id.orig_h": fmt.Sprintf("198.51.100.%d", i), "id.resp_h": "192.0.2.1"}, 1772445600e9))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestState(t *testing.T) {
	dir := learned(t)
	e := stateOf(t, dir)
	e.has(t, OK, TopicState, "fluent-bit.conf:8", dir+", of user "+fmt.Sprint(os.Getuid())+", free", "3 distinct triplets, 4 hosts", "no model yet")
	e = stateOf(t, filepath.Join(t.TempDir(), "a", "b"))
	e.has(t, OK, TopicState, "is not there yet")
	if _, err := os.Stat(e.targets[0].config.State.Dir); err == nil {
		t.Error("the directory is made")
	}
	examine(t, Options{Conf: conf(t, "")}, (*examination).states).has(t, Warning, TopicState, "has no State_Dir", "add State_Dir")

	file := write(t, t.TempDir(), "file", "x")
	stateOf(t, file).has(t, Problem, TopicState, "is no directory: the filter works in memory", "name a directory")
	stateOf(t, filepath.Join(file, "below"), "State_Required On").has(t, Problem, TopicState, "not a directory: Fluent Bit does not start")
}

// A link to what is not there is in the way of a directory, which the filter would make else.
func TestStateBehindALink(t *testing.T) {
	link := filepath.Join(t.TempDir(), "state")
	if err := os.Symlink(filepath.Join(t.TempDir(), "none"), link); err != nil {
		t.Fatal(err)
	}
	stateOf(t, link).has(t, Problem, TopicState, link+" is a link to what is not there: the filter works in memory", "make what the link names")
	stateOf(t, filepath.Join(link, "below")).has(t, Problem, TopicState, link+" is a link to what is not there", "make what the link names")
}

func TestStateThatOthersMayWrite(t *testing.T) {
	dir := learned(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	stateOf(t, dir).has(t, Warning, TopicState, "others may write in "+dir, "chmod go-w "+dir)
}

func TestDamagedState(t *testing.T) {
	dir := learned(t)
	write(t, dir, "graph", "garbage")
	e := stateOf(t, dir)
	e.has(t, Warning, TopicState, "damaged")
	if b, err := os.ReadFile(filepath.Join(dir, "graph")); err != nil || string(b) != "garbage" {
		t.Errorf("the file was touched: %q, %v", b, err)
	}
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
	e = stateOf(t, dir)
	e.has(t, Warning, TopicState, "lock is no regular file")
	e.has(t, Problem, TopicState, "lock is a symbolic link, want a regular file", "the filter works in memory")
}

// A directory of another user is of no use, and neither is one with files of another user in it.
func TestStateOfAnotherUser(t *testing.T) {
	dir := learned(t)
	if os.Geteuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		stateOf(t, dir).has(t, Problem, TopicState, "cannot be written by user", "chown -R USER")
		return
	}
	if err := os.Chown(dir, 12345, -1); err != nil {
		t.Fatal(err)
	}
	stateOf(t, dir).has(t, Problem, TopicState, "belongs to user 0 and the directory to user 12345", "chown -R 12345 "+dir)
}

// A file system that is mounted read-only is told apart from a directory without rights: to give it away would not help.
func TestStateOnAReadOnlyFileSystem(t *testing.T) {
	dir := learned(t)
	below, published := filepath.Join(dir, "none-such", "state"), filepath.Join(dir, "published")
	graph := filepath.Join(dir, "graph")
	defer func() { access = unix.Access }()
	for path, of := range map[string]string{dir: dir, below: dir, published: dir, graph: dir} {
		access = func(p string, mode uint32) error {
			if path == graph && p != graph || mode&unix.W_OK == 0 {
				return nil
			}
			return unix.EROFS
		}
		want := []string{"the file system of " + dir + " is mounted read-only", "-> mount the file system of " + dir + " for writing"}
		var e *examination
		switch path {
		case published:
			e = examine(t, Options{Conf: conf(t, "", "Publish "+published, "Publish_Unsigned On")}, func(e *examination) { e.fleet(t.Context()) })
		case graph:
			want = []string{"the file system of " + graph + " is mounted read-only"}
			e = stateOf(t, of)
		default:
			e = stateOf(t, path)
		}
		for _, w := range want {
			if !strings.Contains(e.text(), w) {
				t.Errorf("%s: no %q in:\n%s", path, w, e.text())
			}
		}
		if strings.Contains(e.text(), "chown") || strings.Contains(e.text(), "install -d") {
			t.Errorf("%s: rights would not help:\n%s", path, e.text())
		}
	}
}

func TestStateInUse(t *testing.T) {
	dir := learned(t)
	d, err := state.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	stateOf(t, dir).has(t, OK, TopicState, "in use by ")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	stateOf(t, dir).has(t, OK, TopicState, "free")
}

func TestLockedBy(t *testing.T) {
	const locks = "1: POSIX  ADVISORY  WRITE 7 08:01:42 0 EOF\n2: FLOCK  ADVISORY  WRITE 708 08:01:42 0 EOF\n2: -> FLOCK  ADVISORY  WRITE 9 08:01:43 0 EOF\n3: FLOCK\n"
	for _, c := range []struct {
		major, minor uint32
		inode        uint64
		want         int
	}{{8, 1, 42, 708}, {8, 1, 43, 0}, {8, 2, 42, 0}, {8, 1, 4, 0}} {
		if got := lockedBy(locks, c.major, c.minor, c.inode); got != c.want {
			t.Errorf("%d:%d:%d: %d, want %d", c.major, c.minor, c.inode, got, c.want)
		}
	}
}

// A lock that the kernel's list does not show is found all the same.
func TestHolder(t *testing.T) {
	path := write(t, t.TempDir(), "lock", "")
	if _, held := holder(path); held {
		t.Error("held by nobody")
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if pid, held := holder(path); !held || pid != 0 && pid != os.Getpid() {
		t.Errorf("%d, %v", pid, held)
	}
}

// Where the kernel makes all that there is, nobody can make a directory, root neither.
func TestStateInProc(t *testing.T) {
	var st unix.Statfs_t
	if err := unix.Statfs("/proc", &st); err != nil || int64(st.Type) != unix.PROC_SUPER_MAGIC {
		t.Skip("there is no /proc here")
	}
	e := stateOf(t, "/proc/none-such/state")
	e.has(t, Problem, TopicState, "fluent-bit.conf:8", "/proc is a proc file system: the filter works in memory", "name a directory on a disk")
	if n := e.findings.Count(Warning); n != 0 {
		t.Errorf("%d warnings beside it:\n%s", n, e.text())
	}
}

// Memory is no place for what shall be kept.
func TestFileSystemThatForgets(t *testing.T) {
	var st unix.Statfs_t
	if err := unix.Statfs("/dev/shm", &st); err != nil || int64(st.Type) != unix.TMPFS_MAGIC {
		t.Skip("/dev/shm is no tmpfs here")
	}
	stateOf(t, "/dev/shm/none-such/state").has(t, Warning, TopicState, "lies in memory (tmpfs)", "on a disk or on a volume")
}

package state

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"flb-filter-rgcn/plugin/filelimit/filelimittest"
)

func open(t *testing.T, path string) *Dir {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func save(t *testing.T, d *Dir, content string) {
	t.Helper()
	if err := d.Save("graph", 1, []byte(content)); err != nil {
		t.Fatal(err)
	}
}

// load returns what is found, "" for nothing, and the notes in one string.
func load(d *Dir, refuse ...string) (content, notes string) {
	_, n := d.Load("graph", 1, func(b []byte) error {
		if slices.Contains(refuse, string(b)) {
			return errors.New("makes no sense")
		}
		content = string(b)
		return nil
	})
	return content, strings.Join(n, "\n")
}

func TestTheNewestIsFound(t *testing.T) {
	d := open(t, filepath.Join(t.TempDir(), "made", "for", "us"))
	if c, notes := load(d); c != "" || notes != "" {
		t.Errorf("an empty directory holds %q, says %q", c, notes)
	}
	for _, content := range []string{"one", "two", "three", ""} {
		save(t, d, content)
		if c, notes := load(d); c != content || notes != "" {
			t.Errorf("saved %q, found %q, says %q", content, c, notes)
		}
	}
}

func TestOnlyTheOwnerMayRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	d := open(t, path)
	save(t, d, "secret")
	save(t, d, "secret")
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o700 {
		t.Errorf("directory: %v", st.Mode())
	}
	entries, _ := os.ReadDir(path)
	if len(entries) != 3 {
		t.Errorf("%v, want graph, graph.prev and lock", entries)
	}
	for _, e := range entries {
		if st, _ := e.Info(); st.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", e.Name(), st.Mode())
		}
	}
}

func TestEveryTruncationAndFlipFallsBack(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "old")
	old, err := os.ReadFile(filepath.Join(path, "graph"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, d, "brand new")
	whole, err := os.ReadFile(filepath.Join(path, "graph"))
	if err != nil {
		t.Fatal(err)
	}
	try := func(damaged []byte) {
		t.Helper()
		os.WriteFile(filepath.Join(path, "graph"), damaged, 0o600)
		os.WriteFile(filepath.Join(path, "graph.prev"), old, 0o600)
		c, notes := load(d)
		if c != "old" || !strings.Contains(notes, "set aside") || !strings.Contains(notes, "took the older") {
			t.Fatalf("%q yields %q, says %q", damaged, c, notes)
		}
		if aside, _ := os.ReadFile(filepath.Join(path, "graph.aside")); string(aside) != string(damaged) {
			t.Fatal("the damaged file is not where the note says")
		}
	}
	for n := range whole {
		try(whole[:n])
	}
	for i := range whole {
		for bit := range 8 {
			c := slices.Clone(whole)
			c[i] ^= 1 << bit
			try(c)
		}
	}
	try(append(slices.Clone(whole), 'x'))
}

func TestACrashBetweenTheMovesLosesNothing(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "one")
	// As after the first of the two renames, and with a half-written next file.
	os.Rename(filepath.Join(path, "graph"), filepath.Join(path, "graph.prev"))
	os.WriteFile(filepath.Join(path, "graph.tmp"), []byte("RGCN"), 0o600)
	if c, notes := load(d); c != "one" || !strings.Contains(notes, "graph is not there; took the older "+filepath.Join(path, "graph.prev")) {
		t.Errorf("found %q, says %q", c, notes)
	}
	save(t, d, "two")
	if c, notes := load(d); c != "two" || notes != "" {
		t.Errorf("found %q, says %q", c, notes)
	}
	// Where the newest was set aside, the one before it is all there is.
	if err := os.Rename(filepath.Join(path, "graph"), filepath.Join(path, "graph.prev")); err != nil {
		t.Fatal(err)
	}
	if err := d.keepPrevious("graph"); err != nil {
		t.Fatal(err)
	}
	if c, _ := load(d); c != "two" {
		t.Errorf("found %q", c)
	}
	save(t, d, "two")
	// The blob keeps its name until the next one has it.
	if err := d.keepPrevious("graph"); err != nil {
		t.Fatal(err)
	}
	if c, notes := load(d); c != "two" || notes != "" {
		t.Errorf("found %q, says %q", c, notes)
	}
	if err := os.Remove(filepath.Join(path, "graph")); err != nil {
		t.Fatal(err)
	}
	if c, _ := load(d); c != "two" {
		t.Errorf("found %q", c)
	}
}

func TestRefusedAndNewerAreSetAside(t *testing.T) {
	d := open(t, t.TempDir())
	save(t, d, "old")
	save(t, d, "nonsense")
	if c, notes := load(d, "nonsense"); c != "old" || !strings.Contains(notes, "makes no sense") {
		t.Errorf("found %q, says %q", c, notes)
	}
	save(t, d, "ours")
	if err := d.Save("graph", 2, []byte("theirs")); err != nil {
		t.Fatal(err)
	}
	if c, notes := load(d); c != "ours" || !strings.Contains(notes, "newer version") {
		t.Errorf("found %q, says %q", c, notes)
	}
}

func TestASecondOwnerIsRefused(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), "in use by another") {
		t.Errorf("%v", err)
	}
	d.Close()
	open(t, path)
}

func TestUnusablePathsAreErrors(t *testing.T) {
	path := t.TempDir()
	file := filepath.Join(path, "file")
	os.WriteFile(file, nil, 0o600)
	for _, p := range []string{file, filepath.Join(file, "below"), "/proc/nothing"} {
		if _, err := Open(p); err == nil || !strings.HasPrefix(err.Error(), "state: ") || !strings.Contains(err.Error(), p) {
			t.Errorf("Open(%q): %v", p, err)
		}
	}
}

func TestAFailedSaveKeepsWhatWasThere(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "one")
	os.Mkdir(filepath.Join(path, "graph.tmp"), 0o700) // the next write cannot open its file
	os.WriteFile(filepath.Join(path, "graph.tmp", "x"), nil, 0o600)
	if err := d.Save("graph", 1, []byte("two")); err == nil || !strings.Contains(err.Error(), "state: save") {
		t.Errorf("%v", err)
	}
	if c, _ := load(d); c != "one" {
		t.Errorf("found %q", c)
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "one")
	save(t, d, "two")
	os.WriteFile(filepath.Join(path, "graph"), []byte("garbage"), 0o600)
	r, err := OpenReadOnly(path) // beside its owner
	if err != nil {
		t.Fatal(err)
	}
	if c, notes := load(r); c != "one" || !strings.Contains(notes, "damaged") || strings.Contains(notes, "set aside") {
		t.Errorf("found %q, says %q", c, notes)
	}
	if b, _ := os.ReadFile(filepath.Join(path, "graph")); string(b) != "garbage" {
		t.Error("the damaged file was moved")
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	for _, p := range []string{filepath.Join(path, "graph"), filepath.Join(path, "none")} {
		if _, err := OpenReadOnly(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("OpenReadOnly(%q): %v", p, err)
		}
	}
}

func TestBothFilesCanBeSetAside(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	for _, name := range []string{"graph", "graph.prev"} {
		os.WriteFile(filepath.Join(path, name), []byte("garbage of "+name), 0o600)
	}
	if c, notes := load(d); c != "" || strings.Count(notes, "set aside") != 2 {
		t.Errorf("found %q, says %q", c, notes)
	}
	for _, name := range []string{"graph", "graph.prev"} {
		if b, _ := os.ReadFile(filepath.Join(path, name+".aside")); string(b) != "garbage of "+name {
			t.Errorf("%s.aside holds %q", name, b)
		}
	}
}

// A file that cannot be read may be all that was learned, and this process may write where it may not read.
func TestUnreadableIsSetAsideBeforeASave(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	unreadable := func(name string) {
		t.Helper()
		if err := os.Symlink("of "+name, filepath.Join(path, name)); err != nil {
			t.Fatal(err)
		}
	}
	unreadable("graph")
	unreadable("graph.prev")
	for range 2 {
		if c, notes := load(d); c != "" || strings.Count(notes, "the next save sets it aside as "+path) != 2 {
			t.Errorf("found %q, says %q", c, notes)
		}
	}
	if target, _ := os.Readlink(filepath.Join(path, "graph")); target != "of graph" {
		t.Error("it was moved before anything was saved")
	}
	for _, content := range []string{"one", "two", "three"} {
		save(t, d, content)
	}
	for _, name := range []string{"graph", "graph.prev"} {
		if target, err := os.Readlink(filepath.Join(path, name+".aside")); target != "of "+name {
			t.Errorf("%s.aside is %q, %v", name, target, err)
		}
	}
	if c, notes := load(d, "three"); c != "two" {
		t.Errorf("found %q, says %q", c, notes)
	}
}

func TestRemove(t *testing.T) {
	d, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Remove("a") {
		t.Error("removed what is not there")
	}
	for range 2 {
		if err := d.Save("a", 1, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if !d.Remove("a") {
		t.Error("not removed")
	}
	if ok, notes := d.Load("a", 1, func([]byte) error { return nil }); ok || len(notes) > 0 || d.Has("a") {
		t.Errorf("still there: %v, %q", ok, notes)
	}
}

// A file that would pass the limit of the process is an error, not a signal, and the one before it stays.
func TestSaveWithinTheLimitOfAFile(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "before")
	filelimittest.Set(t, int64(headerSize+100))
	save(t, d, strings.Repeat("x", 100))
	if err := d.Save("graph", 1, make([]byte, 101)); !errors.Is(err, syscall.EFBIG) || !strings.Contains(err.Error(), filepath.Join(path, "graph")) {
		t.Errorf("%v", err)
	}
	if c, notes := load(d); c != strings.Repeat("x", 100) || notes != "" {
		t.Errorf("found %q, says %q", c, notes)
	}
}

// sparse makes a file of a size that has the given bytes at its start and nothing behind them on the disk.
func sparse(t *testing.T, path string, start []byte, size int64) {
	t.Helper()
	if err := os.WriteFile(path, start, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, size); err != nil {
		t.Skipf("skipped: no file of %d bytes can be made here: %v", size, err)
	}
}

// headOf is the header of a payload of so many bytes, of a wrong checksum.
func headOf(length uint64) []byte {
	h := binary.LittleEndian.AppendUint32([]byte(magic), 1)
	return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint64(h, length), 0)
}

// No memory is taken for what a file says of itself, be it its size or its header: nothing could go on where there is none.
func TestSizesThatAreNotBelieved(t *testing.T) {
	const size = 8 << 40
	for what, c := range map[string]struct {
		start []byte
		want  string
	}{
		"a hole":                 {nil, "damaged: 8796093022208 bytes without the header of a state file"},
		"a header and a hole":    {headOf(100), "damaged: 8796093022184 bytes of content, its header says 100"},
		"a header that fits it":  {headOf(size - uint64(headerSize)), "damaged: 8796093022184 bytes of content, more than any state has"},
		"a header of much more":  {headOf(1 << 60), "its header says 1152921504606846976"},
		"one that is a negative": {headOf(1 << 63), "its header says 9223372036854775808"},
	} {
		path := t.TempDir()
		d := open(t, path)
		save(t, d, "old")
		save(t, d, "new")
		sparse(t, filepath.Join(path, "graph"), c.start, size)
		ro, err := OpenReadOnly(path)
		if err != nil {
			t.Fatal(err)
		}
		if ok, notes := ro.Whole("graph", 1); !ok || len(notes) != 2 || !strings.Contains(notes[0], c.want) || !strings.Contains(notes[1], "took the older") {
			t.Errorf("%s: %v, %q", what, ok, notes)
		}
		if content, notes := load(d); content != "old" || !strings.Contains(notes, c.want) || !strings.Contains(notes, "set aside as "+filepath.Join(path, "graph.aside")) {
			t.Errorf("%s: found %q, says %q", what, content, notes)
		}
	}
}

// Whoever has no memory for a file says so: it is not touched, and is set aside before a save as one that cannot be read.
func TestNoRoom(t *testing.T) {
	path := t.TempDir()
	d := open(t, path)
	save(t, d, "old")
	save(t, d, "brand new")
	var asked []int64
	d.Room = func(bytes int64) error {
		if asked = append(asked, bytes); bytes > 3 {
			return errors.New("is too large: buy memory")
		}
		return nil
	}
	file := filepath.Join(path, "graph")
	content, notes := load(d)
	if want := "state: " + file + ": is too large: buy memory; the next save sets it aside as " + file + ".aside"; content != "old" || !strings.Contains(notes, want) || !slices.Equal(asked, []int64{9, 3}) {
		t.Errorf("found %q, says %q, asked for %d", content, notes, asked)
	}
	if ok, notes := d.Whole("graph", 1); !ok || notes != nil || len(asked) != 2 {
		t.Errorf("without its content: %v, %q, asked for %d", ok, notes, asked)
	}
	save(t, d, "next")
	if b, err := os.ReadFile(file + ".aside"); err != nil || !strings.HasSuffix(string(b), "brand new") {
		t.Errorf("%q, %v", b, err)
	}
}

package allow

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filelimit/filelimittest"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		t.Fatal(err)
	}
}

// settle calls Reload until the file has been left alone for a call.
func settle(f *File) error {
	if tried, err := f.Reload(); tried {
		return err
	}
	_, err := f.Reload()
	return err
}

func TestReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow.csv")
	f := NewFile(path, plain)
	if err := f.Load(); !errors.Is(err, fs.ErrNotExist) || f.Problem() == "" || len(f.Table().Lines()) != 0 {
		t.Fatalf("no file: %v, %q", err, f.Problem())
	}
	if tried, _ := f.Reload(); tried {
		t.Error("a file that is still not there is said again")
	}
	write(t, path, "source,destination\na,b\nc,d\n")
	if tried, err := f.Reload(); tried || err != nil {
		t.Error("a file that may still be written is read")
	}
	if tried, err := f.Reload(); !tried || err != nil || len(f.Table().Lines()) != 2 || f.Problem() != "" {
		t.Fatalf("%v %v %d lines, %q", tried, err, len(f.Table().Lines()), f.Problem())
	}
	f.Table().Lines()[1].Hit()

	write(t, path, "source,destination\na,b\nweb-*,b\n")
	if err := settle(f); err == nil || !strings.HasPrefix(err.Error(), path+`:3: source = "web-*": `) || f.Problem() != err.Error() {
		t.Fatalf("%v; %q", err, f.Problem())
	}
	if err := settle(f); err != nil || f.Problem() == "" || len(f.Table().Lines()) != 2 {
		t.Errorf("a bad line is said twice, or the list is gone: %v", err)
	}

	write(t, path, "source,destination\n# moved\nc,d\nx,y\n")
	if err := settle(f); err != nil || f.Problem() != "" {
		t.Fatal(err)
	}
	if l := f.Table().Lines(); len(l) != 2 || l[0].Number != 3 || l[0].Hits() != 1 || l[1].Hits() != 0 {
		t.Errorf("%+v", l)
	}
	os.Remove(path)
	if err := settle(f); !errors.Is(err, fs.ErrNotExist) || len(f.Table().Lines()) != 2 {
		t.Errorf("removed: %v, %d lines", err, len(f.Table().Lines()))
	}
}

// TestSwappedLink: Kubernetes has the file behind a link to a directory, and swaps that for another one.
func TestSwappedLink(t *testing.T) {
	dir := t.TempDir()
	for i, text := range []string{"a,b", "c,d"} {
		version := filepath.Join(dir, fmt.Sprint("..", i))
		if err := os.Mkdir(version, 0o700); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(version, "allow.csv"), "source,destination\n"+text+"\n")
	}
	swap := func(to string) {
		next := filepath.Join(dir, "next")
		if err := errors.Join(os.Symlink(to, next), os.Rename(next, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	swap("..0")
	path := filepath.Join(dir, "allow.csv")
	if err := os.Symlink(filepath.Join("..data", "allow.csv"), path); err != nil {
		t.Fatal(err)
	}
	f := NewFile(path, plain)
	if err := f.Load(); err != nil || f.Table().Lines()[0].Source != "a" {
		t.Fatal(err)
	}
	swap("..1")
	if err := settle(f); err != nil || f.Table().Lines()[0].Source != "c" {
		t.Errorf("%v, %v", err, f.Table().Lines()[0])
	}
}

func TestAppend(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "allow.csv")
	until := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	l, err := Append(path, Entry{Source: "10.1.2.0/24", Destination: "DB", Note: "weekly, by \"ops\"", Until: until}, plain)
	if err != nil || l.Destination != "db" || l.Relation != "*" || l.Until != until.UnixNano() {
		t.Fatal(l, err)
	}
	// What people wrote stays, and so do the file's mode and the link to it.
	write(t, path, "# ours\ndestination, source ,until,note,verdict\r\n# the first\r\nb,a")
	os.Chmod(path, 0o600)
	link := filepath.Join(dir, "link.csv")
	os.Symlink("allow.csv", link)
	if _, err := Append(link, Entry{Source: "evil", Destination: "*", Verdict: Bad}, plain); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if want := "# ours\ndestination, source ,until,note,verdict\r\n# the first\r\nb,a\r\n*,evil,,,bad\r\n"; string(text) != want {
		t.Errorf("%q, want %q", text, want)
	}
	if info, err := os.Lstat(path); err != nil || info.Mode().Perm() != 0o600 || !info.Mode().IsRegular() {
		t.Errorf("%v %v", info.Mode(), err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v", err)
	}

	for want, e := range map[string]Entry{
		":6: source = \"web-*\": * within a name":                       {Source: "web-*", Destination: "b"},
		":6: the same stands in line 4 already":                         {Source: "A", Destination: "b"},
		": destination = \"#b\": begins with #, which begins a comment": {Source: "a", Destination: "#b"},
		": no column for relation = \"r\", want \"relation\" in line 2": {Source: "a", Relation: "r", Destination: "b"},
		":6: source = \"\": want a name":                                {Destination: "b"},
	} {
		if _, err := Append(path, e, plain); err == nil || !strings.HasPrefix(err.Error(), path+want) {
			t.Errorf("%+v: %v", e, err)
		}
	}
	if now, _ := os.ReadFile(path); string(now) != string(text) {
		t.Errorf("a refused line changed the file: %q", now)
	}
	write(t, path, "source,destination\nweb-*,b\n")
	if _, err := Append(path, Entry{Source: "a", Destination: "b"}, plain); err == nil || !strings.HasPrefix(err.Error(), path+":2: source") {
		t.Errorf("a list with a bad line: %v", err)
	}
	os.Symlink("none.csv", filepath.Join(dir, "dangling.csv"))
	if _, err := Append(filepath.Join(dir, "dangling.csv"), Entry{Source: "a", Destination: "b"}, plain); err == nil || !strings.Contains(err.Error(), "a link to a file that is not there") {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.csv.*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestAppendWithinTheLimitOfAFile: a list that would pass the limit of the process is an error, not a signal, and stays as
// it was.
func TestAppendWithinTheLimitOfAFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "allow.csv")
	const before = "source,destination\na,b\n"
	write(t, path, before)
	filelimittest.Set(t, 26)
	if _, err := Append(path, Entry{Source: "c", Destination: "d"}, plain); !errors.Is(err, syscall.EFBIG) || !strings.HasPrefix(err.Error(), path+": file too large: 27 bytes, and") {
		t.Errorf("%v", err)
	}
	if text, _ := os.ReadFile(path); string(text) != before {
		t.Errorf("%q", text)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*.csv.*")); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestAppendToAnEmptyFile: a file without any row is taken as one that is not there, but what is in it stays, and so does
// its mode.
func TestAppendToAnEmptyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow.csv")
	const header, row = "source,relation,destination,from,until,note,verdict", "a,*,b,,,,"
	for before, want := range map[string]string{
		"":                 header + "\n" + row + "\n",
		"\n\n":             "\n\n" + header + "\n" + row + "\n",
		"# ours":           "# ours\n" + header + "\n" + row + "\n",
		"# ours\r\n":       "# ours\r\n" + header + "\r\n" + row + "\r\n",
		"\ufeff":           "\ufeff" + header + "\n" + row + "\n",
		"\ufeff# ours\n\n": "\ufeff# ours\n\n" + header + "\n" + row + "\n",
	} {
		write(t, path, before)
		if err := os.Chmod(path, 0o640); err != nil {
			t.Fatal(err)
		}
		l, err := Append(path, Entry{Source: "a", Destination: "b"}, plain)
		if text, _ := os.ReadFile(path); err != nil || string(text) != want || l.Source != "a" {
			t.Errorf("%q: %q, %v, want %q", before, text, err, want)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
			t.Errorf("%q: %v, %v", before, info.Mode(), err)
		}
	}
	// Whoever reads an empty list goes on by the one before.
	write(t, path, "")
	f := NewFile(path, plain)
	if err := f.Load(); err == nil || !strings.HasPrefix(err.Error(), path+":1: empty, want a line that names the columns") {
		t.Errorf("%v", err)
	}
}

// TestAppendAddsColumns: what a line needs and the list has no column for gets one, and the rows before stay as they
// are.
func TestAppendAddsColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow.csv")
	from := time.Date(2027, 3, 1, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		before string
		add    Entry
		want   string
	}{
		{"source,destination\na,b\n", Entry{Source: "evil", Destination: "*", Verdict: Bad}, "source,destination,verdict\na,b\nevil,*,bad\n"},
		{"# ours\r\n\r\ndestination,source\r\nb,a", Entry{Source: "c", Destination: "d", From: from},
			"# ours\r\n\r\ndestination,source,from\r\nb,a\r\nd,c,2027-03-01T09:00:00Z\r\n"},
		{"\ufeffsource,destination", Entry{Source: "c", Destination: "d", Note: "x"}, "\ufeffsource,destination,note\nc,d,x\n"},
		{"source,destination\n", Entry{Source: "c", Relation: "*", Destination: "d"}, "source,destination\nc,d\n"},
	} {
		write(t, path, c.before)
		l, err := Append(path, c.add, plain)
		if text, _ := os.ReadFile(path); err != nil || string(text) != c.want || l.Verdict != c.add.Verdict || l.Source != c.add.Source {
			t.Errorf("%q, %v: %v, %v, want %q", text, l, c.before, err, c.want)
		}
	}
}

// TestAppendAtATime: no line of many concurrent appends is lost, and a concurrent reader sees a whole list.
func TestAppendAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "allow.csv")
	var all sync.WaitGroup
	const n = 24
	for i := range n {
		all.Go(func() {
			if _, err := Append(path, Entry{Source: fmt.Sprint("h", i), Destination: "b"}, plain); err != nil {
				t.Error(err)
			}
			f := NewFile(path, plain)
			if err := f.Load(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	f := NewFile(path, plain)
	if err := f.Load(); err != nil || len(f.Table().Lines()) != n {
		t.Errorf("%v, %d lines, want %d", err, len(f.Table().Lines()), n)
	}
}

// TestAppendRemovesWhatWasLeft: what a process left that was killed while it added a line is removed.
func TestAppendRemovesWhatWasLeft(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, ".allow.csv.123.tmp")
	write(t, left, "source,dest")
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(left, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	if _, err := Append(filepath.Join(dir, "allow.csv"), Entry{Source: "a", Destination: "b"}, plain); err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v, want the list alone", entries, err)
	}
}

package fleet

import (
	"bufio"
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/plugin/filelimit/filelimittest"
)

// shelf is a server that keeps files, with ETags. before, unless nil, may answer a request in its place.
type shelf struct {
	mu     sync.Mutex
	files  map[string][]byte
	gets   int
	bodies int // answers with a body
	before func(w http.ResponseWriter, r *http.Request) (done bool)
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.before != nil && s.before(w, r) {
		return
	}
	switch r.Method {
	case http.MethodPut:
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		s.files[r.URL.Path] = b
		w.WriteHeader(http.StatusCreated)
	case http.MethodGet:
		s.gets++
		b, ok := s.files[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		tag := fmt.Sprintf("%q", fmt.Sprintf("%x", len(b))+string(b[:1]))
		w.Header().Set("ETag", tag)
		if r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		s.bodies++
		w.Write(b)
	}
}

// set changes what the server does.
func (s *shelf) set(before func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = before
}

func serve(t *testing.T) (*shelf, string) {
	s := &shelf{files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server.URL
}

func openPlace(t *testing.T, place string, a Access) Place {
	t.Helper()
	p, err := Open(place, a)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func get(p Place, tag string) (content, newTag string, err error) {
	body, newTag, err := p.Get(context.Background(), tag)
	if err != nil {
		return "", newTag, err
	}
	defer body.Close()
	b, err := io.ReadAll(body)
	return string(b), newTag, err
}

// A URL is asked for as it is written, with the file's name where it ends with a slash.
func TestPathsOfURLs(t *testing.T) {
	for place, want := range map[string]string{
		"https://h": "https://h/state.rgcn", "https://h/a b/": "https://h/a%20b/state.rgcn", "https://h/a%2Fb/": "https://h/a%2Fb/state.rgcn",
		"https://h/a%2Fb/x": "https://h/a%2Fb/x", "https://h/ü/": "https://h/%C3%BC/state.rgcn",
	} {
		if got := openPlace(t, place, Access{}).(*web).url.String(); got != want {
			t.Errorf("%s: %s, want %s", place, got, want)
		}
	}
}

// A server that has taken a state has taken it, though its answer breaks off behind the status: the same state would be
// sent again for ever.
func TestPutIsTakenByTheStatus(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(http.StatusCreated)
		w.Write([]byte("cre"))
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	if err := openPlace(t, server.URL+"/x", Access{}).Put(t.Context(), []byte("state")); err != nil {
		t.Error(err)
	}
}

// What is put by a link is where the link leads: scorers may read it there, on another file system too.
func TestPutFollowsLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	file, link, dangling, device := filepath.Join(elsewhere, "ssh.state"), filepath.Join(dir, "link"), filepath.Join(dir, "dangling"), filepath.Join(dir, "null")
	if err := errors.Join(os.WriteFile(file, []byte("old"), 0o644), os.Symlink(file, link), os.Symlink(file+".none", dangling), os.Symlink("/dev/null", device)); err != nil {
		t.Fatal(err)
	}
	if err := openPlace(t, link, Access{}).Put(t.Context(), []byte("new")); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "new" {
		t.Errorf("behind the link is %q, %v", b, err)
	}
	for path, want := range map[string]string{dangling: "a link to a file that is not there, want a file", device: "what is there is no regular file"} {
		if err := openPlace(t, path, Access{}).Put(t.Context(), []byte("new")); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	for _, path := range []string{link, dangling, device} {
		if info, err := os.Lstat(path); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more: %v, %v", path, info, err)
		}
	}
}

// Whatever the place: what was put is got, once for each tag.
func TestPlaces(t *testing.T) {
	_, url := serve(t)
	dir := t.TempDir()
	for _, place := range []string{filepath.Join(dir, "file"), dir, filepath.Join(dir, "x") + "/../y", url + "/", url + "/a/b.rgcn"} {
		p := openPlace(t, place, Access{})
		if _, _, err := get(p, ""); err == nil {
			t.Errorf("%s: nothing was put, and there is something", place)
		}
		for _, content := range []string{"one", "another"} {
			if err := p.Put(context.Background(), []byte(content)); err != nil {
				t.Fatalf("%s: %v", place, err)
			}
			got, tag, err := get(p, "")
			if err != nil || got != content || tag == "" {
				t.Fatalf("%s: %q, %q, %v", place, got, tag, err)
			}
			if _, same, err := get(p, tag); !errors.Is(err, ErrNotModified) || same != tag {
				t.Errorf("%s: asked again: %q, %v", place, same, err)
			}
		}
	}
	entries, _ := os.ReadDir(dir)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "file state.rgcn y" {
		t.Errorf("the directory holds %s", got)
	}
}

func TestADirectoryThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "state.rgcn")
	if err := openPlace(t, path, Access{}).Put(context.Background(), []byte("x")); !errors.Is(err, os.ErrNotExist) ||
		err.Error() != "no file can be made in "+filepath.Dir(path)+": no such file or directory" {
		t.Errorf("%v", err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := get(openPlace(t, pipe, Access{}), ""); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("%v", err)
	}
	if err := openPlace(t, pipe, Access{}).Put(context.Background(), []byte("x")); err == nil || !strings.Contains(err.Error(), "no regular file (p") {
		t.Errorf("%v", err)
	}
	if info, err := os.Lstat(pipe); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("the pipe is replaced: %v, %v", info, err)
	}
}

// A state that would pass the limit on the size of a file is an error, not a signal, and the one before it stays.
func TestPutWithinTheLimitOfAFile(t *testing.T) {
	dir := t.TempDir()
	p := openPlace(t, filepath.Join(dir, "state"), Access{})
	if err := p.Put(t.Context(), []byte("before")); err != nil {
		t.Fatal(err)
	}
	filelimittest.Set(t, 100)
	if err := p.Put(t.Context(), make([]byte, 101)); !errors.Is(err, unix.EFBIG) || !strings.Contains(err.Error(), "101 bytes, and this process may write files of at most 100") {
		t.Errorf("%v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%v, %v", entries, err)
	}
	if content, _, err := get(p, ""); err != nil || content != "before" {
		t.Errorf("%q, %v", content, err)
	}
}

// A server that refuses a state before it has read it, and ends the connection, is heard, and the state is not sent.
func TestRefusedBeforeItIsRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	came := make(chan int64, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		from := bufio.NewReader(c)
		if _, err := http.ReadRequest(from); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 413 Request Entity Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		n, _ := io.Copy(io.Discard, from) // to the end of the connection
		came <- n
	}()
	err = openPlace(t, "http://"+l.Addr().String()+"/x", Access{}).Put(t.Context(), make([]byte, 4<<20))
	if n := <-came; err == nil || !strings.Contains(err.Error(), "413 Request Entity Too Large") || !Lasts(err) || n != 0 {
		t.Errorf("%d bytes of the state were sent: %v", n, err)
	}
}

// A server that cannot be asked beforehand gets the state without.
func TestAServerThatCannotBeAsked(t *testing.T) {
	s, url := serve(t)
	var asked []string
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		asked = append(asked, r.Header.Get("Expect"))
		if r.Header.Get("Expect") != "" {
			w.WriteHeader(http.StatusExpectationFailed)
			return true
		}
		return false
	}
	for _, size := range []int{100, 1 << 20} {
		if err := openPlace(t, url+"/x", Access{}).Put(t.Context(), make([]byte, size)); err != nil || len(s.files["/x"]) != size {
			t.Errorf("%d of %d bytes: %v", len(s.files["/x"]), size, err)
		}
	}
	if want := []string{"", "100-continue", ""}; !slices.Equal(asked, want) {
		t.Errorf("%q, want %q", asked, want)
	}
}

// What a process left that was killed while it wrote goes with a later state, and nothing else does.
func TestWhatAKilledProcessLeft(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-24 * time.Hour)
	for name, at := range map[string]time.Time{
		".state.rgcn.123.tmp": old, ".state.rgcn.456.tmp": time.Now(), ".other.rgcn.123.tmp": old, ".state.rgcn.bak": old, "state.rgcn.tmp": old,
	} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(path, []byte("x"), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	if err := openPlace(t, dir+"/", Access{}).Put(t.Context(), []byte("state")); err != nil {
		t.Fatal(err)
	}
	var there []string
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		there = append(there, e.Name())
	}
	if want := []string{".other.rgcn.123.tmp", ".state.rgcn.456.tmp", ".state.rgcn.bak", "state.rgcn", "state.rgcn.tmp"}; err != nil || !slices.Equal(there, want) {
		t.Errorf("%q, %v, want %q", there, err, want)
	}
}

func TestPlacesThatAreNone(t *testing.T) {
	for place, want := range map[string]string{
		"ftp://host/x":                  `the scheme "ftp" is none of http, https and s3`,
		"https://me:secret@host/x":      "which would be logged",
		"https:///x":                    "it names no host",
		"https://host/x#y":              "it has a #, which no server gets to see; one that is part of a name is written as %23",
		"https://host/%zz":              "it is no URL; a % that is meant as such is written as %25",
		"s3://bucket/a?b":               "it has a ?, want s3://BUCKET/KEY; one that is part of the key is written as %3F",
		"s3://bucket":                   "want s3://BUCKET/KEY",
		"https://me:secret@host/x\x7f/": "it is no URL",
	} {
		if err := CheckPlace(place); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", place, err, want)
		}
	}
	for _, place := range []string{"/srv/rgcn", "states/", "https://host", "s3://bucket/", "s3://b/a/b"} {
		if err := CheckPlace(place); err != nil {
			t.Errorf("%s: %v", place, err)
		}
	}
}

func TestServersThatRefuse(t *testing.T) {
	s, url := serve(t)
	p := openPlace(t, url+"/x?sig=hidden", Access{})
	for what, c := range map[string]struct {
		before func(w http.ResponseWriter, r *http.Request) bool
		want   string
		lasts  bool
	}{
		"no rights": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Error(w, "go\x1b[31maway\n", http.StatusForbidden)
			return true
		}, "403 Forbidden (see fleet.credentials): go", true},
		"an error": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}, "503", false},
		"too many requests": {func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}, "429", false},
		"never the same page": {func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, r.URL.Path+"x", http.StatusFound)
			return true
		}, "redirects", true},
		"a connection that breaks": {func(w http.ResponseWriter, r *http.Request) bool { panic(http.ErrAbortHandler) }, "EOF: the server ends the connection without an answer", false},
	} {
		s.set(c.before)
		_, _, err := get(p, "")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.ContainsAny(err.Error(), "\x1b\n") || strings.Contains(err.Error(), "hidden") {
			t.Errorf("get, %s: %v, want %q", what, err, c.want)
		}
		if what == "never the same page" {
			c.want = "302 Found (it redirects to " + url + ", which is not followed where something is published"
		}
		if err := p.Put(context.Background(), []byte("x")); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("put, %s: %v, want %q", what, err, c.want)
		} else if Lasts(err) != c.lasts {
			t.Errorf("put, %s: it lasts: %v, want %v", what, !c.lasts, c.lasts)
		}
	}
	if name := p.String(); name != url+"/x" {
		t.Errorf("it is named %s", name)
	}
}

func TestAServerThatDoesNotAnswer(t *testing.T) {
	s, url := serve(t)
	release := make(chan struct{})
	s.set(func(http.ResponseWriter, *http.Request) bool { <-release; return true })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, _, err := openPlace(t, url+"/x", Access{}).Get(ctx, ""); err == nil || !strings.HasPrefix(err.Error(), "no answer within ") {
		t.Errorf("%v", err)
	}
}

// A server that begins to answer and then pauses is given up; one that is slow and does not pause is not.
func TestAnAnswerThatPauses(t *testing.T) {
	s, url := serve(t)
	release := make(chan struct{})
	pause := true
	s.set(func(w http.ResponseWriter, r *http.Request) bool {
		for range 3 {
			io.WriteString(w, "slow")
			w.(http.Flusher).Flush()
		}
		if pause {
			<-release
		}
		return true
	})
	p := openPlace(t, url+"/x", Access{}).(*web)
	if p.idle != idleTimeout {
		t.Errorf("it may pause for %v", p.idle)
	}
	p.idle = 200 * time.Millisecond
	content, _, err := get(p, "")
	if content != "slowslowslow" || err == nil || err.Error() != "nothing came for 200ms" {
		t.Errorf("%q, %v", content, err)
	}
	release <- struct{}{}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	p.idle = time.Hour
	body, _, err := p.Get(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err = io.ReadAll(body); err == nil || !strings.HasPrefix(err.Error(), "not all of it came within ") {
		t.Errorf("%v", err)
	}
	body.Close()
	release <- struct{}{}
	// The reader, too, may pause.
	s.mu.Lock()
	pause = false
	s.mu.Unlock()
	p.idle = 200 * time.Millisecond
	if body, _, err = p.Get(context.Background(), ""); err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * p.idle)
	if b, err := io.ReadAll(body); err != nil || string(b) != "slowslowslow" {
		t.Errorf("%q, %v", b, err)
	}
	body.Close()
}

func credentialsFile(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCredentialsOfHTTP(t *testing.T) {
	s, url := serve(t)
	var got string
	s.before = func(w http.ResponseWriter, r *http.Request) bool { got = r.Header.Get("Authorization"); return false }
	for content, want := range map[string]string{
		"# a comment\nuser = me\npassword = a = b\n": "Basic bWU6YSA9IGI=",
		"token=abc": "Bearer abc",
		"":          "",
	} {
		if err := openPlace(t, url, Access{Credentials: credentialsFile(t, content)}).Put(context.Background(), []byte("x")); err != nil || got != want {
			t.Errorf("%q: sent %q, %v", content, got, err)
		}
	}
	t.Setenv("RGCN_FLEET_TOKEN", "of-the-environment")
	if err := openPlace(t, url, Access{}).Put(context.Background(), []byte("x")); err != nil || got != "Bearer of-the-environment" {
		t.Errorf("sent %q, %v", got, err)
	}
	t.Setenv("RGCN_FLEET_TOKEN", "of-a-secret\r\n")
	if err := openPlace(t, url, Access{}).Put(context.Background(), []byte("x")); err != nil || got != "Bearer of-a-secret" {
		t.Errorf("sent %q, %v", got, err)
	}
	if _, err := Open("http://192.0.2.1/x", Access{}); err == nil || !strings.Contains(err.Error(), "in the clear: want https") {
		t.Errorf("a token over http: %v", err)
	}
}

// Credentials go to the server that the place names, and to no other port of its host.
func TestCredentialsAreNotRedirected(t *testing.T) {
	s, url := serve(t)
	other, elsewhere := serve(t)
	other.files["/x"] = []byte("content")
	asked, referer := 0, ""
	other.before = func(w http.ResponseWriter, r *http.Request) bool {
		asked++
		referer = r.Header.Get("Referer")
		return false
	}
	s.files["/y"] = []byte("content")
	to := elsewhere + "/x"
	s.before = func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/y" {
			return r.Header.Get("Authorization") == "" // and no content then
		}
		http.Redirect(w, r, to, http.StatusTemporaryRedirect)
		return true
	}
	secret := Access{Credentials: credentialsFile(t, "token=hunter2")}
	want := "it redirects to " + elsewhere + ", and credentials are sent to " + url + " alone: name the place itself"
	if _, _, err := get(openPlace(t, url+"/x", secret), ""); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
	if err := openPlace(t, url+"/x", secret).Put(context.Background(), []byte("x")); err == nil || !strings.Contains(err.Error(), "it redirects to "+elsewhere) {
		t.Errorf("put: %v", err)
	}
	if asked > 0 {
		t.Errorf("the other server was asked %d times", asked)
	}
	// Without credentials any server may stand in for another, and does not hear of the query.
	if content, _, err := get(openPlace(t, url+"/x?sig=hidden", Access{Credentials: credentialsFile(t, "")}), ""); err != nil || content != "content" || asked != 1 || referer != "" {
		t.Errorf("%q, %v, asked %d times, referred by %q", content, err, asked, referer)
	}
	// The same server gets them again.
	to = "/y"
	if content, _, err := get(openPlace(t, url+"/x", secret), ""); err != nil || content != "content" {
		t.Errorf("%q, %v", content, err)
	}
}

// A place that answers from outside does not have this machine ask what lies inside, whatever name or number it gives;
// one that lies inside itself may.
func TestRedirectsThatLeadInside(t *testing.T) {
	other, elsewhere := serve(t)
	other.files["/x"] = []byte("content")
	asked := 0
	other.before = func(http.ResponseWriter, *http.Request) bool { asked++; return false }
	s, server := serve(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(elsewhere, "http://"), ":")
	for _, c := range []struct{ place, to, want string }{
		{"192.0.2.1", "http://127.0.0.1:" + port, "which has a loopback address, and the place has a public one: name the place itself"},
		{"192.0.2.1", "http://localhost:" + port, "which has a loopback address, and the place has a public one"},
		{"192.0.2.1", "http://0.0.0.0:" + port, "which has a loopback address"},
		{"192.0.2.1", "http://[::ffff:127.0.0.1]:" + port, "which has a loopback address"},
		{"192.0.2.1", "http://169.254.169.254", "which has a link-local address"},
		{"192.0.2.1", "http://[fe80::1%25lo]", "which has a link-local address"},
		{"192.0.2.1", "http://10.1.2.3", "which has a private address"},
		{"192.0.2.1", "http://100.100.100.200", "which has a private address"},
		{"192.0.2.1", "http://[fd00:ec2::254]", "which has a private address"},
		{"192.0.2.1", "http://[64:ff9b::a9fe:a9fe]", "which has a link-local address"},
		{"192.0.2.1", "http://[64:ff9b::10.1.2.3]", "which has a private address"},
		{"192.0.2.1", "http://[64:ff9b:1::10.1.2.3]", "which has a private address"},
		{"192.0.2.1", "http://[64:ff9b::7f00:1%25lo]", "which has a loopback address"},
		{"192.0.2.1", "http://[2002:a01:203::1]", "which has a private address"},
		{"192.0.2.1", "http://[::169.254.169.254]", "which has a link-local address"},
		{"64:ff9b::c000:201", "http://10.1.2.3", "which has a private address, and the place has a public one"},
		{"192.0.2.1", "http://168.63.129.16", "at whose address a cloud tells machines what is secret: name the place itself"},
		{"10.0.0.7", "http://169.254.169.254", "which has a link-local address, and the place has a private one"},
		{"10.0.0.7", "http://[64:ff9b::a9fe:a9fe]", "which has a link-local address, and the place has a private one"},
		{"10.0.0.7", "http://[fd00:ec2::254]", "at whose address a cloud tells machines what is secret"},
		{"10.0.0.7", "http://[fd20:ce::254%25lo]", "at whose address a cloud tells machines what is secret"},
		{"10.0.0.7", "http://100.100.100.200", "at whose address a cloud tells machines what is secret"},
		{"169.254.0.1", "http://169.254.169.254", "at whose address a cloud tells machines what is secret"},
		{"127.0.0.2", "http://169.254.169.254", "at whose address a cloud tells machines what is secret"},
		{"127.0.0.2", "http://169.254.170.2", "at whose address a cloud tells machines what is secret"},
		{"", "http://127.0.0.1:" + port, "which has a loopback address, and the place has a public one"},
		{"10.0.0.7", "http://127.0.0.1:" + port, "which has a loopback address, and the place has a private one"},
		{"169.254.0.1", "http://localhost:" + port, "which has a loopback address, and the place has a link-local one"},
		{"127.0.0.2", "http://127.0.0.1:" + port, ""},
		{"127.0.0.2", "http://localhost:" + port, ""},
	} {
		asked = 0
		s.set(func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, c.to+"/x", http.StatusFound)
			return true
		})
		p := openPlace(t, "http://place.example/x", Access{}).(*web)
		p.lookup = func(_ context.Context, host string) ([]netip.Addr, error) {
			if ip, err := netip.ParseAddr(c.place); err == nil && host == "place.example" {
				return []netip.Addr{ip}, nil
			}
			return nil, errors.New("no such host")
		}
		p.client.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == "place.example:80" {
				address = strings.TrimPrefix(server, "http://")
			}
			if to, err := netip.ParseAddrPort(address); err == nil && depthOf(to.Addr()) != machine {
				return nil, errors.New("it would connect to " + address) // a test asks no machine but its own, whatever is wrong
			}
			return dial(ctx, network, address)
		}
		content, _, err := get(p, "")
		if c.want == "" {
			if err != nil || content != "content" {
				t.Errorf("%s to %s: %q, %v", c.place, c.to, content, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.want) || asked > 0 {
			t.Errorf("%s to %s: %v, asked %d times, want %q", c.place, c.to, err, asked, c.want)
		}
	}
}

// A proxy resolves names itself; what is an address lies inside with a proxy as well.
func TestRedirectsThatLeadInsideByAProxy(t *testing.T) {
	var asked []string
	to := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked = append(asked, r.URL.String()); r.URL.Host == "place.example" {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		io.WriteString(w, "content")
	}))
	defer proxy.Close()
	by, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ to, want string }{{"http://10.1.2.3/x", "which has a private address, and the place has a public one"}, {"http://storage.example/x", ""}} {
		to, asked = c.to, nil
		p := openPlace(t, "http://place.example/x", Access{}).(*web)
		p.lookup = func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }
		p.client.Transport.(*http.Transport).Proxy = http.ProxyURL(by)
		content, _, err := get(p, "")
		if c.want == "" && (err != nil || content != "content") || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || len(asked) != 1) {
			t.Errorf("%s: %q, %v, asked for %q", c.to, content, err, asked)
		}
	}
}

// What a server says to which another one redirects is not repeated: it was not meant for who reads the log.
func TestWhatAnotherServerSaysIsNotRepeated(t *testing.T) {
	s, url := serve(t)
	other, elsewhere := serve(t)
	other.set(func(w http.ResponseWriter, r *http.Request) bool {
		http.Error(w, "internal", http.StatusInternalServerError)
		return true
	})
	s.set(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, elsewhere+"/admin?do=this", http.StatusFound)
		return true
	})
	want := elsewhere + ", to which it redirects, answers 500 Internal Server Error"
	if _, _, err := get(openPlace(t, url+"/x", Access{}), ""); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

// Who names a cloud's own address as the place may be redirected to another one of these, and a name with public
// addresses in a network that has IPv6 alone stays a public one.
func TestGuards(t *testing.T) {
	for _, c := range []struct {
		guard guard
		to    string
		free  bool
	}{
		{guard{most: link, cloud: true}, "169.254.169.254", true},
		{guard{most: link}, "169.254.169.254", false},
		{guard{most: link}, "169.254.1.1", true},
		{guard{most: public}, "64:ff9b::c000:201", true},
		{guard{most: public}, "2001:db8::a9fe:a9fe", true},
		{guard{most: public}, "::1", false},
		{guard{most: public}, "::", false},
		{guard{most: machine}, "::1", true},
		{guard{most: private}, "fd12::1", true},
	} {
		if err := c.guard.refuses(netip.MustParseAddr(c.to)); (err == nil) != c.free {
			t.Errorf("%+v, %s: %v", c.guard, c.to, err)
		}
	}
}

func TestOrigin(t *testing.T) {
	for text, want := range map[string]string{
		"https://Host/x": "https://host:443", "https://host:443": "https://host:443", "http://host": "http://host:80", "https://host:8443/": "https://host:8443", "http://[::1]/": "http://[::1]:80",
	} {
		if u, err := url.Parse(text); err != nil || origin(u) != want {
			t.Errorf("%s: %s, %v", text, origin(u), err)
		}
	}
}

func TestCredentialsThatAreRefused(t *testing.T) {
	open := credentialsFile(t, "token=abc")
	os.Chmod(open, 0o644)
	for path, want := range map[string]string{
		open:                                 "has the mode -rw-r--r--",
		credentialsFile(t, "just-a-hunter2"): "line 1: want KEY = VALUE",
		credentialsFile(t, "user=a\npasswort=hunter2"):  "line 2: the key is none of user, password",
		credentialsFile(t, "password=hunter2"):          "has a password and no user",
		credentialsFile(t, "user=a\ntoken=hunter2"):     "want one of them",
		credentialsFile(t, "token=Bearer hunter2"):      "the token holds a space",
		credentialsFile(t, "aws_access_key_id=hunter2"): "want both",
		filepath.Join(t.TempDir(), "none"):              "no such file",
	} {
		if _, err := Open("https://host/x", Access{Credentials: path}); err == nil || !strings.HasPrefix(err.Error(), "fleet.credentials: ") || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestCertificatesAreVerified(t *testing.T) {
	s := &shelf{files: map[string][]byte{"/x": []byte("content")}}
	server := httptest.NewUnstartedServer(s)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	if _, _, err := get(openPlace(t, server.URL+"/x", Access{}), ""); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644)
	if content, _, err := get(openPlace(t, server.URL+"/x", Access{CAFile: ca}), ""); err != nil || content != "content" {
		t.Errorf("%q, %v", content, err)
	}
	os.WriteFile(ca, []byte("no certificate"), 0o644)
	if _, err := Open(server.URL, Access{CAFile: ca}); err == nil || !strings.HasPrefix(err.Error(), "fleet.ca_file: ") || !strings.Contains(err.Error(), "holds no certificate") {
		t.Errorf("%v", err)
	}
	// From https nothing leads to http.
	plain := httptest.NewServer(s)
	defer plain.Close()
	s.set(func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, plain.URL+"/x", http.StatusFound)
		return true
	})
	os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o644)
	if _, _, err := get(openPlace(t, server.URL+"/x", Access{CAFile: ca}), ""); err == nil || !strings.Contains(err.Error(), "redirects from https to http") {
		t.Errorf("%v", err)
	}
}

// A state that is cut on its way is refused by its length, whatever the transport makes of it.
func TestAStateThatIsCutOnItsWay(t *testing.T) {
	public, private := pair(1)
	whole := published(t, private)
	s, url := serve(t)
	s.files["/x"] = whole[:len(whole)-7]
	body, _, err := openPlace(t, url+"/x", Access{}).Get(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	b, _ := io.ReadAll(body)
	if _, _, _, err := read(b, Trust{Keys: keysOf(public)}); err == nil || !strings.Contains(err.Error(), "truncated") {
		t.Errorf("%v", err)
	}
	if !bytes.HasPrefix(whole, b) {
		t.Error("other bytes came")
	}
}

package elastic

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// lastResort is the time after which a wait counts as a hang. No test depends on it otherwise.
const lastResort = 3 * time.Minute

// server is a search server on loopback, with its data in a directory of the test.
type server struct {
	t      *testing.T
	kind   string
	load   []string // of java's arguments: where its classes are
	more   []string // arguments beside directory and port
	source string
	dir    string
	port   string
	log    string
	cmd    *exec.Cmd
	in     io.Closer
}

// newServer fetches what a server of the kind needs, once, and starts one.
func newServer(t *testing.T, kind string) *server {
	t.Helper()
	source, err := filepath.Abs(filepath.Join("testdata", kind))
	if err != nil {
		t.Fatal(err)
	}
	lib, err := filepath.Abs(filepath.Join("../out/elastic", kind))
	if err != nil {
		t.Fatal(err)
	}
	if jars, _ := filepath.Glob(filepath.Join(lib, "*search*.jar")); len(jars) == 0 {
		fetch := exec.Command("mvn", "-q", "-B", "-f", filepath.Join(source, "pom.xml"), "dependency:copy-dependencies", "-DoutputDirectory="+lib)
		if out, err := fetch.CombinedOutput(); err != nil {
			t.Skipf("Maven cannot fetch %s: %s", kind, firstLine(out))
		}
	}
	port, dir := freePort(t), t.TempDir()
	s := &server{
		t: t, kind: kind, load: []string{"-cp", filepath.Join(lib, "*")}, source: filepath.Join(source, "Server.java"),
		dir: filepath.Join(dir, "data"), log: filepath.Join(dir, "server.log"), port: port,
	}
	if kind == "elasticsearch8" { // it is made of modules, and loads HTTP by itself
		jars, _ := filepath.Glob(filepath.Join(lib, "*.jar"))
		jars = slices.DeleteFunc(jars, func(jar string) bool {
			name := filepath.Base(jar)
			return strings.HasPrefix(name, "netty-") || strings.HasPrefix(name, "transport-netty4-")
		})
		s.load = []string{"-p", strings.Join(jars, ":"), "--add-modules", "ALL-MODULE-PATH"}
		s.more = []string{lib}
	}
	t.Cleanup(s.stop)
	s.start()
	return s
}

func freePort(t *testing.T) string {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	_, port, _ := net.SplitHostPort(free.Addr().String())
	return port
}

func (s *server) url() string { return "http://127.0.0.1:" + s.port }

func (s *server) start() {
	s.t.Helper()
	f, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	s.cmd = exec.Command("java", slices.Concat([]string{"-Xms512m", "-Xmx1g"}, s.load, []string{s.source, s.dir, s.port}, s.more)...)
	s.cmd.Dir = s.t.TempDir()
	s.cmd.Stdout, s.cmd.Stderr = f, f
	if s.in, err = s.cmd.StdinPipe(); err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	until(s.t, "the server answers", func() bool {
		r, err := http.Get(s.url() + "/_cluster/health?wait_for_status=yellow&timeout=5s")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		return strings.Contains(string(b), `"status":"yellow"`) || strings.Contains(string(b), `"status":"green"`)
	}, func() string { b, _ := os.ReadFile(s.log); return string(b) })
}

// stop ends the server, by its process and no other.
func (s *server) stop() {
	if s.cmd == nil || s.cmd.Process == nil {
		return
	}
	s.in.Close()
	gone := make(chan struct{})
	go func() { s.cmd.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(30 * time.Second):
		s.cmd.Process.Kill()
		<-gone
	}
	s.cmd = nil
}

// kill ends the server as a crash would.
func (s *server) kill() {
	s.cmd.Process.Kill()
	s.cmd.Wait()
	s.cmd = nil
}

// call makes a request and decodes the answer. It fails the test unless the status is good.
func (s *server) call(method, path, body string) map[string]any {
	s.t.Helper()
	answer, err := s.try(method, path, body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer
}

func (s *server) try(method, path, body string) (map[string]any, error) {
	r, err := http.NewRequest(method, s.url()+"/"+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	b, err := io.ReadAll(a.Body)
	if err != nil {
		return nil, err
	}
	if a.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %s: %s", method, path, a.Status, b)
	}
	var out map[string]any
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("%s %s: %w: %s", method, path, err, b)
	}
	return out, nil
}

// at follows keys and indices into decoded JSON; nil where there is nothing.
func at(v any, path ...any) any {
	for _, p := range path {
		switch key := p.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[key]
		case int:
			a, _ := v.([]any)
			if key >= len(a) {
				return nil
			}
			v = a[key]
		}
	}
	return v
}

func until(t *testing.T, what string, done func() bool, detail func() string) {
	t.Helper()
	for end := time.Now().Add(lastResort); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never: %s\n%s", what, detail())
		}
	}
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(line)
}

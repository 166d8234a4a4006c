package elastic

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// offline takes Fluent Bit's place where there is none: rgcn replay enriches the sessions, and bulk requests like those
// of the es output are repeated here until the server has taken them. They are plain requests, since the official
// clients of the two servers refuse each other's server.
type offline struct {
	t           *testing.T
	rgcn, state string
	dir, out    string
	url, index  string
	parts       chan string // files of sessions that passed
	done        chan struct{}
}

func haveFluentBit() bool {
	_, err := exec.LookPath("fluent-bit")
	return err == nil
}

func newOffline(t *testing.T, rgcn, state, dir, out string, s *server, index string) *offline {
	o := &offline{t: t, rgcn: rgcn, state: state, dir: dir, out: out, url: s.url(), index: index, parts: make(chan string, 8), done: make(chan struct{})}
	write(t, filepath.Join(dir, "log"), "")
	write(t, out, "")
	go o.send()
	t.Cleanup(func() { close(o.parts); <-o.done })
	return o
}

// pass enriches the lines and hands them to the sender.
func (o *offline) pass(lines []string) {
	o.t.Helper()
	dir := o.t.TempDir()
	in, scored := filepath.Join(dir, "in"), filepath.Join(dir, "scored")
	write(o.t, in, strings.Join(lines, ""))
	run(o.t, o.rgcn, "replay", "-q", "-state", o.state, "-set", "train_interval=0", "-set", "explain=on", "-o", scored, in)
	f, err := os.OpenFile(o.out, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(read(o.t, scored))
		f.Close()
	}
	if err != nil {
		o.t.Fatal(err)
	}
	o.parts <- scored
}

// send makes bulk requests of a few hundred documents, each with an ID of its content, so that a retry after a lost
// answer writes nothing twice.
func (o *offline) send() {
	defer close(o.done)
	for part := range o.parts {
		text, err := os.ReadFile(part)
		if err != nil {
			continue // the test is over
		}
		lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
		for len(lines) > 0 {
			n := min(len(lines), 500)
			var body bytes.Buffer
			for i, line := range lines[:n] {
				var doc map[string]any
				d := json.NewDecoder(bytes.NewReader(line))
				d.UseNumber()
				if err := d.Decode(&doc); err != nil {
					o.say("%s: %v", line, err)
					return
				}
				seconds, _ := doc["ts"].(json.Number).Float64()
				doc["@timestamp"] = time.UnixMicro(int64(seconds * 1e6)).UTC().Format("2006-01-02T15:04:05.000000Z")
				js, _ := json.Marshal(doc)
				fmt.Fprintf(&body, "{\"create\":{\"_index\":%q,\"_id\":\"%x\"}}\n%s\n", o.index, sha256.Sum256(fmt.Append(nil, part, len(lines)-i, line)), js)
			}
			if !o.bulk(body.Bytes()) {
				return
			}
			lines = lines[n:]
		}
	}
}

// bulk repeats a request until the server has all of it.
func (o *offline) bulk(body []byte) bool {
	for end := time.Now().Add(lastResort); time.Now().Before(end); time.Sleep(time.Second) {
		r, err := http.Post(o.url+"/_bulk", "application/x-ndjson", bytes.NewReader(body))
		if err != nil {
			o.say("no upstream connections: %v", err)
			continue
		}
		var answer struct {
			Items []map[string]struct {
				Status int
				Error  any
			}
		}
		err = json.NewDecoder(r.Body).Decode(&answer)
		r.Body.Close()
		taken := err == nil && r.StatusCode == http.StatusOK
		for _, item := range answer.Items {
			if c := item["create"]; c.Status != http.StatusCreated && c.Status != http.StatusConflict {
				o.say("status %d: %v", c.Status, c.Error)
				taken = false
			}
		}
		if taken {
			return true
		}
	}
	return false
}

func (o *offline) say(format string, args ...any) {
	f, err := os.OpenFile(filepath.Join(o.dir, "log"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

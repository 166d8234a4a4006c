package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"flb-filter-rgcn/build/samples"
)

// TestKills kills the host again and again while it learns and saves. Each start finds a whole graph, and a whole model
// once there was one. RGCN_KILLS=200 kills more often.
func TestKills(t *testing.T) {
	t.Parallel()
	kills := 10
	if n, err := strconv.Atoi(os.Getenv("RGCN_KILLS")); err == nil {
		kills = n
	}
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	input, out := write(t, dir, "ssh.log", ""), filepath.Join(dir, "out")
	rng := rand.New(rand.NewPCG(1, 2))
	written, trainings, edges, saved := 0, 0, 0, false
	for kill := range kills {
		p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_json", "DB", filepath.Join(dir, "tail.db")), toFile("ssh", out),
			filter("ssh", "State_Dir", state, "Model_Dim", "16", "Train_Steps", "10", "Train_Interval", "1s", "Train_Min_Edges", "20")))
		p.untilLogged("preset=zeek", 1)
		for _, trouble := range []string{"aside", "damaged", "error"} {
			if strings.Contains(p.log(), trouble) {
				t.Fatalf("start %d: %s", kill, p.log())
			}
		}
		known, model := found(p.log())
		if saved && !model {
			t.Fatalf("start %d has no model:\n%s", kill, p.log())
		}
		if known < edges {
			t.Fatalf("start %d knows %d edges, an earlier one knew %d:\n%s", kill, known, edges, p.log())
		}
		edges, saved = known, model
		end := time.Now().Add(time.Duration(rng.IntN(2500)) * time.Millisecond)
		for time.Now().Before(end) {
			var b strings.Builder
			for range 30 {
				fmt.Fprintf(&b, `{"id.orig_h":"host-%d","id.resp_h":"server-%d","client":"c"}`+"\n", written%997, written%31)
				written++
			}
			extend(t, input, b.String())
			time.Sleep(20 * time.Millisecond)
		}
		p.process.Kill()
		<-p.done
		// A model is saved after the log says that it is trained, and before the next training begins.
		n := strings.Count(p.log(), "trained:")
		trainings, saved = trainings+n, saved || n > 1
	}
	if trainings == 0 || edges == 0 {
		t.Errorf("%d trainings, %d edges over %d kills: nothing was tried", trainings, edges, kills)
	}
	t.Logf("%d kills, %d trainings, %d edges in the last start", kills, trainings, edges)
}

// found reads from the log of a start how many edges it loaded and whether a model. Lines about files that it could not
// load may come before.
func found(log string) (edges int, model bool) {
	m := regexp.MustCompile(`\] state: (\d+) edges(.*)`).FindStringSubmatch(log)
	if m == nil {
		return 0, false
	}
	edges, _ = strconv.Atoi(m[1])
	return edges, strings.HasSuffix(m[2], "scores from the first record on")
}

// TestAKillBetweenTwoRenames starts with each file under its older name alone, as such a kill leaves it on a file system
// without links.
func TestAKillBetweenTwoRenames(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"graph", "model"} {
		state, dir := learned(t), t.TempDir()
		if err := os.Rename(filepath.Join(state, name), filepath.Join(state, name+".prev")); err != nil {
			t.Fatal(err)
		}
		p := start(t, "-c", pipeline(t, dir, tail("ssh", write(t, dir, "ssh.log", ""), "zeek_json"), toFile("ssh", filepath.Join(dir, "out")),
			filter("ssh", append([]string{"State_Dir", state, "Train_Interval", "0"}, quick...)...)))
		p.untilLogged("preset=zeek", 1)
		if edges, model := found(p.log()); edges != samples.Triplets || !model {
			t.Errorf("%s: %d edges, model %v:\n%s", name, edges, model, p.log())
		}
		p.wantLogged("[ warn] [filter:rgcn:rgcn.0] state: " + filepath.Join(state, name) + " is not there; took the older " + filepath.Join(state, name+".prev"))
		p.stop()
	}
}

// TestLargeRecordsThroughFiles has records of two hundred fields, and one of nearly a chunk's size, wait in the host's
// files.
func TestLargeRecordsThroughFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var want []string
	for i := range 400 {
		var b strings.Builder
		fmt.Fprintf(&b, `{"n":%d,"id.orig_h":"host-%d","id.resp_h":"server-%d"`, i, i%40, i%7)
		for f := range 200 {
			fmt.Fprintf(&b, `,"field_%d":"%d"`, f, i*f)
		}
		if i == 200 {
			fmt.Fprintf(&b, `,"large":"%s"`, strings.Repeat("x", 1_900_000))
		}
		want = append(want, b.String())
	}
	input, out := write(t, dir, "ssh.log", strings.Join(want, "}\n")+"}\n"), filepath.Join(dir, "out")
	conf := pipeline(t, dir, tail("ssh", input, "zeek_json", "storage.type", "filesystem", "Buffer_Max_Size", "4M", "Mem_Buf_Limit", "1M"),
		filter("ssh"), toFile("ssh", out))
	text := string(read(conf))
	write(t, dir, "fluent-bit.conf", strings.Replace(text, "[SERVICE]\n", "[SERVICE]\n    storage.path "+filepath.Join(dir, "chunks")+"\n", 1))
	p := start(t, "-c", conf)
	p.untilLines(out, len(want))
	p.stop()
	for i, record := range lines(t, out) {
		if record != want[i]+`,"score":null,"low_score":false}` {
			t.Fatalf("record %d: %.200s", i, record)
		}
	}
	p.wantLogged("closed: 400 records, 400 counted")
}

// TestAFullDisk has a disk too full for the graph: records are scored all the same, the log says once that the graph is
// not saved, and health, metrics and the saved status for as long as that holds. Then there is room again.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("no small disk can be made here: %v: %s", err, out)
	}
	dir, address := t.TempDir(), freeAddress(t)
	disk, input, out := filepath.Join(dir, "disk"), write(t, dir, "ssh.log", sessions(t)), filepath.Join(dir, "out")
	state := filepath.Join(disk, "state")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	conf := pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012"), toFile("ssh", out),
		filter("ssh", append([]string{"State_Dir", state, "Metrics_Listen", address, "Train_Interval", "1s", "Train_Min_New_Edges", "0"}, quick...)...))
	p := startCommand(t, "unshare", "-rm", "sh", "-c", `mount -t tmpfs -o size=8m none "$1" && head -c 8160k /dev/zero >"$1/ballast" && shift && exec "$@"`,
		"sh", disk, host, "-e", sharedObject, "-c", conf)
	get := func(path string) string { return httpGet("http://" + address + path) }
	p.untilLogged("trained: ", 3)
	const unsaved = "what was learned is not saved, scoring goes on and it is tried again: "
	if n := strings.Count(p.log(), unsaved); n != 1 {
		t.Errorf("said %d times:\n%s", n, p.log())
	}
	p.wantLogged("no space left on device; make room on the file system of " + state)
	if health := get("/healthz"); !strings.Contains(health, `"problem":"nothing that was learned since the start at `) || !strings.Contains(health, "no space left on device") {
		t.Error(health)
	}
	if metrics := get("/metrics"); !strings.Contains(metrics, "rgcn_state_unsaved 1\n") || strings.Contains(metrics, "rgcn_state_saved_timestamp_seconds ") {
		t.Error(metrics)
	}
	// The disk is seen by the host and its children alone.
	seen := func(path string) string { return fmt.Sprintf("/proc/%d/root%s", p.process.Pid, path) }
	status, err := exec.Command(offlineTool, "status", "-state", seen(state)).CombinedOutput()
	if err != nil || !strings.Contains(string(status), "is saved: state: save ") {
		t.Errorf("rgcn status: %v\n%s", err, status)
	}
	extend(t, input, strings.Join(strings.SplitAfter(sessions(t), "\n")[:100], ""))
	p.untilLines(out, samples.Rows+100)
	if err := os.Remove(seen(filepath.Join(disk, "ballast"))); err != nil {
		t.Fatal(err)
	}
	p.untilLogged("what was learned is saved again, after ", 1)
	if metrics := get("/metrics"); !strings.Contains(metrics, "rgcn_state_unsaved 0\n") || !strings.Contains(metrics, "rgcn_state_saved_timestamp_seconds ") {
		t.Error(metrics)
	}
	if health := get("/healthz"); strings.Contains(health, "saved:") {
		t.Error(health)
	}
	p.stop()
	for _, record := range lines(t, out)[samples.Rows:] {
		if _, score, _, ok := split(record); !ok || !numeric(score) {
			t.Fatalf("after the training: %s", record)
		}
	}
}

// TestASlowOutput has a receiver that takes its time and an input with little memory: the host holds the input back,
// and every record comes out once. Their order is the host's: it sends chunks side by side.
func TestASlowOutput(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	received := make(chan string, 1)
	go func() {
		var all []byte
		defer func() { received <- string(all) }()
		for bytes.Count(all, []byte("\n")) < samples.Rows {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			buf := make([]byte, 32<<10)
			for {
				n, err := c.Read(buf)
				all = append(all, buf[:n]...)
				if err != nil {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			c.Close()
		}
	}()
	dir := t.TempDir()
	input := write(t, dir, "ssh.log", sessions(t))
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	p := start(t, "-c", pipeline(t, dir, tail("ssh", input, "zeek_tsv_2012", "Mem_Buf_Limit", "512k", "Buffer_Chunk_Size", "16k", "Buffer_Max_Size", "64k"),
		filter("ssh", append([]string{"Train_Interval", "1s"}, quick...)...),
		section("OUTPUT", "Name", "tcp", "Match", "ssh", "Host", "127.0.0.1", "Port", port, "Format", "json_lines", "Retry_Limit", "no_limits", "net.keepalive", "off")))
	var text string
	select {
	case text = <-received:
	case <-p.done:
		t.Fatalf("the host ended:\n%s", p.log())
	}
	p.stop()
	p.wantLogged("paused (mem buf overlimit", "closed: 7143 records, 7143 counted,")
	rows := strings.SplitAfter(sessions(t), "\n")
	records := strings.SplitAfter(strings.TrimSuffix(text, "\n"), "\n")
	if len(records) != samples.Rows {
		t.Fatalf("%d records", len(records))
	}
	times := map[string]int{} // by uid: how many of its records are still to come
	for _, row := range rows[:samples.Rows] {
		times[strings.Split(row, "\t")[1]]++
	}
	for _, record := range records {
		_, after, _ := strings.Cut(record, `"uid":"`)
		uid, _, _ := strings.Cut(after, `"`)
		if times[uid]--; times[uid] < 0 || !strings.Contains(record, `"low_score":`) {
			t.Fatalf("one too many, or without a field: %s", record)
		}
	}
}

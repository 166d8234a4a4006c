// Command bench prints what the filter costs, in one table: `make bench`. Ratios are of one run
// on one machine; absolute times drift with it.
package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"text/tabwriter"
	"time"

	"flb-filter-rgcn/build/samples"
	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/logfile"
)

const (
	so      = "build/out/flb-filter_rgcn.so"
	rgcn    = "build/out/rgcn"
	columns = samples.Columns
)

// The log whose records are sent, and what its records are called in the table.
var sessions, kind string

var table = tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)

func row(what, value, method string) { fmt.Fprintf(table, "%s\t%s\t%s\n", what, value, method) }

func main() {
	log.SetFlags(0)
	dir, err := os.MkdirTemp("", "bench")
	must(err)
	defer os.RemoveAll(dir)
	if path, ok := samples.Find(samples.Notebook); ok {
		sessions, kind = path, "real"
	} else {
		log.Printf("%s is not at hand (RGCN_DATA may name its folder): the records are %d simulated sessions", path, samples.Rows)
		sessions, kind = filepath.Join(dir, "simulated_ssh.log"), "simulated"
		must(os.WriteFile(sessions, []byte(samples.Simulated()), 0o600))
	}
	row("WHAT", "MEASURED", "METHOD")
	host(dir)
	callback()
	latency()
	training(dir)
	footprint(dir)
	must(table.Flush())
}

func must(err error) {
	if err != nil {
		log.Fatalf("bench: %v", err)
	}
}

// quiet is a filter.Host with properties from a map, which drops the log.
type quiet map[string]string

func (h quiet) Property(key string) (string, bool) { v, ok := h[key]; return v, ok }
func (h quiet) Log(level filter.Level, message string) {
	if level <= filter.LevelWarn {
		log.Print(message)
	}
}

// chunks returns the log's sessions as the host hands them over, in chunks of the given number of records.
func chunks(records int) (out [][]byte, total int) {
	r, err := logfile.Open(sessions, logfile.Options{Columns: strings.Split(columns, ","), Now: time.Now})
	must(err)
	defer r.Close()
	var chunk []byte
	for {
		next, err := r.AppendRecord(chunk)
		if err != nil {
			break
		}
		chunk = next
		if total++; total%records == 0 {
			out, chunk = append(out, chunk), nil
		}
	}
	if len(chunk) > 0 {
		out = append(out, chunk)
	}
	return out, total
}

func trained(settings quiet, chunks [][]byte) *filter.Instance {
	f, err := filter.NewOffline(settings)
	must(err)
	for _, c := range chunks {
		f.Process(nil, c)
	}
	must(f.Train(context.Background(), time.Now(), nil))
	return f
}

// callback measures records a second through Process, scoring and counting on.
func callback() {
	all, total := chunks(1000)
	f := trained(quiet{}, all)
	rate := func(goroutines int) float64 {
		var n atomic.Int64
		var wg sync.WaitGroup
		start := time.Now()
		for range goroutines {
			wg.Go(func() {
				var dst []byte
				for time.Since(start) < 2*time.Second {
					for _, c := range all {
						dst, _ = f.Process(dst[:0], c)
					}
					n.Add(int64(total))
				}
			})
		}
		wg.Wait()
		return float64(n.Load()) / time.Since(start).Seconds()
	}
	rate(1) // warm
	procs := runtime.GOMAXPROCS(1)
	one := rate(1)
	runtime.GOMAXPROCS(procs)
	eight := rate(8)
	row("callback, one core", fmt.Sprintf("%.2f million records/s", one/1e6), "Process over chunks of 1,000 "+kind+" records, trained")
	row("callback, 8 goroutines on one instance", fmt.Sprintf("%.2f million records/s, %.2f of one", eight/1e6, eight/one), fmt.Sprintf("the same on %d cores", procs))
}

// latency compares how long the slowest calls take while nothing else runs and while a training does.
func latency() {
	all, _ := chunks(100)
	for _, procs := range []int{1, min(2, runtime.NumCPU())} {
		before := runtime.GOMAXPROCS(procs)
		f, err := filter.New(quiet{"train_interval": "0"})
		must(err)
		var dst []byte
		for _, c := range all {
			dst, _ = f.Process(dst[:0], c)
		}
		must(f.Train(context.Background(), time.Now(), nil))
		calls := func(times []time.Duration, done <-chan struct{}) []time.Duration {
			for i := 0; ; i++ {
				select {
				case <-done:
					return times
				default:
				}
				start := time.Now()
				dst, _ = f.Process(dst[:0], all[i%len(all)])
				times = append(times, time.Since(start))
				time.Sleep(time.Millisecond) // a pipeline at a tenth of its pace
			}
		}
		p99 := func(times []time.Duration) time.Duration {
			slices.Sort(times)
			return times[len(times)*99/100]
		}
		var idle, loaded []time.Duration
		for range 6 { // by turns
			done := make(chan struct{})
			go func() {
				defer close(done)
				must(f.Train(context.Background(), time.Now(), nil))
			}()
			start := time.Now()
			loaded = calls(loaded, done)
			done = make(chan struct{})
			time.AfterFunc(time.Since(start), func() { close(done) })
			idle = calls(idle, done)
		}
		must(f.Close())
		runtime.GOMAXPROCS(before)
		busy, usual := p99(loaded), p99(idle)
		row(fmt.Sprintf("p99 of a call while a training runs, GOMAXPROCS %d", procs),
			fmt.Sprintf("%.0f us, %.1f times idle (%.0f us)", micro(busy), micro(busy)/micro(usual), micro(usual)),
			fmt.Sprintf("chunks of 100 %s records, one a millisecond, %d calls by turns", kind, len(idle)+len(loaded)))
	}
}

func micro(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

// training takes the packages' own benchmarks, and a simulation of 30,000 sessions.
func training(dir string) {
	out := run("go", "test", "-run", "^$", "-bench", "^(BenchmarkReferenceStep|BenchmarkGrowth)$", "-benchtime", "1x", "-timeout", "20m", "./model")
	steps := run("go", "test", "-run", "^$", "-bench", "^BenchmarkReferenceStep$", "-benchtime", "500x", "-cpu", "1", "./model")
	if m := regexp.MustCompile(`BenchmarkReferenceStep\S*\s+\d+\s+(\d+) ns/op`).FindStringSubmatch(steps); m != nil {
		ns, _ := strconv.ParseFloat(m[1], 64)
		row("reference training, 500 steps", fmt.Sprintf("%.2f s", 500*ns/1e9), "the notebook's job on "+kind+" records: 1,000 + 1,000 triplets a step, d 32, one thread")
	}
	sim, state := filepath.Join(dir, "sim"), filepath.Join(dir, "sim-state")
	run(rgcn, "simulate", "-q", "-sessions", "2750", "-o", sim)
	lines := bytes.Count(read(sim), []byte("\n"))
	seconds := func(text string) string {
		if m := regexp.MustCompile(`steps in ([\d.]+) s`).FindStringSubmatch(text); m != nil {
			return m[1] + " s"
		}
		return "?"
	}
	cold := seconds(run(rgcn, "train", "-state", state, sim))
	warm := seconds(run(rgcn, "train", "-state", state, sim))
	row(fmt.Sprintf("temporal training, %d simulated sessions", lines), fmt.Sprintf("%s cold, %s warm", cold, warm), "default settings, one thread")
	for _, m := range regexp.MustCompile(`BenchmarkGrowth/(\d+)\S*\s+\d+\s+\d+ ns/op\s+([\d.]+) MiB\s+([\d.]+) MiB-foretold\s+([\d.]+) ns/step/edge\s+([\d.]+) s/training`).FindAllStringSubmatch(out, -1) {
		row("training, "+m[1]+" edges", fmt.Sprintf("%s s, %s MiB (foretold %s), %s ns a step and edge", m[5], m[2], m[3], m[4]), "500 steps, a tenth as many hosts, two threads")
	}
	if m := regexp.MustCompile(`([\d.]+) bytes/edge\s+([\d.]+) ms/slowest`).FindStringSubmatch(run("go", "test", "-run", "^$", "-bench", "MemoryPerEdge", "-benchtime", "1x", "./graphbuf")); m != nil {
		row("memory of the graph", m[1]+" bytes an edge", "a million edges, 100 thousand hosts")
		row("slowest event on the way there", m[2]+" ms", "one of a million that make an edge")
	}
}

// host measures how much Fluent Bit's user time grows.
func host(dir string) {
	if _, err := exec.LookPath("fluent-bit"); err != nil {
		row("cost in the pipeline", "not measured", "fluent-bit is not on the PATH")
		return
	}
	one, many := filepath.Join(dir, "one"), filepath.Join(dir, "many")
	run(rgcn, "replay", "-q", "-columns", columns, "-set", "train_interval=0", "-set", "score=drop_a", "-set", "low_score=drop_b", "-o", one, sessions)
	session := regexp.MustCompile(`,"drop_[ab]":[a-z]+`).ReplaceAll(read(one), nil)
	must(os.WriteFile(many, bytes.Repeat(session, 70), 0o600))
	records := 70 * bytes.Count(session, []byte("\n"))
	state := filepath.Join(dir, "state")
	run(rgcn, "train", "-q", "-state", state, one)
	lua := filepath.Join(dir, "add.lua")
	must(os.WriteFile(lua, []byte("function add(tag, ts, r) r.score = 0.5; r.low_score = false; return 2, ts, r end\n"), 0o600))
	filters := map[string]string{
		"none":   "",
		"modify": "[FILTER]\n Name modify\n Match *\n Add score 0.5\n Add low_score false\n",
		"lua":    "[FILTER]\n Name lua\n Match *\n script " + lua + "\n call add\n",
		"rgcn":   "[FILTER]\n Name rgcn\n Match *\n Train_Interval 0\n State_Dir " + state + "\n",
	}
	// Without a time key: the notebook's times are no ISO 8601, and a warning for each would be measured too.
	parsers := filepath.Join(dir, "parsers.conf")
	must(os.WriteFile(parsers, []byte("[PARSER]\n Name json\n Format json\n"), 0o600))
	const rounds = 9 // single runs differ by a quarter on a busy machine
	times := map[string][]float64{}
	for range rounds {
		for _, name := range []string{"none", "modify", "rgcn", "lua"} { // in alternation, so that other load falls on all alike
			conf := filepath.Join(dir, "conf")
			must(os.WriteFile(conf, fmt.Appendf(nil, "[SERVICE]\n Flush 1\n Log_Level warn\n Parsers_File %s\n[INPUT]\n Name tail\n Tag ssh\n Path %s\n Parser json\n"+
				" Read_from_Head On\n Exit_On_Eof On\n Buffer_Max_Size 1M\n%s[OUTPUT]\n Name null\n Match *\n", parsers, many, filters[name]), 0o600))
			c := exec.Command("fluent-bit", "-e", so, "-c", conf)
			out, err := c.CombinedOutput()
			if err != nil || bytes.Contains(out, []byte("[error]")) {
				log.Fatalf("bench: fluent-bit with %s: %v\n%.2000s", name, err, out)
			}
			times[name] = append(times[name], c.ProcessState.UserTime().Seconds())
		}
	}
	median := func(name string) float64 {
		t := slices.SortedFunc(slices.Values(times[name]), cmp.Compare[float64])
		return t[len(t)/2]
	}
	base := median("none")
	over := func(name string) float64 { return median(name) - base }
	method := fmt.Sprintf("user time for %d %s records, tail -> filter -> null, over none (%.2f s); median of %d by turns", records, kind, base, rounds)
	row("cost in the pipeline, trained", fmt.Sprintf("%.2f s, %.2f of modify (%.2f s), %.2f of lua (%.2f s)", over("rgcn"), over("rgcn")/over("modify"), over("modify"), over("rgcn")/over("lua"), over("lua")), method)
}

func footprint(dir string) {
	info, err := os.Stat(so)
	must(err)
	row("shared object, stripped", fmt.Sprintf("%.1f MB", float64(info.Size())/1e6), so)
	if _, err := exec.LookPath("fluent-bit"); err != nil {
		return
	}
	resident := func(filter string) float64 {
		conf := filepath.Join(dir, "idle")
		must(os.WriteFile(conf, []byte("[INPUT]\n Name dummy\n Interval_Sec 3600\n"+filter+"[OUTPUT]\n Name null\n Match *\n"), 0o600))
		args := []string{"-c", conf}
		if filter != "" {
			args = append([]string{"-e", so}, args...)
		}
		c := exec.Command("fluent-bit", args...)
		must(c.Start())
		defer func() { c.Process.Kill(); c.Wait() }()
		time.Sleep(2 * time.Second)
		_, line, _ := strings.Cut(string(read(fmt.Sprintf("/proc/%d/status", c.Process.Pid))), "VmRSS:")
		var kib float64
		fmt.Sscan(line, &kib)
		return kib / 1024
	}
	row("memory added to an idle Fluent Bit", fmt.Sprintf("%.1f MiB", resident("[FILTER]\n Name rgcn\n Match *\n")-resident("")), "resident, two seconds after the start")
}

func run(name string, args ...string) string {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		log.Fatalf("bench: %s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func read(path string) []byte {
	b, err := os.ReadFile(path)
	must(err)
	return b
}

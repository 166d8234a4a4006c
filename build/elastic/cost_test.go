package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/elastic"
)

// TestGraphCost measures what it costs to read a graph from a server: RGCN_GRAPH_COST names the number of buckets, of a
// triplet and a day, RGCN_GRAPH_SERVER the kind of server, RGCN_GRAPH_SHARDS the shards of the index. It judges nothing
// but the counts; conf/fleet/graph-from-search.md has what it printed.
func TestGraphCost(t *testing.T) {
	buckets, _ := strconv.Atoi(os.Getenv("RGCN_GRAPH_COST"))
	if buckets == 0 {
		t.Skip("RGCN_GRAPH_COST is not set: nothing is measured")
	}
	kind, shards := os.Getenv("RGCN_GRAPH_SERVER"), os.Getenv("RGCN_GRAPH_SHARDS")
	if kind == "" {
		kind = "opensearch"
	}
	if shards == "" {
		shards = "1"
	}
	const index, days, each = "cost", 30, 2.0 // documents of a bucket, on average
	s := newServer(t, kind)
	s.call("PUT", index, `{"settings":{"index.number_of_shards":`+shards+`,"index.number_of_replicas":0,"index.refresh_interval":"-1"},"mappings":{"properties":{
		"@timestamp":{"type":"date"},"id":{"properties":{"orig_h":{"type":"ip"},"resp_h":{"type":"ip"}}},"client":{"type":"keyword"}}}}`)
	began := time.Now()
	documents := fill(t, s, index, buckets, days, each)
	s.call("POST", index+"/_refresh", "")
	size, _ := at(s.call("GET", index+"/_stats/store", ""), "_all", "primaries", "store", "size_in_bytes").(float64)
	var version any
	nodes, _ := at(s.call("GET", "_nodes", ""), "nodes").(map[string]any)
	for _, n := range nodes {
		version = at(n, "version")
	}
	t.Logf("%s %v, %s shards, %d CPUs: %d documents in %d buckets, %.0f MiB on disk, indexed in %.0f s", kind, version, shards, runtime.NumCPU(), documents, buckets, size/(1<<20), time.Since(began).Seconds())

	settings, err := config.Load(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range [][2]int{{10_000, 50_000}, {30_000, 50_000}, {3_000, 50_000}, {10_000, 300_000}} { // the first is the default
		page, stretch := how[0], how[1]
		address, wire := relay(t, "127.0.0.1:"+s.port)
		source, err := elastic.New(elastic.Config{URL: "http://" + address + "/" + index, Fields: settings.Fields, Window: 40 * 24 * time.Hour, PageSize: page, Stretch: uint64(stretch)})
		if err != nil {
			t.Fatal(err)
		}
		g, err := graphbuf.New(graphbuf.Config{MaxNodes: 1_000_000, MaxRelations: 1000, MaxEdges: 5_000_000, Window: 40 * 24 * time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var peak uint64
		busy := cpu()
		r, err := source.Pull(context.Background(), g, elastic.Options{Progress: func(uint64, uint64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse)
		}})
		source.Close()
		if err != nil {
			t.Fatal(err)
		}
		if int(r.Buckets) < buckets || r.Documents != uint64(documents) {
			t.Errorf("%d documents in %d buckets, want %d and at least %d", r.Documents, r.Buckets, documents, buckets)
		}
		st := g.Stats()
		t.Logf("pages of %d, stretches of %d: %d buckets of %d triplets in %.1f s, %.1f s of it in the server; %d requests of %.2f s; %.1f s of CPU time here; %.1f MiB of answers, %.1f MiB on the wire, %.0f bytes and %.0f on the wire a bucket; heap %d MiB",
			page, stretch, r.Buckets, st.Edges, r.Took.Seconds(), r.Cluster.Seconds(), r.Requests, r.Took.Seconds()/float64(r.Requests), (cpu() - busy).Seconds(), float64(r.Bytes)/(1<<20), float64(wire.Load())/(1<<20),
			float64(r.Bytes)/float64(r.Buckets), float64(wire.Load())/float64(r.Buckets), peak>>20)
	}
}

// cpu is the CPU time that this process has taken.
func cpu() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// fill indexes documents of so many buckets, of days from the last whole one back, and returns how many.
func fill(t *testing.T, s *server, index string, buckets, days int, each float64) (documents int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	last := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	perDay := buckets / days
	var b bytes.Buffer
	send := func() {
		r, err := http.Post(s.url()+"/"+index+"/_bulk?filter_path=errors", "application/x-ndjson", bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		var answer struct{ Errors bool }
		// A request that is refused as a whole has no item that failed.
		if err := json.NewDecoder(r.Body).Decode(&answer); err != nil || answer.Errors || r.StatusCode != http.StatusOK {
			t.Fatalf("bulk: %s, %v %v", r.Status, err, answer)
		}
		b.Reset()
	}
	for day := range days {
		at := last.AddDate(0, 0, -day)
		var order []int // sessions of the day, which come as they come
		for i := range perDay {
			n := 1
			for rng.Float64() < 1-1/each {
				n++
			}
			order = append(order, slices.Repeat([]int{i}, n)...)
		}
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for i, triplet := range order {
			// Half of the triplets are those of every day.
			if triplet >= perDay/2 {
				triplet += day * perDay
			}
			source, destination := triplet%20_000, triplet/20_000*7+triplet%97
			ms := at.UnixMilli() + int64(i)*86_400_000/int64(len(order))
			fmt.Fprintf(&b, "{\"index\":{}}\n{\"@timestamp\":%d,\"id.orig_h\":\"10.%d.%d.%d\",\"id.resp_h\":\"10.200.%d.%d\",\"client\":\"SSH-2.0-OpenSSH_%d.%dp1\"}\n",
				ms, source>>16, source>>8&255, source&255, destination>>8&255, destination&255, source%9, triplet%7)
			documents++
			if b.Len() > 4<<20 {
				send()
			}
		}
	}
	send()
	return documents
}

// counter counts what is written to it.
type counter struct{ n *atomic.Int64 }

func (c counter) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return len(b), nil
}

// relay listens on loopback and passes everything on; it counts the bytes that come back.
func relay(t *testing.T, to string) (address string, back *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	back = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				server, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer server.Close()
				go io.Copy(server, c)
				io.Copy(io.MultiWriter(c, counter{back}), server)
			}()
		}
	}()
	return l.Addr().String(), back
}

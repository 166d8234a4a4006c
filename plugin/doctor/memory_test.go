package doctor

import (
	"fmt"
	"testing"
	"testing/fstest"

	"flb-filter-rgcn/graphbuf"
	"flb-filter-rgcn/plugin/filter"
)

// machineWith is a machine on which a memory cgroup of version 2 allows so many MiB and has taken others, for the
// process with that number.
func machineWith(allows, taken int, process string) fstest.MapFS {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	return fstest.MapFS{
		"proc/meminfo":                        file("MemTotal: 16000000 kB\nMemAvailable: 12000000 kB\n"),
		"proc/" + process + "/cgroup":         file("0::/fluent\n"),
		"proc/" + process + "/mountinfo":      file("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
		"sys/fs/cgroup/fluent/memory.max":     file(fmt.Sprintln(allows << 20)),
		"sys/fs/cgroup/fluent/memory.current": file(fmt.Sprintln(taken << 20)),
		"sys/fs/cgroup/fluent/memory.stat":    file("inactive_file 0\n"),
	}
}

func TestMemory(t *testing.T) {
	with := func(allows, taken int, properties ...string) *examination {
		return examine(t, Options{Conf: conf(t, "", properties...)}, func(e *examination) { e.machine = machineWith(allows, taken, "self") }, (*examination).memory)
	}
	small := []string{"Graph_Max_Edges 20000", "Graph_Max_Nodes 2000"}
	e := with(1000, 50, small...)
	e.has(t, OK, TopicMemory, "at its bounds (20000 triplets, 2000 hosts at most)", "memory.max has 1000 MiB and leaves 950 MiB now")
	e.hasNone(t, TopicMemory)
	e = with(140, 40, small...)
	e.has(t, OK, TopicMemory, "so it takes", "MiB with dimension ")
	e = with(60, 40, small...)
	e.has(t, Warning, TopicMemory, "will not train so large a graph", "raise that limit, or lower Graph_Max_Edges")
	e = with(16000, 50, append(small, "Train_Max_Memory 1")...)
	e.has(t, Warning, TopicMemory, "Train_Max_Memory allows 1 MiB", "will not train")
	// A graph that takes in what others saw keeps more of each triplet.
	large := []string{"Graph_Max_Edges 1000000", "Graph_Max_Nodes 2000"}
	with(16000, 50, large...).has(t, OK, TopicMemory, fmt.Sprintf("graph %d MiB, ", (1_000_000*graphbuf.EdgeBytes+2000*graphbuf.NodeBytes)>>20))
	with(16000, 50, append(large, "Graph_Source http://127.0.0.1:9200/logs")...).has(t, OK, TopicMemory,
		fmt.Sprintf("graph %d MiB, ", (1_000_000*(graphbuf.EdgeBytes+graphbuf.LedgerBytes)+2000*graphbuf.NodeBytes)>>20))
	e = with(60, 40, append(small, "Train_Interval 0")...)
	if n := len(e.findings); n != 2 { // configuration and settings: nothing is trained
		t.Errorf("%d findings:\n%s", n, e.text())
	}
}

// What the graph has become counts more than what it may become: then trainings are put off already.
func TestMemoryNow(t *testing.T) {
	saved := &filter.Saved{Status: &filter.Status{Graph: filter.GraphStatus{Nodes: 50000, Relations: 20, Edges: 200000}}}
	with := func(allows int, process string, pid int) *examination {
		return examine(t, Options{Conf: conf(t, "")}, func(e *examination) {
			e.machine = machineWith(allows, 40, process)
			e.targets[0].saved, e.targets[0].holder = saved, pid
		}, (*examination).memory)
	}
	with(100, "self", 0).has(t, Problem, TopicMemory, "now (200000 triplets, 50000 hosts at most)", "trainings are put off", "raise that limit")
	with(4000, "self", 0).has(t, OK, TopicMemory, "now (200000 triplets, 50000 hosts at most)")
	// The limits of the process that runs are those that count.
	with(100, "77", 77).has(t, Problem, TopicMemory, "trainings are put off")
	with(100, "77", 0).has(t, OK, TopicMemory, "now (200000 triplets")
}

package filter

import (
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// rowChunks are the header of a Zeek log and n of its rows over and over, as tail without a parser hands them over.
func rowChunks(t testing.TB, n int) (header, rows []byte) {
	t.Helper()
	var lines [][]byte
	for line := range strings.Lines(string(samples.Own(t, samples.OwnZeekTSV))) {
		event := appendEvent(nil, "log", strings.TrimSuffix(line, "\n"))
		if line[0] == '#' {
			header = append(header, event...)
		} else {
			lines = append(lines, event)
		}
	}
	for i := range n {
		rows = append(rows, lines[i%len(lines)]...)
	}
	return header, rows
}

// rowProperties read cells of several types.
var rowProperties = []string{"relation", "client|auth_success|version", "source", "nobody else id.orig_h", "only", "auth_success!=x,id.orig_h!=192.0.2.250"}

func TestRowsDoNotAllocatePerRecord(t *testing.T) {
	if poolsForget {
		t.Skip("under the race detector pools forget what they hold")
	}
	f := offline(t, host(rowProperties...))
	header, rows := rowChunks(t, 1000)
	f.Process(nil, header)
	dst, _ := f.Process(nil, rows)
	before := f.Counts()
	if n := testing.AllocsPerRun(20, func() { f.Process(dst[:0], rows) }); n > 2 {
		t.Errorf("%v allocations for a chunk of 1000 known rows", n)
	}
	if counted := f.Counts().Counted - before.Counted; counted != 21*1000 {
		t.Errorf("%d rows counted, want %d", counted, 21*1000)
	}
}

// BenchmarkProcessRows is BenchmarkProcess for rows of Zeek's log.
func BenchmarkProcessRows(b *testing.B) {
	for _, c := range []struct {
		name       string
		properties []string
	}{{"preset", nil}, {"types", rowProperties}} {
		b.Run(c.name, func(b *testing.B) {
			const n = 1000
			f := offline(b, host(c.properties...))
			header, rows := rowChunks(b, n)
			f.Process(nil, header)
			dst, _ := f.Process(nil, rows)
			b.ReportAllocs()
			for b.Loop() {
				dst, _ = f.Process(dst[:0], rows)
			}
			b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

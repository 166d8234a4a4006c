package record

import (
	"slices"
	"testing"
)

// The way of a record through the filter, less graph and model: found, and spliced.
func BenchmarkWalk(b *testing.B) {
	rows := sessions(b)
	added := appendAny(appendAny(appendAny(appendAny(nil, "score"), 0.5), "low_score"), true)
	for _, c := range []struct {
		name   string
		keys   int
		turns  bool // every other record has its keys at other places
		splice bool
	}{{"keys=10", 10, false, false}, {"keys=10,turns", 10, true, false}, {"keys=15", 15, false, false}, {"keys=15,splice", 15, false, true}} {
		b.Run(c.name, func(b *testing.B) {
			var chunk []byte
			for i, o := range rows {
				o = o[:2*c.keys]
				if c.turns && i%2 == 0 {
					o = append(slices.Clone(o[2:]), o[:2]...)
				}
				chunk = append(chunk, tailEvent(o)...)
			}
			w := mustCompile(b, zeek).NewWalker()
			out := make([]byte, 0, 2*len(chunk))
			b.SetBytes(int64(len(chunk)))
			b.ReportAllocs()
			for b.Loop() {
				out = out[:0]
				for w.Reset(chunk); w.Next(); {
					if c.splice {
						out = append(w.AppendSpliced(out, w.Event().Extent, 2), added...)
					}
				}
			}
			b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "records/s")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/record")
		})
	}
}

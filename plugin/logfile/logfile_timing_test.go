package logfile

import (
	"io"
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// benchLog reads a real log again and again.
func benchLog(b *testing.B, file string, opt Options) {
	b.ReportAllocs()
	var dst []byte
	records := 0
	for b.Loop() {
		r, err := Open(file, opt)
		if err != nil {
			b.Fatal(err)
		}
		for {
			if dst, err = r.AppendRecord(dst[:0]); err != nil {
				break
			}
			records++
		}
		r.Close()
		if err != io.EOF {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkReadColumns(b *testing.B) {
	benchLog(b, samples.SessionsPath(b), testOptions(strings.Split("ts,uid,id.orig_h,-,id.resp_h,-,status,-,client,server", ",")...))
}

func BenchmarkReadNDJSON(b *testing.B) {
	line := toJSON(b, readGood(b, samples.OwnPath(b, samples.OwnZeekJSON), testOptions())[0])
	benchLog(b, write(b, "log", strings.Repeat(line, 10000)), testOptions())
}

func BenchmarkAppendJSON(b *testing.B) {
	events := readGood(b, samples.OwnPath(b, samples.OwnZeekJSON), testOptions())
	b.ReportAllocs()
	var dst []byte
	for b.Loop() {
		dst = dst[:0]
		for _, event := range events {
			var err error
			if dst, err = AppendJSON(dst, event); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N*len(events))/b.Elapsed().Seconds(), "records/s")
}

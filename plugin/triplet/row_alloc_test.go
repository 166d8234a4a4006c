package triplet

import (
	"strings"
	"testing"

	"flb-filter-rgcn/build/samples"
)

// sampleRows are the header and the rows of a log with all of Zeek's columns.
func sampleRows(t testing.TB, name string) (header, rows [][]byte) {
	t.Helper()
	for line := range strings.Lines(string(samples.Own(t, name))) {
		if line[0] == '#' {
			header = append(header, []byte(line))
		} else {
			rows = append(rows, []byte(line))
		}
	}
	return header, rows
}

// rowReader returns a function that reads rows by a header.
func rowReader(t testing.TB, header [][]byte, properties map[string]string) func(rows [][]byte) (found int) {
	t.Helper()
	f, b := newFinder(t, properties), new(Buffer)
	s := f.Of(new(Streams), nil)
	values := make([][]byte, f.Values())
	read := func(rows [][]byte) (found int) {
		for _, line := range rows {
			clear(values)
			values[f.line] = line
			if _, verdict := f.Find(b, &s, values); verdict == Found {
				found++
			}
		}
		return found
	}
	read(header)
	return read
}

// rowSettings read cells of every type.
var rowSettings = map[string]map[string]string{
	"preset": nil,
	"types": {"source": "nobody else id.orig_h,id.orig_p", "relation": "client|auth_success|version|remote_location.latitude|tags",
		"only": "auth_success=T|F,id.resp_h!=10.9.9.9"},
}

func TestRowsAllocateNothing(t *testing.T) {
	types := []byte("#fields\tts\tid.orig_h\tid.orig_p\tid.resp_h\tclient\tauth_success\tversion\tremote_location.latitude\ttags")
	for name, properties := range rowSettings {
		for _, file := range []string{samples.OwnZeekTSV, samples.OwnOtherColumns} {
			header, rows := sampleRows(t, file)
			read := rowReader(t, header, properties)
			if n := testing.AllocsPerRun(20, func() { read(rows) }); n != 0 || read(rows) == 0 {
				t.Errorf("%s, %s: %v allocations for %d rows, %d of them sessions", name, file, n, len(rows), read(rows))
			}
		}
		read := rowReader(t, [][]byte{types, []byte("#types\ttime\taddr\tport\taddr\tstring\tbool\tcount\tdouble\tset[string]")}, properties)
		rows := [][]byte{
			[]byte("1700000000.123456\t192.0.2.1\t007\t192.0.2.2\tSSH\\x09x\tT\t2\t47.5\ta,b"),
			[]byte("XXXXXXXXXX.XXXXXX\t192.0.2.1\t+7\t192.0.2.2\tSSH\\xzz\tF\tnone\tnone\t-,(empty),c"),
		}
		if n := testing.AllocsPerRun(20, func() { read(rows) }); n != 0 || read(rows) != len(rows) {
			t.Errorf("%s: %v allocations, %d of %d rows sessions", name, n, read(rows), len(rows))
		}
	}
}

func BenchmarkRows(b *testing.B) {
	for name, properties := range rowSettings {
		b.Run(name, func(b *testing.B) {
			header, rows := sampleRows(b, samples.OwnZeekTSV)
			read := rowReader(b, header, properties)
			b.ReportAllocs()
			for b.Loop() {
				read(rows)
			}
			b.ReportMetric(float64(b.N*len(rows))/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

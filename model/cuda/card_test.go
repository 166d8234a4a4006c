//go:build gpu

package cuda

import (
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"

	"gorgonia.org/cu"
)

// TestKernelsOnTheDevice asks the driver's own compiler what it made of the PTX. Local memory
// would mean registers that did not suffice, or an array with an index known only at run time.
func TestKernelsOnTheDevice(t *testing.T) {
	d, err := Open(0)
	if err != nil {
		t.Skip(err)
	}
	defer d.Close()
	for _, name := range kernels {
		registers, err := d.functions[name].Attribute(cu.NumRegs)
		if err != nil {
			t.Skip(err) // the driver for tests does not tell
		}
		local, err := d.functions[name].Attribute(cu.LocalSizeBytes)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%-10s %3d registers, %d bytes of local memory", name, registers, local)
		if local != 0 {
			t.Errorf("%s uses %d bytes of local memory a thread, want none", name, local)
		}
	}
}

// TestOpenLeavesNothing opens and closes a device again and again: the process must not grow by it.
func TestOpenLeavesNothing(t *testing.T) {
	resident := func() int64 {
		debug.FreeOSMemory()
		b, _ := os.ReadFile("/proc/self/statm")
		pages, _ := strconv.ParseInt(strings.Fields(string(b))[1], 10, 64)
		return pages * int64(os.Getpagesize()) >> 10
	}
	if os.Getenv("RGCN_HOLD") != "" {
		release, held := make(chan struct{}), make(chan struct{})
		defer close(release)
		go func() {
			d, err := Open(0)
			close(held)
			if err == nil {
				<-release
				d.Close()
			}
		}()
		<-held
	}
	var before int64
	for i := range 61 {
		d, err := Open(0)
		if err != nil {
			t.Skip(err)
		}
		d.Close()
		if i == 20 {
			before = resident()
		}
		if i%20 == 0 {
			t.Logf("opened %d times: resident %d KiB", i+1, resident())
		}
	}
	if grown := resident() - before; grown > 20<<10 {
		t.Errorf("the process grew by %d KiB", grown)
	}
}

// BenchmarkOpen is a context made and the kernels loaded, which each training pays once.
func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		d, err := Open(0)
		if err != nil {
			b.Skip(err)
		}
		d.Close()
	}
}

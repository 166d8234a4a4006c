//go:build gpu

package cuda

import (
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

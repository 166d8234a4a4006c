//go:build gpu

package cuda

/*
#cgo LDFLAGS: -ldl -lpthread
#include <stddef.h>
int rgcn_cuda_open(const char **message);
int rgcn_cuda_alloc_host(void **p, size_t bytes);
int rgcn_cuda_free_host(void *p);
void rgcn_cuda_trim(void);
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// openDriver finds the CUDA driver when it is first called.
func openDriver() error {
	var message *C.char
	if code := C.rgcn_cuda_open(&message); code != 0 {
		return fmt.Errorf("cuda: %s (error %d)", C.GoString(message), int(code))
	}
	return nil
}

// trimHeap gives back what the driver has freed.
func trimHeap() { C.rgcn_cuda_trim() }

// hostMemory is page-locked: the device copies from and to it while the host goes on.
type hostMemory struct {
	p unsafe.Pointer
	n int
}

// word is the place of a word of it.
func (m hostMemory) word(i int) unsafe.Pointer { return unsafe.Add(m.p, 4*i) }

func newHostMemory(bytes int) (hostMemory, error) {
	m := hostMemory{n: bytes}
	if code := C.rgcn_cuda_alloc_host(&m.p, C.size_t(bytes)); code != 0 {
		return hostMemory{}, fmt.Errorf("cuda: %d bytes of page-locked memory: error %d", bytes, int(code))
	}
	return m, nil
}

func (m hostMemory) free() {
	if m.p != nil {
		C.rgcn_cuda_free_host(m.p)
	}
}

// words returns n words of a type of 4 bytes, from the given one on.
func words[T int32 | uint32 | float32](m hostMemory, from, n int) []T {
	return unsafe.Slice((*T)(m.p), m.n/4)[from : from+n : from+n]
}

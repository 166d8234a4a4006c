// Command plugin is the shared object flb-filter_rgcn.so, which Fluent Bit loads as the filter rgcn.
//
// It owns the border to the host: registration, properties, log lines, C memory, and that no panic crosses it. It never knows what
// is in a chunk or how it is scored; that is package filter's.
package main

/*
#include <stdlib.h>
#include "abi.h"
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
	"unsafe"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/metrics"
)

// main is never called; a shared object needs one.
func main() {}

// instance is one filter section of the host's configuration.
type instance struct {
	filter    *filter.Instance
	metrics   *metrics.Server // nil: nobody asked for it
	host      *host
	growth    growth
	lastPanic atomic.Int64 // when a panic in Process was last logged, Unix time in nanoseconds
}

// panicInterval keeps a record that cannot be processed, and comes again with every chunk, from filling the log.
const panicInterval = time.Minute

// rgcnCheck returns 0 when an instance could be made, and says why not otherwise. c is valid for the call only.
//
//export rgcnCheck
func rgcnCheck(c *C.struct_rgcn_host) (code C.int) {
	h := &host{c: c}
	defer h.close()
	defer func() {
		if v := recover(); v != nil {
			h.logPanic("check", v)
			code = -1
		}
	}()
	if err := filter.Check(h); err != nil {
		h.Log(filter.LevelError, err.Error())
		return -1
	}
	return 0
}

// rgcnInit returns the handle of a new instance, or 0 when the host shall not start. c is valid until rgcnExit returns.
//
//export rgcnInit
func rgcnInit(c *C.struct_rgcn_host) (handle C.uintptr_t) {
	h := &host{c: c}
	defer func() {
		if v := recover(); v != nil {
			h.logPanic("init", v)
		}
		if handle == 0 {
			h.close()
		}
	}()
	f, err := filter.New(h)
	if err != nil {
		h.Log(filter.LevelError, err.Error())
		return 0
	}
	return C.uintptr_t(cgo.NewHandle(&instance{filter: f, host: h, metrics: metrics.Start(f, f.Config().Metrics, h)}))
}

// rgcnFilter leaves *out alone, and with it the chunk as it came, unless a complete new chunk is there.
//
//export rgcnFilter
func rgcnFilter(handle C.uintptr_t, data unsafe.Pointer, size C.size_t, tag unsafe.Pointer, tagSize C.int, out *unsafe.Pointer, outSize *C.size_t) (code C.int) {
	i := cgo.Handle(handle).Value().(*instance) // the host has it from rgcnInit and from nowhere else
	var memory []byte
	defer func() {
		if v := recover(); v != nil {
			i.panicked(v)
			code = C.HOST_NO_TOUCH
		}
		if code == C.HOST_NO_TOUCH {
			release(memory)
		}
	}()
	if size == 0 {
		return C.HOST_NO_TOUCH
	}
	// The new chunk is made where the host will free it.
	if memory = allocate(i.growth.room(int(size))); memory == nil {
		return C.HOST_NO_TOUCH
	}
	chunk, modified := i.filter.ProcessTagged(memory[:0], unsafe.Slice((*byte)(data), int(size)), unsafe.Slice((*byte)(tag), int(tagSize)))
	if !modified || len(chunk) == 0 {
		return C.HOST_NO_TOUCH
	}
	if &chunk[0] != &memory[0] { // it did not fit, and is in Go's memory
		i.growth.learn(int(size), len(chunk))
		release(memory)
		if memory = allocate(len(chunk)); memory == nil {
			return C.HOST_NO_TOUCH
		}
		copy(memory, chunk)
	}
	*out, *outSize = unsafe.Pointer(&memory[0]), C.size_t(len(chunk))
	return C.HOST_MODIFIED
}

// allocate returns C memory, nil when it is short: cgo's own C.malloc would end the process then.
func allocate(size int) []byte {
	p := C.rgcn_malloc(C.size_t(size))
	if p == nil {
		return nil
	}
	return unsafe.Slice((*byte)(p), size)
}

func release(memory []byte) {
	if memory != nil {
		C.free(unsafe.Pointer(&memory[0]))
	}
}

// rgcnExit joins everything the instance started.
//
//export rgcnExit
func rgcnExit(handle C.uintptr_t) (code C.int) {
	i := cgo.Handle(handle).Value().(*instance)
	cgo.Handle(handle).Delete()
	defer i.host.close()
	defer func() {
		if v := recover(); v != nil {
			i.host.logPanic("exit", v)
			code = -1
		}
	}()
	i.metrics.Close()
	if err := i.filter.Close(); err != nil {
		i.host.Log(filter.LevelError, err.Error())
		return -1
	}
	return 0
}

func (i *instance) panicked(v any) {
	now, last := time.Now().UnixNano(), i.lastPanic.Load()
	if now-last >= int64(panicInterval) && i.lastPanic.CompareAndSwap(last, now) {
		i.host.logPanic("filter: the chunk passes as it came", v)
	}
}

func (h *host) logPanic(where string, v any) {
	h.Log(filter.LevelError, fmt.Sprintf("%s: panic: %v", where, v))
	for line := range strings.Lines(string(debug.Stack())) {
		h.Log(filter.LevelDebug, strings.TrimSpace(line))
	}
}

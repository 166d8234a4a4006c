package fluentbit

/*
#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#include "hostlog.h"
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
)

// instance is what a handle of the C side stands for.
type instance struct {
	Instance
	host      *Host
	growth    growth
	lastPanic atomic.Int64 // when a panic in rgcnFilter was last logged, Unix time in nanoseconds
}

// panicInterval is the least time between two log lines for records that make the filter panic, as they may come again
// with every chunk.
const panicInterval = time.Minute

// rgcnCheck returns 0 when an instance could be made, and logs why not otherwise. c is valid for the call only.
//
//export rgcnCheck
func rgcnCheck(c *C.struct_rgcn_host) (code C.int) {
	h := &Host{c: c}
	defer h.close()
	defer func() {
		if v := recover(); v != nil {
			h.logPanic("check", v)
			code = -1
		}
	}()
	if err := registered.Check(h); err != nil {
		h.Log(filter.LevelError, err.Error())
		return -1
	}
	return 0
}

// rgcnInit returns the handle of a new instance, or 0 when the host shall not start. c is valid until rgcnExit returns.
//
//export rgcnInit
func rgcnInit(c *C.struct_rgcn_host) (handle C.uintptr_t) {
	h := &Host{c: c}
	defer func() {
		if v := recover(); v != nil {
			h.logPanic("init", v)
		}
		if handle == 0 {
			h.close()
		}
	}()
	i, err := registered.New(h)
	if err != nil {
		h.Log(filter.LevelError, err.Error())
		return 0
	}
	return C.uintptr_t(cgo.NewHandle(&instance{Instance: i, host: h}))
}

// rgcnFilter sets *out to a complete new chunk, or leaves it alone, and with it the chunk as it came.
//
//export rgcnFilter
func rgcnFilter(handle C.uintptr_t, data unsafe.Pointer, size C.size_t, tag unsafe.Pointer, tagSize C.int, out *unsafe.Pointer, outSize *C.size_t) (code C.int) {
	i := cgo.Handle(handle).Value().(*instance) // the host has it from rgcnInit and from nowhere else
	var memory []byte
	defer func() {
		if v := recover(); v != nil {
			i.logPanic(v)
			code = C.FLB_FILTER_NOTOUCH
		}
		if code == C.FLB_FILTER_NOTOUCH {
			freeChunk(memory)
		}
	}()
	if size == 0 {
		return C.FLB_FILTER_NOTOUCH
	}
	// The new chunk is made where the host will free it.
	if memory = allocateChunk(i.growth.room(int(size))); memory == nil {
		return C.FLB_FILTER_NOTOUCH
	}
	chunk, modified := i.ProcessTagged(memory[:0], unsafe.Slice((*byte)(data), int(size)), unsafe.Slice((*byte)(tag), int(tagSize)))
	if !modified || len(chunk) == 0 {
		return C.FLB_FILTER_NOTOUCH
	}
	if &chunk[0] != &memory[0] { // it did not fit, and is in Go's memory
		i.growth.learn(int(size), len(chunk))
		freeChunk(memory)
		if memory = allocateChunk(len(chunk)); memory == nil {
			return C.FLB_FILTER_NOTOUCH
		}
		copy(memory, chunk)
	}
	*out, *outSize = unsafe.Pointer(&memory[0]), C.size_t(len(chunk))
	return C.FLB_FILTER_MODIFIED
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
	if err := i.Close(); err != nil {
		i.host.Log(filter.LevelError, err.Error())
		return -1
	}
	return 0
}

func (i *instance) logPanic(v any) {
	now, last := time.Now().UnixNano(), i.lastPanic.Load()
	if now-last >= int64(panicInterval) && i.lastPanic.CompareAndSwap(last, now) {
		i.host.logPanic("filter: the chunk passes as it came", v)
	}
}

func (h *Host) logPanic(where string, v any) {
	h.Log(filter.LevelError, fmt.Sprintf("%s: panic: %v", where, v))
	for line := range strings.Lines(string(debug.Stack())) {
		h.Log(filter.LevelDebug, strings.TrimSpace(line))
	}
}

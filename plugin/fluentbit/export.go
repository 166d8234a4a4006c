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
	"time"
	"unsafe"

	"flb-filter-rgcn/plugin/filter"
)

// instance is what a handle of the C side stands for.
type instance struct {
	Instance
	host   *Host
	growth growth
	panics mishap // of rgcnFilter
	short  mishap // for which there was no memory
}

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
	if size == 0 {
		return C.FLB_FILTER_NOTOUCH
	}
	chunk := i.rewrite(data, int(size), tag, int(tagSize), allocateChunk)
	if chunk == nil {
		return C.FLB_FILTER_NOTOUCH
	}
	*out, *outSize = unsafe.Pointer(&chunk[0]), C.size_t(len(chunk))
	return C.FLB_FILTER_MODIFIED
}

// rewrite returns the new form of a chunk in memory that allocate gives and freeChunk takes back; nil where the chunk
// passes as it came.
func (i *instance) rewrite(data unsafe.Pointer, size int, tag unsafe.Pointer, tagSize int, allocate func(size int) []byte) (out []byte) {
	var memory []byte
	defer func() {
		if v := recover(); v != nil {
			i.logPanic(v)
			out = nil
		}
		if out == nil {
			freeChunk(memory)
		}
	}()
	// The new chunk is made where the host will free it.
	room := i.growth.room(size)
	if memory = allocate(room); memory == nil {
		i.logShort(room)
		return nil
	}
	chunk, modified := i.ProcessTagged(memory[:0], unsafe.Slice((*byte)(data), size), unsafe.Slice((*byte)(tag), tagSize))
	if !modified || len(chunk) == 0 {
		return nil
	}
	if &chunk[0] == &memory[0] {
		return chunk
	}
	// It did not fit, and is in Go's memory.
	i.growth.learn(size, len(chunk))
	freeChunk(memory)
	if memory = allocate(len(chunk)); memory == nil {
		i.logShort(len(chunk))
		return nil
	}
	copy(memory, chunk)
	return memory
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
	if _, log := i.panics.again(time.Now()); log {
		i.host.logPanic("filter: the chunk passes as it came", v)
	}
}

// logShort logs that there was no memory for so many bytes.
func (i *instance) logShort(size int) {
	if n, log := i.short.again(time.Now()); log {
		i.host.Log(filter.LevelError, shortText(size, n))
	}
}

func (h *Host) logPanic(where string, v any) {
	h.Log(filter.LevelError, fmt.Sprintf("%s: panic: %v", where, v))
	for line := range strings.Lines(string(debug.Stack())) {
		h.Log(filter.LevelDebug, strings.TrimSpace(line))
	}
}

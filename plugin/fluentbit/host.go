package fluentbit

/*
#include <stdlib.h>
#include "abi.h"
#include "hostlog.h"
#include "startdir.h"
*/
import "C"

import (
	"os"
	"strings"
	"sync"
	"unsafe"

	"flb-filter-rgcn/plugin/filter"
	"flb-filter-rgcn/plugin/printable"
)

var _ filter.Host = (*Host)(nil)

// Host is one instance's way to its properties and to the host's log. Any goroutine may use it.
type Host struct {
	mu sync.RWMutex        // held for reading while c is in use
	c  *C.struct_rgcn_host // nil once the host has taken it back
}

func (h *Host) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.c = nil
}

// Property returns the value of a property as written in the configuration, environment variables expanded.
func (h *Host) Property(key string) (string, bool) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.c == nil {
		return "", false
	}
	k := C.CString(key)
	defer C.free(unsafe.Pointer(k))
	value := C.rgcn_property(h.c, k)
	if value == nil {
		return "", false
	}
	return C.GoString(value), true
}

// ConfigDirectory returns the directory of the configuration that the host was started with, or the directory in which
// it was started where its command line names none; "" where neither is known. The host has the path of its
// configuration too, but at a place in its memory that differs from version to version.
func (h *Host) ConfigDirectory() string {
	started := C.GoString(C.rgcn_start_directory())
	line, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		return started
	}
	return configDirectory(strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"), started)
}

var hostLevels = map[filter.Level]C.int{
	filter.LevelError: C.FLB_LOG_ERROR,
	filter.LevelWarn:  C.FLB_LOG_WARN,
	filter.LevelInfo:  C.FLB_LOG_INFO,
	filter.LevelDebug: C.FLB_LOG_DEBUG,
}

// Log prints one line through the host, if the instance's log level allows it.
func (h *Host) Log(level filter.Level, message string) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.c == nil {
		return
	}
	line := C.CString(printable.Line(message))
	defer C.free(unsafe.Pointer(line))
	C.rgcn_log(h.c, hostLevels[level], line)
}

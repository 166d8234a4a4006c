package main

/*
#include <stdlib.h>
#include "abi.h"
*/
import "C"

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
	"unsafe"

	"flb-filter-rgcn/plugin/filter"
)

var _ filter.Host = (*host)(nil)

// host is the instance's way to its properties and to the log.
type host struct {
	mu sync.RWMutex        // held for reading while c is in use
	c  *C.struct_rgcn_host // nil once the host has taken it back
}

func (h *host) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.c = nil
}

// Property returns the value of a property as written in the configuration, environment variables expanded.
func (h *host) Property(key string) (string, bool) {
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

// ConfigDirectory is the directory of the configuration that the host was started with, "" where its command line names none. The
// host has that path too, but at a place in its memory that differs from version to version.
func (h *host) ConfigDirectory() string {
	line, err := os.ReadFile("/proc/self/cmdline")
	if err != nil {
		return ""
	}
	return configDirectory(strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00"))
}

// configDirectory finds -c FILE, -cFILE, --config FILE and --config=FILE among a program's arguments; of several the last counts.
func configDirectory(args []string) string {
	file := ""
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case (a == "-c" || a == "--config") && i+1 < len(args):
			i++
			file = args[i]
		case strings.HasPrefix(a, "--config="):
			file = strings.TrimPrefix(a, "--config=")
		case strings.HasPrefix(a, "-c") && !strings.HasPrefix(a, "--"):
			file = strings.TrimPrefix(a, "-c")
		}
	}
	if file == "" {
		return ""
	}
	directory, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return ""
	}
	return directory
}

var hostLevels = map[filter.Level]C.int{
	filter.LevelError: C.HOST_ERROR,
	filter.LevelWarn:  C.HOST_WARN,
	filter.LevelInfo:  C.HOST_INFO,
	filter.LevelDebug: C.HOST_DEBUG,
}

// Log prints one line through the host, if the instance's log level lets it. Any goroutine may call it.
func (h *host) Log(level filter.Level, message string) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.c == nil {
		return
	}
	line := C.CString(clean(message))
	defer C.free(unsafe.Pointer(line))
	C.rgcn_log(h.c, hostLevels[level], line)
}

// maxLine is in bytes. The host cuts at 4 KiB less its own prefix, in the middle of a character; nobody reads that far.
const maxLine = 1024

// clean makes one printable line of a message that may quote what came over the network: whoever reads the log shall not be sent to
// a new line, or have the terminal told what to do, by a client's banner.
func clean(message string) string {
	line := make([]byte, 0, min(len(message), maxLine)+8)
	for len(message) > 0 {
		r, n := utf8.DecodeRuneInString(message)
		piece := message[:n]
		if !strconv.IsPrint(r) || r == utf8.RuneError && n == 1 {
			quoted := strconv.Quote(piece)
			piece = quoted[1 : len(quoted)-1]
		}
		if len(line)+len(piece) > maxLine {
			return string(append(line, "..."...))
		}
		line, message = append(line, piece...), message[n:]
	}
	return string(line)
}

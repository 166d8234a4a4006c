// Command goout is an output plugin in Go, the neighbour of the filter in a process with two Go runtimes. It writes a
// line for every
// record: its uid and the Go type of its score.
package main

import "C"

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"unsafe"

	"github.com/fluent/fluent-bit-go/output"
)

func main() {}

//export FLBPluginRegister
func FLBPluginRegister(plugin unsafe.Pointer) int {
	return output.FLBPluginRegister(plugin, "goout", "a line for every record")
}

//export FLBPluginInit
func FLBPluginInit(plugin unsafe.Pointer) int {
	path := output.FLBPluginConfigKey(plugin, "path")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		log.Print(err)
		return output.FLB_ERROR
	}
	output.FLBPluginSetContext(plugin, file)
	return output.FLB_OK
}

//export FLBPluginFlushCtx
func FLBPluginFlushCtx(context, data unsafe.Pointer, length C.int, _ *C.char) int {
	w := bufio.NewWriter(output.FLBPluginGetContext(context).(*os.File))
	decoder := output.NewDecoder(data, int(length))
	for {
		code, _, record := output.GetRecord(decoder)
		if code != 0 {
			break
		}
		fmt.Fprintf(w, "%s %T\n", record["uid"], record["score"])
	}
	if err := w.Flush(); err != nil {
		log.Print(err)
		return output.FLB_ERROR
	}
	return output.FLB_OK
}

//export FLBPluginExit
func FLBPluginExit() int { return output.FLB_OK }

// Command cudagen makes what building gorgonia.org/cu needs without the CUDA toolkit: a
// cuda.h from the declarations that the cu module carries, the list of the driver's entry
// points that cu calls, and an empty libcuda.a. Package model/cuda turns the list into
// functions that look for the driver when they are first called.
//
//	cudagen -o DIR
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	out := flag.String("o", "", "the folder to write to")
	flag.Parse()
	if err := generate(*out); err != nil {
		fmt.Fprintln(os.Stderr, "cudagen:", err)
		os.Exit(1)
	}
}

func generate(out string) error {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "gorgonia.org/cu").Output()
	if err != nil {
		return fmt.Errorf("the module gorgonia.org/cu: %w", err)
	}
	module := strings.TrimSpace(string(dir))
	header, err := os.ReadFile(filepath.Join(module, "cmd", "genlib", "cuda.h"))
	if err != nil {
		return err
	}
	symbols, err := called(module)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"cuda.h":    cudaHeader(header),
		"symbols.h": list(symbols),
		"libcuda.a": []byte("!<arch>\n"),
	} {
		path := filepath.Join(out, name)
		if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, content) {
			continue // what was built with it stays good
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// cudaHeader makes a header of cu's copy of the declarations, which is without preprocessor
// lines and begins with parts of the C library.
func cudaHeader(declarations []byte) []byte {
	var b bytes.Buffer
	b.WriteString("#pragma once\n#include <stddef.h>\n#include <stdint.h>\n#include <stdlib.h>\n")
	// Two macros that cu uses, with the values of the CUDA documentation.
	b.WriteString("#define CU_TRSF_READ_AS_INTEGER 0x01\n#define CU_TRSF_NORMALIZED_COORDINATES 0x02\n")
	for _, name := range strings.Fields(versioned) {
		fmt.Fprintf(&b, "#define %s %s\n", name, actual(name))
	}
	const first = "typedef uint32_t cuuint32_t;"
	b.Write(declarations[bytes.Index(declarations, []byte(first)):])
	return b.Bytes()
}

// called are the names of the entry points that cu's root package calls, as the driver has them.
func called(module string) ([]string, error) {
	var symbols []string
	for pattern, name := range map[string]*regexp.Regexp{
		"*.go": regexp.MustCompile(`\bC\.(cu[A-Z]\w*)\(`),
		"*.c":  regexp.MustCompile(`= *(cu[A-Z]\w*)\(|\breturn (cu[A-Z]\w*)\(|^\s*(cu[A-Z]\w*)\(`),
	} {
		files, err := filepath.Glob(filepath.Join(module, pattern))
		if err != nil {
			return nil, err
		}
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			for line := range strings.Lines(string(source)) {
				for _, m := range name.FindAllStringSubmatch(line, -1) {
					symbol := strings.Join(m[1:], "")
					if !slices.Contains(cuOwn, symbol) {
						symbols = append(symbols, actual(symbol))
					}
				}
			}
		}
	}
	slices.Sort(symbols)
	return slices.Compact(symbols), nil
}

// cuOwn are C functions that cu itself defines under such names.
var cuOwn = []string{"cuDeviceGetAttributes", "cuLaunchAndSync", "cuAllocAndCopy"}

// list writes the symbols as one X macro. cuInit is left out: package cuda has its own.
func list(symbols []string) []byte {
	var b bytes.Buffer
	b.WriteString("#define CUDA_SYMBOLS(X)")
	for _, s := range symbols {
		if s != "cuInit" {
			fmt.Fprintf(&b, " \\\n\tX(%s)", s)
		}
	}
	b.WriteString("\n")
	return b.Bytes()
}

func actual(name string) string {
	if slices.Contains(strings.Fields(versioned), name) {
		return name + "_v2"
	}
	return name
}

// versioned are the entry points whose plain names are an older interface, most of them
// with sizes of 32 bits; the current one carries _v2.
const versioned = `
cuArray3DCreate cuArray3DGetDescriptor cuArrayCreate cuArrayGetDescriptor
cuCtxCreate cuCtxDestroy cuCtxPopCurrent cuCtxPushCurrent
cuDevicePrimaryCtxRelease cuDevicePrimaryCtxReset cuDevicePrimaryCtxSetFlags cuDeviceTotalMem
cuEventDestroy cuLinkAddData cuLinkAddFile cuLinkCreate
cuMemAlloc cuMemAllocHost cuMemAllocPitch cuMemFree cuMemGetAddressRange cuMemGetInfo
cuMemHostGetDevicePointer cuMemHostRegister
cuMemcpy2D cuMemcpy2DAsync cuMemcpy2DUnaligned cuMemcpy3D cuMemcpy3DAsync
cuMemcpyAtoA cuMemcpyAtoD cuMemcpyAtoH cuMemcpyAtoHAsync cuMemcpyDtoA cuMemcpyDtoD cuMemcpyDtoDAsync
cuMemcpyDtoH cuMemcpyDtoHAsync cuMemcpyHtoA cuMemcpyHtoAAsync cuMemcpyHtoD cuMemcpyHtoDAsync
cuMemsetD16 cuMemsetD2D16 cuMemsetD2D32 cuMemsetD2D8 cuMemsetD32 cuMemsetD8
cuModuleGetGlobal cuStreamDestroy cuTexRefGetAddress cuTexRefSetAddress
`

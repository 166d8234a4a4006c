// Package testhost loads the shared object as Fluent Bit does, in a C program that plays the layouts of several of its
// versions, so that the border between host and filter is tested where there is no Fluent Bit. It owns that program
// (src/) and what is asked of the border; it never knows how a record is scored.
//
// RGCN_SO names a shared object to test; without it one is built. For one of another architecture RGCN_CC names a C
// compiler for that and RGCN_EMULATOR a program, with its arguments, that runs what it makes.
package testhost

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// What the tests run, built once in a directory of its own.
var (
	sharedObject string
	host         string   // the C program
	bareHost     string   // without flb_config_map_create, as a host to come may be
	checkedHost  string   // under AddressSanitizer, "" where the compiler has none
	emulator     []string // what a program is run by; empty: the machine itself
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "testhost")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		if err := build(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

func build(dir string) error {
	sharedObject = os.Getenv("RGCN_SO")
	if sharedObject == "" {
		sharedObject = filepath.Join(dir, "flb-filter_rgcn.so")
		if err := command("go", "build", "-buildmode=c-shared", "-o", sharedObject, "../../plugin"); err != nil {
			return err
		}
	}
	sharedObject, err := filepath.Abs(sharedObject)
	if err != nil {
		return err
	}
	if _, err := os.Stat(sharedObject); err != nil {
		return err
	}
	host, bareHost = filepath.Join(dir, "testhost"), filepath.Join(dir, "testhost-bare")
	if err := compile(host); err != nil {
		return err
	}
	if err := compile(bareHost, "-DWITHOUT_CONFIG_MAP"); err != nil {
		return err
	}
	emulator = strings.Fields(os.Getenv("RGCN_EMULATOR"))
	checkedHost = filepath.Join(dir, "testhost-checked")
	// The sanitizer wants its own layout of memory, which emulators do not give.
	if len(emulator) > 0 || compile(checkedHost, "-fsanitize=address,undefined", "-fno-sanitize-recover") != nil {
		checkedHost = ""
	}
	return nil
}

// lookAtInputs keeps go test from taking an old result for a new one: it notices what a running test looks at, not what
// TestMain and compilers read.
var lookAtInputs = sync.OnceValue(func() error {
	inputs := []string{"src", "../../plugin", "../../graphbuf", "../../model"}
	if file := os.Getenv("RGCN_SO"); file != "" {
		inputs = []string{"src", file}
	}
	for _, input := range inputs {
		err := filepath.WalkDir(input, func(path string, _ fs.DirEntry, err error) error {
			if err == nil {
				_, err = os.Stat(path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
})

// compile needs -rdynamic: the filter looks the host's functions up by name.
func compile(program string, flags ...string) error {
	sources, err := filepath.Glob("src/*.c")
	if err != nil {
		return err
	}
	args := append([]string{"-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-rdynamic", "-o", program}, flags...)
	return command(cmp.Or(os.Getenv("RGCN_CC"), "gcc"), append(append(args, sources...), "-ldl", "-lpthread")...)
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return nil
}

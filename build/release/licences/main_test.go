package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A program is made of Go and of modules, whose texts are there once, whichever programs have them.
func TestProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "program")
	if out, err := exec.Command("go", "build", "-o", program, "./testdata/program").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out bytes.Buffer
	if err := run([]string{"-also", "../../../plugin/report/assets", program, program}, &out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Copyright 2009 The Go Authors.", "\ngithub.com/BurntSushi/toml v", "Copyright (c) 2013 TOML authors", "\nplugin/report/assets\n", "\nsigma ",
	} {
		if n := strings.Count(out.String(), want); n != 1 {
			t.Errorf("%q is there %d times, want once, in\n%s", want, n, &out)
		}
	}
}

// Files that are licences by their names, whatever their spelling; a text that several parts have stands there once.
func TestWrite(t *testing.T) {
	dir := func(files ...string) string {
		t.Helper()
		d := t.TempDir()
		for i := 0; i < len(files); i += 2 {
			if err := os.WriteFile(filepath.Join(d, files[i]), []byte(files[i+1]), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return d
	}
	parts := []part{
		{"a", "v1", dir("LICENCE", "do\r\nwhat you like\n", "license_test.go", "no licence")},
		{"b", "v2", dir("UNLICENSE.md", "free", "NOTICE", "note", "README", "no licence")},
		{"c", "v3", dir("license-mit.txt", "\ndo\nwhat you like")},
	}
	var out bytes.Buffer
	if err := write(&out, parts); err != nil {
		t.Fatal(err)
	}
	line := "\n" + strings.Repeat("=", 80) + "\n"
	if want := line + "a v1\nc v3\n\ndo\nwhat you like\n" + line + "b v2\n\nnote\n" + line + "b v2\n\nfree\n"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("got\n%s\nwant at its end\n%s", &out, want)
	}
	err := write(&out, append(parts, part{"d", "v4", dir("README", "x")}))
	if err == nil || err.Error() != "d v4: no file of it is a licence by its name" {
		t.Errorf("%v", err)
	}
	if err := run(nil, &out); err == nil {
		t.Error("no program is enough")
	}
}

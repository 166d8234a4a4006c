package secretfile

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(path, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o600: "", 0o640: "", 0o400: "", 0o644: "has the mode -rw-r--r--, so that others may read it: chmod 600", 0o602: "has the mode -rw-----w-"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		b, err := Read(path, 10)
		if want == "" && (err != nil || string(b) != "secret") || want != "" && (err == nil || !strings.Contains(err.Error(), want) || b != nil) {
			t.Errorf("%v: %q, %v", mode, b, err)
		}
		if b, err := ReadPublic(path, 6); err != nil || string(b) != "secret" {
			t.Errorf("%v: %q, %v", mode, b, err)
		}
	}
}

// TestOddFiles: no start waits for whoever writes to a pipe, and no error names the file or shows what is in it.
func TestOddFiles(t *testing.T) {
	dir := t.TempDir()
	pipe, large := filepath.Join(dir, "pipe"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		pipe: "is no regular file but a pipe", dir: "is no regular file but a directory", "/dev/zero": "is no regular file but a device", filepath.Join(dir, "none"): "no such file or directory",
		large: "has more than 6 bytes, which is more than such a file needs",
	} {
		if _, err := Read(path, 6); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
}

func TestInClear(t *testing.T) {
	for address, want := range map[string]bool{
		"https://search.example.org": false, "http://search.example.org": true, "http://192.0.2.1:9200": true,
		"http://localhost:9200": false, "http://LocalHost:9200": false, "http://127.0.0.1": false, "http://[::1]:9200": false, "http://localhost.example.org": true,
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := InClear(u); got != want {
			t.Errorf("%s: %v, want %v", address, got, want)
		}
	}
}

func TestFromEnv(t *testing.T) {
	for value, want := range map[string]string{"": "", "k": "k", "k\n": "k", "k\r\n": "k", " k ": " k ", "a\nb": "a\nb"} {
		if t.Setenv("RGCN_TEST_SECRET", value); FromEnv("RGCN_TEST_SECRET") != want {
			t.Errorf("%q is read as %q, want %q", value, FromEnv("RGCN_TEST_SECRET"), want)
		}
	}
}

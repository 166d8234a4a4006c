package fleet

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysAreWrittenAndRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rgcn.key")
	public, err := NewKeys(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the private key has the mode %v, %v", info.Mode(), err)
	}
	private, err := ReadSigningKey(path)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ReadPublicKeys(path + ".pub")
	if err != nil || len(keys) != 1 || !keys[0].Equal(public) || !public.Equal(private.Public()) {
		t.Errorf("%v, %v", keys, err)
	}
	if _, err := NewKeys(path); err == nil || !strings.Contains(err.Error(), path+" is there already") {
		t.Errorf("overwritten: %v", err)
	}
	// Two public keys, while the trainer changes its own.
	second := filepath.Join(t.TempDir(), "second")
	if _, err := NewKeys(second); err != nil {
		t.Fatal(err)
	}
	a, _ := os.ReadFile(path + ".pub")
	b, _ := os.ReadFile(second + ".pub")
	both := filepath.Join(t.TempDir(), "both.pub")
	os.WriteFile(both, append(a, b...), 0o644)
	if keys, err := ReadPublicKeys(both); err != nil || len(keys) != 2 {
		t.Errorf("%d keys, %v", len(keys), err)
	}
}

// A key that is written half, as where a disk is full, stands in the way of no other try: none is left, whichever it is.
func TestKeysThatCannotBeWritten(t *testing.T) {
	full := errors.New("no space left on device")
	for half, block := range []string{privateBlock, publicBlock} {
		dir := t.TempDir()
		path := filepath.Join(dir, "rgcn.key")
		written := 0
		encode := func(out io.Writer, b *pem.Block) error {
			if b.Type != block {
				return pem.Encode(out, b)
			}
			written++
			return errors.Join(must(io.WriteString(out, "-----BEGIN")), full)
		}
		if _, err := newKeys(path, encode); !errors.Is(err, full) || written != 1 {
			t.Errorf("%s: %v", block, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", block, left, err)
		}
		if _, err := NewKeys(path); err != nil {
			t.Errorf("%s, with room again: %v", block, err)
		}
		// Of what was there before, nothing is removed.
		if err := os.Remove([]string{path, path + ".pub"}[half]); err != nil {
			t.Fatal(err)
		}
		if _, err := NewKeys(path); err == nil || !strings.Contains(err.Error(), " is there already") {
			t.Errorf("%s: %v", block, err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
			t.Errorf("%s: %v, %v, want the one key that was there", block, left, err)
		}
	}
}

// What could not be removed is named.
func TestAKeyThatStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rgcn.key")
	full := errors.New("no space left on device")
	err := writeNew(path, 0o600, func(io.Writer) error {
		return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(path, "x"), 0o700), full) // what no process can remove
	})
	if want := "; " + path + " is of no use and stays, remove it: directory not empty"; !errors.Is(err, full) || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

func must(_ int, err error) error { return err }

func TestKeyFilesThatAreRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "k")
	if _, err := NewKeys(path); err != nil {
		t.Fatal(err)
	}
	private, _ := os.ReadFile(path)
	file := func(name, content string, mode os.FileMode) string {
		name = filepath.Join(dir, name)
		os.WriteFile(name, []byte(content), 0o600)
		os.Chmod(name, mode)
		return name
	}
	signing := func(name string) error { _, err := ReadSigningKey(name); return err }
	public := func(name string) error { _, err := ReadPublicKeys(name); return err }
	for what, c := range map[string]struct {
		read func(string) error
		file string
		want string
	}{
		"nothing there":           {signing, filepath.Join(dir, "none"), "no such file"},
		"everybody may read it":   {signing, file("open", string(private), 0o644), "open: has the mode -rw-r--r--, so that others may read it: chmod 600, and make new keys (rgcn keygen)"},
		"the public one":          {signing, file("swapped", string(mustRead(t, path+".pub")), 0o600), "holds a PUBLIC KEY, want a PRIVATE KEY"},
		"the private one":         {public, path, "holds a PRIVATE KEY, want a PUBLIC KEY"},
		"no PEM":                  {public, file("text", "secret words", 0o600), "holds no PUBLIC KEY"},
		"PEM of something else":   {public, file("broken", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", 0o600), "broken: "},
		"two keys to sign with":   {signing, file("two", string(private)+string(private), 0o600), "2 private keys, want one"},
		"a log in place of a key": {public, file("log", strings.Repeat("x", maxKeyFile+1), 0o600), "which is more than such a file needs"},
	} {
		err := c.read(c.file)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		} else if bytes.Contains([]byte(err.Error()), []byte("secret")) {
			t.Errorf("%s: the error tells the content: %v", what, err)
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

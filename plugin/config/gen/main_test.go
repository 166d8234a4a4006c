package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
)

func TestUpToDate(t *testing.T) {
	for path, content := range outputs {
		got, err := os.ReadFile(filepath.Join("../../..", path))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != content(config.Options()) {
			t.Errorf("%s does not match the table in plugin/config: run go generate ./plugin/config", path)
		}
	}
}

// The file as it is and the file with every key uncommented both mean the defaults.
func TestFileGivesDefaults(t *testing.T) {
	load := func(text string) config.Config {
		t.Helper()
		path := filepath.Join(t.TempDir(), "rgcn.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(func(key string) (string, bool) { return path, key == "config_file" })
		if err != nil {
			t.Fatal(err)
		}
		c.File = ""
		return c
	}
	want, err := config.Load(func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	text := tomlFile(config.Options())
	if got := load(text); !reflect.DeepEqual(got, want) {
		t.Errorf("as it is: got %+v\nwant %+v", got, want)
	}
	key := regexp.MustCompile(`(?m)^# ([a-z_0-9]+ = )`)
	if n := len(key.FindAllString(text, -1)); n != len(config.Options()) {
		t.Errorf("%d keys to uncomment, want %d", n, len(config.Options()))
	}
	if got := load(key.ReplaceAllString(text, "$1")); !reflect.DeepEqual(got, want) {
		t.Errorf("uncommented: got %+v\nwant %+v", got, want)
	}
	for _, line := range strings.Split(text, "\n") {
		if len(line) > width {
			t.Errorf("line of %d bytes, want at most %d: %s", len(line), width, line)
		}
	}
}

func TestHeaderEscapes(t *testing.T) {
	o := config.Option{Section: "state", Key: "dir", Default: `C:\x`, Text: `a "b"`, Allowed: "c"}
	want := `RGCN_OPTION("state_dir", "C:\\x", "a \"b\" Allowed: c.")` + "\n"
	if got := header([]config.Option{o}); !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant it to end in %s", got, want)
	}
}

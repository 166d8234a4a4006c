package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRelativePaths: what Fluent Bit takes from the directory of its own configuration, the tool refuses to take from
// another one; paths in flags start from the working directory.
func TestRelativePaths(t *testing.T) {
	t.Chdir(t.TempDir())
	in := write(t, "in", `{"id.orig_h":"a","id.resp_h":"b","score":0.5,"low_score":false}`+"\n")
	for name, text := range map[string]string{
		"list.toml": "allow = \"list.csv\"\n", "state.toml": "[state]\ndir = \"state\"\n", "whole.toml": "allow = \"" + filepath.Join(t.TempDir(), "whole.csv") + "\"\n",
		"publish.toml": "publish = \"place/\"\npublish_unsigned = true\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ args, want string }{
		{"allow -config list.toml a b", "list.toml: the path of allow is relative, and to Fluent Bit it starts from the directory of Fluent Bit's configuration: want an absolute path there, or -set allow=PATH here"},
		{"replay -config list.toml " + in, "the path of allow is relative"},
		{"train -config state.toml " + in, "the path of state.dir is relative"},
		{"status -config state.toml", "-set state_dir=PATH here"},
		{"predict -config state.toml", "the path of state.dir is relative"},
		{"train -state s -config publish.toml " + in, "-set publish=PATH here"},
		{"allow a b", "no list: want -file FILE, the file that Allow names in the filter's section, or -config FILE"},
	} {
		if _, stderr, status := rgcn(strings.Fields(c.args)...); status != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("%s: status %d: %s", c.args, status, stderr)
		}
	}
	for _, args := range []string{
		"allow -config list.toml -file own.csv a b", "allow -config list.toml -set allow=set.csv a b", "allow -config whole.toml a b",
		"lowest -config list.toml " + in, "replay -q -config state.toml -state own -o out " + in, "status -config list.toml -state own",
	} {
		mustRun(t, strings.Fields(args)...)
	}
	for _, name := range []string{"own.csv", "set.csv", "own"} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"list.csv", "state", "place", "s"} {
		if _, err := os.Lstat(name); err == nil {
			t.Errorf("%s was made", name)
		}
	}
}

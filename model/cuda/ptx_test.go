package cuda

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The PTX needs nothing that a driver does not have, and has the kernels that are launched.
func TestPTX(t *testing.T) {
	b, err := os.ReadFile("kernels.ptx")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{".extern", ".local"} {
		if strings.Contains(string(b), bad) {
			t.Errorf("kernels.ptx has %s", bad)
		}
	}
	var got []string
	for _, m := range regexp.MustCompile(`\.entry (\w+)\(`).FindAllStringSubmatch(string(b), -1) {
		got = append(got, m[1])
	}
	slices.Sort(got)
	want := slices.Sorted(slices.Values(kernels))
	if !slices.Equal(got, want) {
		t.Errorf("kernels.ptx has %v, package cuda launches %v", got, want)
	}
	if !strings.Contains(string(b), ".target sm_75") {
		t.Error("kernels.ptx is not for sm_75")
	}
}

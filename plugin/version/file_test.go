package version

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOfFile(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := OfFile(self); err != nil || !strings.HasPrefix(got, "devel") {
		t.Errorf("%q, %v", got, err)
	}
	other := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(other, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := OfFile(other); err == nil {
		t.Errorf("%q of a text", got)
	}
}

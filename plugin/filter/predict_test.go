package filter

import (
	"slices"
	"testing"
)

func TestNear(t *testing.T) {
	known := []string{"web-1.example.org", "web-2.example.org", "db-1", "SSH-2.0-OpenSSH_9.2", "SSH-2.0-OpenSSH_9.6", "a", "10.0.0.1"}
	for name, want := range map[string][]string{
		"WEB-1.example.org":   {"web-1.example.org", "web-2.example.org"},
		"web-1":               {"web-1.example.org", "db-1"},
		"ssh-2.0-openssh_9.2": {"SSH-2.0-OpenSSH_9.2", "SSH-2.0-OpenSSH_9.6"},
		"db1":                 {"db-1"},
		"openssh":             {"SSH-2.0-OpenSSH_9.2", "SSH-2.0-OpenSSH_9.6"},
		"10.0.0.2":            {"10.0.0.1"},
		"10.0.3.2":            nil,
		"foo":                 nil,
		"a1":                  nil,
		"":                    nil,
	} {
		if got := near(name, known); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

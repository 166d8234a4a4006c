package filter

import (
	"context"
	"errors"
	"fmt"
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

// The links of one source are many: they end soon after somebody interrupts, and never as if they were whole.
func TestLinksAreInterrupted(t *testing.T) {
	f := offline(t, host())
	f.Process(nil, join(sessions(500)))
	train(t, f)
	var to []string
	for i := range 3 * linksPerLook {
		to = append(to, fmt.Sprint("never-", i))
	}
	for _, n := range []int{10, len(to)} {
		links, err := f.Links([]string{"host-1"}, []string{"client-1"}, to[:n])
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := 0
		err = links.Each(ctx, func(Link) {
			done++
			cancel()
		})
		if !errors.Is(err, context.Canceled) || done > linksPerLook {
			t.Errorf("%v after %d of %d links", err, done, n)
		}
	}
}

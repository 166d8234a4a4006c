package fluentbit

import "testing"

func TestConfigDirectory(t *testing.T) {
	check := func(want string, args ...string) {
		t.Helper()
		if got := configDirectory(append([]string{"fluent-bit"}, args...), "/srv/started"); got != want {
			t.Errorf("of %q: got %q, want %q", args, got, want)
		}
	}
	check("/srv/started")
	check("/srv/started", "-c")
	check("/srv/started", "--config")
	check("/srv/started", "-q", "-i", "dummy")
	check("/etc/fb", "-c", "/etc/fb/fluent-bit.conf")
	check("/etc/fb", "-c/etc/fb/fluent-bit.conf")
	check("/etc/fb", "--config", "/etc/fb/fluent-bit.yaml", "-q")
	check("/etc/fb", "--config=/etc/fb/fluent-bit.yaml")
	check("/etc/last", "-c", "/etc/first/a.conf", "--config=/etc/last/b.conf")
	check("/etc", "-c", "/etc/fb/../a.conf")
	// A relative path begins where the program was started: by now a daemon is elsewhere.
	check("/srv/started", "-c", "fluent-bit.conf")
	check("/srv/started/sub", "-c", "sub/fluent-bit.conf")
	check("/srv/other", "--config=../other/fluent-bit.conf")
}

package fluentbit

import "testing"

func TestConfigDirectory(t *testing.T) {
	check := func(want string, args ...string) {
		t.Helper()
		if got := configDirectory(append([]string{"fluent-bit"}, args...)); got != want {
			t.Errorf("of %q: got %q, want %q", args, got, want)
		}
	}
	check("")
	check("", "-c")
	check("", "--config")
	check("", "-q", "-i", "dummy")
	check("/etc/fb", "-c", "/etc/fb/fluent-bit.conf")
	check("/etc/fb", "-c/etc/fb/fluent-bit.conf")
	check("/etc/fb", "--config", "/etc/fb/fluent-bit.yaml", "-q")
	check("/etc/fb", "--config=/etc/fb/fluent-bit.yaml")
	check("/etc/last", "-c", "/etc/first/a.conf", "--config=/etc/last/b.conf")
	check("/etc", "-c", "/etc/fb/../a.conf")
}

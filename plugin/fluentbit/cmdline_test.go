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
	// Options may be bundled and cut short, and the arguments of others look like options.
	check("/srv/started/sub", "-vc", "sub/fluent-bit.conf")
	check("/srv/started/sub", "-vqcsub/fluent-bit.conf")
	check("/srv/started/sub", "--conf", "sub/fluent-bit.conf")
	check("/srv/started/sub", "--con=sub/fluent-bit.conf")
	check("/srv/started", "-F", "-cx/y", "-q", "-p", "-c")
	check("/srv/started/sub", "-c", "sub/a.conf", "--", "-c", "other/b.conf")
	check("/srv/started/sub", "--custom", "x", "-c", "sub/a.conf")
	check("/srv/started", "--coro_stack_size=1", "-")
	// The host changes to its working directory after -e has loaded the plugin, and before plugins_file does.
	check("/srv/started/w/sub", "-e", "/x/flb-filter_rgcn.so", "-w", "w", "-c", "sub/a.conf")
	check("/srv/started/w/sub", "--workdir=w", "-c", "sub/a.conf", "-e/x/flb-filter_rgcn.so")
	check("/srv/started/w", "-w", "w", "-e", "/x/flb-filter_rgcn.so")
	check("/w/sub", "-w", "/w", "-e", "/x/flb-filter_rgcn.so", "-c", "sub/a.conf")
	check("/srv/started/sub", "-w", "w", "-c", "sub/a.conf")
	check("/srv/started/sub", "-e", "/x/out_other.so", "-w", "w", "-c", "sub/a.conf")
	check("/etc/fb", "-e", "/x/flb-filter_rgcn.so", "-w", "w", "-c", "/etc/fb/a.conf")
}

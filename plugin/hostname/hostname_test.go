package hostname

import (
	"net/netip"
	"testing"
)

func TestAppend(t *testing.T) {
	host, plain := Form{CutPort: true, Fold: true}, Form{}
	for _, c := range []struct {
		form       Form
		name, want string
	}{
		{plain, "192.0.2.1", "192.0.2.1"},
		{plain, "::ffff:192.0.2.1", "192.0.2.1"},
		{plain, "::FFFF:c000:0201", "192.0.2.1"},
		{plain, "0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
		{plain, "2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{plain, "2001:db8::0001", "2001:db8::1"},
		{plain, "[2001:db8::1]", "2001:db8::1"},
		{plain, "fe80::1%eth0", "fe80::1"},
		{plain, "[FE80::1%25eth0]", "fe80::1"},
		{plain, "::", "::"},
		{plain, "::1", "::1"},
		{plain, "1::", "1::"},
		{plain, "Web-1.Example.ORG.", "Web-1.Example.ORG."},
		{plain, "192.0.2.1:50000", "192.0.2.1:50000"},
		{plain, "alice@example.org", "alice@example.org"},
		{host, "192.0.2.1:50000", "192.0.2.1"},
		{host, "[2001:db8::1]:22", "2001:db8::1"},
		{host, "[::ffff:192.0.2.1]:22", "192.0.2.1"},
		{host, "2001:db8::1", "2001:db8::1"}, // the last part is no port
		{host, "2001:db8:0:0:0:0:0:22", "2001:db8::22"},
		{host, "Web-1.Example.ORG.:2222", "web-1.example.org"},
		{host, "SRV_01", "srv_01"},
		{host, "srv:ssh", "srv:ssh"},
		{host, "srv:", "srv:"},
		{host, "srv:123456", "srv:123456"},
		{host, ":22", ":22"},
		{host, ".", "."},
		{host, "Größe.example", "Größe.example"},
		{host, "a b:22", "a b"},
		{host, "10.0.0.1.", "10.0.0.1"},
		{host, "", ""},
		// No addresses, and no reason to panic.
		{plain, ":1", ":1"}, {plain, "1:", "1:"}, {plain, "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:9"}, {plain, "1::2::3", "1::2::3"},
		{plain, "12345::", "12345::"}, {plain, "::1.2.3", "::1.2.3"}, {plain, "::256.1.1.1", "::256.1.1.1"}, {plain, "::01.1.1.1", "::01.1.1.1"},
		{plain, "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:6:7:1.2.3.4"}, {plain, "[]", "[]"}, {plain, "%", "%"}, {plain, "1:2:3:4:5:6:7::8", "1:2:3:4:5:6:7::8"},
	} {
		if got := string(Append(nil, []byte(c.name), c.form)); got != c.want {
			t.Errorf("%+v %q: %q, want %q", c.form, c.name, got, c.want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for name, want := range map[string]string{
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "2001:db8::1": "2001:db8::/64", "::1": "::/64",
		"192.0.2.1": "", "::ffff:192.0.2.1": "", "web-1": "", "web:22": "", "2001:db8::1|web": "", "": "",
	} {
		p, ok := Network([]byte(name))
		if ok != (want != "") || ok && p.String() != want {
			t.Errorf("%q: %v, want %q", name, p, want)
		}
	}
	for _, name := range [][]byte{[]byte("2001:db8::1"), []byte("web:22"), []byte("192.0.2.1")} {
		if n := testing.AllocsPerRun(100, func() { Network(name) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	buf := make([]byte, 0, 64)
	names := [][]byte{[]byte("192.0.2.1"), []byte("[2001:db8::1]:22"), []byte("Web-1.example.org."), []byte(":::::"), []byte("fe80::1%eth0")}
	if n := testing.AllocsPerRun(100, func() {
		for _, name := range names {
			Append(buf, name, Form{CutPort: true, Fold: true})
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzAppend holds what is taken for an address against the standard library, and asks that a name in its one
// form stays as it is.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{"::ffff:192.0.2.1", "[2001:db8::1]:22", "fe80::1%eth0", "Web.", "1:2:3:4:5:6:7:8", "1::8:", "192.0.2.1:1:2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		a, ok := parseIPv6([]byte(name))
		want, err := netip.ParseAddr(name)
		if isAddress := err == nil && want.Is6() && want.Zone() == ""; ok != isAddress || ok && a != want {
			t.Fatalf("%q: %v %v, the standard library has %v %v", name, a, ok, want, err)
		}
		once := string(Append(nil, []byte(name), Form{}))
		if twice := string(Append(nil, []byte(once), Form{})); len(once) <= len(name)+8 && ok && twice != once {
			t.Fatalf("%q: %q, then %q", name, once, twice)
		}
	})
}

func TestAddress(t *testing.T) {
	for text, want := range map[string]string{
		"10.1.2.3": "10.1.2.3", "2001:db8::1": "2001:db8::1", "::ffff:10.1.2.3": "10.1.2.3", "::": "::",
		"10.1.2.300": "", "10.01.2.3": "", "10.1.2": "", "web-1": "", "": "", "[::1]": "", "fe80::1%eth0": "", "a:b": "",
	} {
		name := []byte(text)
		a, ok := Address(name)
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q: %v, %v, want %q", text, a, ok, want)
		}
		if n := testing.AllocsPerRun(10, func() { Address(name) }); n != 0 {
			t.Errorf("%q: %v allocations", text, n)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	for address, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "LOCALHOST:2021": true, "127.0.0.1": true, "127.1.2.3:9200": true, "::1": true, "[::1]": true, "[::1]:9200": true,
		"": false, "0.0.0.0": false, ":2021": false, "localhost.example.org": false, "192.0.2.1:80": false, "[::]:80": false, "example.org": false,
	} {
		if got := IsLoopback(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}

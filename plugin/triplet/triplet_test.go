package triplet

import (
	"strings"
	"testing"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
)

func TestFind(t *testing.T) {
	finder := func(properties ...string) *Finder {
		t.Helper()
		cfg, err := config.Load(func(key string) (string, bool) {
			for i := 0; i < len(properties); i += 2 {
				if properties[i] == key {
					return properties[i+1], true
				}
			}
			return "", false
		})
		if err != nil {
			t.Fatal(err)
		}
		spec := record.Spec{Fields: [][]string{{"mine"}}}
		f, err := New(cfg.Fields, &spec)
		if err != nil {
			t.Fatal(err)
		}
		if len(spec.Fields) != f.Values()+1 || spec.Fields[f.Values()][0] != "mine" {
			t.Fatalf("fields %v, %d of them the finder's", spec.Fields, f.Values())
		}
		if _, err := record.Compile(spec); err != nil {
			t.Fatal(err)
		}
		return f
	}
	zeek := finder()
	two := finder("source", "user,host", "relation", "client,ok")
	ssh := finder("preset", "openssh")
	for _, c := range []struct {
		f      *Finder
		values string // with commas between; "nil" is a missing one
		want   string // "" for not ok
	}{
		{zeek, "a,b,c", "a c b"},
		{zeek, "a,b,nil", "a - b"},
		{zeek, "a,b,", "a - b"},
		{zeek, "nil,b,c", ""},
		{zeek, "a,nil,c", ""},
		{zeek, ",b,c", ""},
		{zeek, "-,b,c", ""},
		{two, "u,h,d,c,true", "u|h c|true d"},
		{two, "nil,h,d,nil,true", "-|h -|true d"},
		{two, "u,-,d,nil,nil", "u|- - d"},
		{two, "nil,nil,d,c,true", ""},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,web,sshd", "10.0.0.1 accepted password web"},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,nil,nil", "10.0.0.1 accepted password " + string(ssh.localhost)},
		{ssh, "Accepted password for x from 10.0.0.1 port 1 ssh2,web,cron", ""},
		{ssh, "nil,web,sshd", ""},
	} {
		var values [][]byte
		for _, v := range strings.Split(c.values, ",") {
			if v == "nil" {
				values = append(values, nil)
			} else {
				values = append(values, []byte(v))
			}
		}
		got := ""
		for len(values) < c.f.Values() { // a row of Zeek's log
			values = append(values, nil)
		}
		if s, verdict := c.f.Find(new(Room), nil, values); verdict == Found {
			got = string(s.Source) + " " + string(s.Relation) + " " + string(s.Destination)
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.values, got, c.want)
		}
	}
}

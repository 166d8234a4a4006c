package allow

import "testing"

// TestNames: name by name, a line takes what it takes of whole sessions.
func TestNames(t *testing.T) {
	hosts := []string{"a", "b", "10.1.2.3", "10.2.0.1", "2001:db8::7", "x|10.1.2.3", "x|10.2.0.1", "y|10.1.2.3", "x", "x|y|10.1.2.3", "10.1.2.3|x", ""}
	relations := []string{"ssh", "SSH-2.0-Go", "10.1.2.3", ""}
	for _, naming := range []Naming{plain, {Source: 2, Destination: 1, Relation: 1, Form: plain.Form}} {
		lines := []string{"a,*,*,,,bad", "10.1.0.0/16,ssh,*,,,bad", "2001:db8::/32,*,b,,,bad", "*,10.1.2.3,10.0.0.0/8,,,bad"}
		if naming.Source == 2 {
			lines = []string{"x|10.1.0.0/16,*,*,,,bad", "*|10.1.2.3,ssh,*,,,bad", "x|*,*,a,,,bad", "*|*,*,a,,,bad", "*,ssh,b,,,bad"}
		}
		for _, line := range lines {
			table := list(t, naming, line)
			names := table.Names(Bad, at("2026-01-01T00:00:00Z"))
			if len(names) != 1 || table.Names(Allowed, 0) != nil {
				t.Fatalf("%s: %d lines", line, len(names))
			}
			takes := func(does func(string) bool, name string) bool { return does == nil || does(name) }
			for _, s := range hosts {
				for _, r := range relations {
					for _, d := range hosts {
						got := takes(names[0].Source, s) && takes(names[0].Relation, r) && takes(names[0].Destination, d)
						if want := match(table, Bad, s, r, d, at("2026-01-01T00:00:00Z")) > 0; got != want {
							t.Errorf("%s takes %q, %q, %q: %v name by name, %v as a session", line, s, r, d, got, want)
						}
					}
				}
			}
		}
	}
	var none *Table
	if n := none.Names(Bad, 0); n != nil {
		t.Errorf("no list has %d lines", len(n))
	}
	table := list(t, plain, "a,*,*,,2025-01-01,bad", "b,*,*,2027-01-01,,bad", "c,*,*,,,", "d,*,*,,,bad")
	if n := table.Names(Bad, at("2026-01-01T00:00:00Z")); len(n) != 1 || !n[0].Source("d") {
		t.Errorf("%d lines are in force, want that of d", len(n))
	}
}

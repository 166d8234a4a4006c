package printable

import "testing"

func TestName(t *testing.T) {
	for name, want := range map[string]string{
		"":              "",
		"server-1":      "server-1",
		"Büro":          "Büro",
		"a\x1b[31mred":  `"a\x1b[31mr…`,
		"a\u202eb":      `"a\u202eb"`,
		"\xff":          `"\xff"`,
		`say "x"`:       `"say \"x\""`,
		"twelve chars":  "twelve chars",
		"thirteen char": "thirteen ch…",
		"ééééééééééééé": "ééééééééééé…",
		"a\u200bb":      `"a\u200bb"`,
		"tab\there":     `"tab\there"`,
	} {
		if got := Name(name, 12); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

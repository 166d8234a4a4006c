package fluentbit

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPrintableLine(t *testing.T) {
	check := func(message, want string) {
		t.Helper()
		if got := printableLine(message); got != want {
			t.Errorf("printableLine(%q) = %q, want %q", message, got, want)
		}
	}
	check("", "")
	check(`train_interval "soon": want a duration, at least 1s`, `train_interval "soon": want a duration, at least 1s`)
	check("100 %s of %n", "100 %s of %n")
	check("two\nlines\r\n\tand a tab", `two\nlines\r\n\tand a tab`)
	check("SSH-2.0-\x1b[2J\x00\x7f", `SSH-2.0-\x1b[2J\x00\x7f`)
	check("not \xff utf-8", `not \xff utf-8`)
	check("naïve 漢字 \ufffd", "naïve 漢字 \ufffd")
	check("line\u2028separator, csi\u009b", `line\u2028separator, csi\u009b`)
	check(strings.Repeat("a", maxLine), strings.Repeat("a", maxLine))
	check(strings.Repeat("a", maxLine+1), strings.Repeat("a", maxLine)+"...")
	check(strings.Repeat("a", maxLine-1)+"é", strings.Repeat("a", maxLine-1)+"...")
	check(strings.Repeat("a", maxLine-1)+"\n", strings.Repeat("a", maxLine-1)+"...")
}

func FuzzPrintableLine(f *testing.F) {
	f.Add("SSH-2.0-Go\n")
	f.Add("\xff\x00\x1b]0;\a")
	f.Fuzz(func(t *testing.T, message string) {
		line := printableLine(message)
		if len(line) > maxLine+len("...") {
			t.Errorf("printableLine(%q) has %d bytes, want at most %d", message, len(line), maxLine+len("..."))
		}
		if !utf8.ValidString(line) || strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("printableLine(%q) = %q is not printable", message, line)
		}
	})
}

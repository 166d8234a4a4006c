package zeek

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

// show gives a value in words.
func show(v Value) string {
	switch v.Kind {
	case Unset:
		return "unset"
	case Text:
		return fmt.Sprintf("%q", v.Text)
	case Natural:
		return fmt.Sprint(v.Natural)
	case Integer:
		return fmt.Sprint(v.Integer)
	case Real:
		return fmt.Sprintf("%g real", v.Real)
	case Boolean:
		return fmt.Sprint(v.True)
	}
	return fmt.Sprintf("list %q", v.Text)
}

func TestValue(t *testing.T) {
	h := NewHeader()
	for _, c := range []struct {
		is         Type
		cell, want string
	}{
		{Int, "-", "unset"}, {Int, "007", "7"}, {Int, "18446744073709551615", "18446744073709551615"}, {Int, "18446744073709551616", `"18446744073709551616"`},
		{Int, "-9223372036854775808", "-9223372036854775808"}, {Int, "-9223372036854775809", `"-9223372036854775809"`}, {Int, "+5", "5"}, {Int, "-0", "0"},
		{Int, "", `""`}, {Int, "+", `"+"`}, {Int, "1.5", `"1.5"`}, {Int, "1 ", `"1 "`},
		{Double, "1.50", "1.5 real"}, {Double, "XX.XX", `"XX.XX"`}, {Double, "1e999", `"1e999"`}, {Double, "-1e3", "-1000 real"}, {Double, ".", `"."`}, {Double, "inf", "+Inf real"},
		{Bool, "T", "true"}, {Bool, "F", "false"}, {Bool, "true", `"true"`}, {String, "T", `"T"`},
		{String, "(empty)", `""`}, {Set, "(empty)", `list ""`}, {Set, "a,b", `list "a,b"`}, {Set, "-", "unset"},
	} {
		if got := show(h.Value([]byte(c.cell), c.is)); got != c.want {
			t.Errorf("%v %q: %s, want %s", c.is, c.cell, got, c.want)
		}
	}
}

func TestElements(t *testing.T) {
	elements := func(h Header, cell string) (out string) {
		v := h.Value([]byte(cell), Set)
		if v.Kind != List {
			return show(v)
		}
		for rest := v.Text; rest != nil; {
			var element Value
			element, rest = h.Element(rest)
			out += show(element) + ";"
		}
		return out
	}
	h := NewHeader()
	whole := NewHeader()
	whole.SetSeparator = nil
	for _, c := range []struct {
		h          Header
		cell, want string
	}{
		{h, "a,b", `"a";"b";`}, {h, "-,(empty),", `unset;"";"";`}, {h, "a", `"a";`}, {h, "", `"";`}, {h, "(empty)", ""}, {h, "-", "unset"},
		{whole, "a,b", `"a,b";`},
	} {
		if got := elements(c.h, c.cell); got != c.want {
			t.Errorf("%q: %s, want %s", c.cell, got, c.want)
		}
	}
}

// FuzzNumbers compares with strconv, which makes an error of each cell that is none.
func FuzzNumbers(f *testing.F) {
	for _, cell := range []string{"0", "-0", "+1", "18446744073709551615", "9223372036854775808", "-9223372036854775808", "00", "1e5", "-.5", "nan", "+Inf", "0x1p-2", "1_0"} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		want := "none"
		if u, err := strconv.ParseUint(cell, 10, 64); err == nil {
			want = fmt.Sprint(u)
		} else if i, err := strconv.ParseInt(cell, 10, 64); err == nil {
			want = fmt.Sprint(i)
		}
		got := "none"
		if v, ok := integer([]byte(cell)); ok {
			got = show(v)
		}
		if got != want {
			t.Errorf("%q is the integer %s, want %s", cell, got, want)
		}
		real, ok := real([]byte(cell))
		if x, err := strconv.ParseFloat(cell, 64); ok != (err == nil) || ok && math.Float64bits(x) != math.Float64bits(real.Real) {
			t.Errorf("%q is %v, %v, want %v, %v", cell, real.Real, ok, x, err)
		}
	})
}

func TestUnescaped(t *testing.T) {
	for text, want := range map[string]string{
		`a\x09b`: "a\tb", `\\x41`: `\x41`, `\xC3\xa9`: "é", `\x4`: `\x4`, `\xzz`: `\xzz`, `\`: `\`, `\n`: `\n`, "": "",
	} {
		if got := string(AppendUnescaped([]byte("-"), []byte(text))); got != "-"+want {
			t.Errorf("%q: %q, want %q", text, got, "-"+want)
		}
	}
}

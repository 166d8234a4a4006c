package zeek

import (
	"fmt"
	"strings"
	"testing"
)

func TestHeader(t *testing.T) {
	for _, c := range []struct {
		lines string // with commas between
		want  string
	}{
		{"#fields\ta\tb,#types\tcount\tbool", `"\t" "," "(empty)" "-" [a:int b:bool] 2`},
		{`#separator \x7c,#set_separator|;,#empty_field|,#unset_field|\x3f,#fields|a`, `"|" ";" "" "?" [a:string] 5`},
		{"#fields\ta\tb,#types\tcount", `"\t" "," "(empty)" "-" [a:string b:string] 1: 1 #types for 2 #fields: want one for each`},
		{"#fields\ta,#types\ttable[count],#fields\tb", `"\t" "," "(empty)" "-" [b:string] 3`},
		{"#unset_field\t?,#separator ,#path\tx,# note,#fields,#close\t1", `"\t" "," "(empty)" "?" [] 1: ` +
			`#separator is empty: want the bytes between two columns, as in #separator \x09`},
		{`#unset_field	?,#fields	a,#separator \x09`, `"\t" "," "(empty)" "-" [] 3`}, // anew
		{"#types\tcount,#fields\ta", `"\t" "," "(empty)" "-" [a:string] 1`},
	} {
		h, changes, refused := NewHeader(), 0, ""
		for line := range strings.SplitSeq(c.lines, ",") {
			changed, err := h.Read([]byte(line))
			if changed {
				changes++
			}
			if err != nil {
				refused += ": " + err.Error()
			}
		}
		var columns []string
		for _, column := range h.Columns {
			columns = append(columns, column.Name+":"+column.Type.String())
		}
		if got := fmt.Sprintf("%q %q %q %q %v %d%s", h.Separator, h.SetSeparator, h.Empty, h.Unset, columns, changes, refused); got != c.want {
			t.Errorf("%q:\n got %s\nwant %s", c.lines, got, c.want)
		}
	}
	for of := String; of <= Set; of++ {
		if got := TypeOf(of.String()); got != of {
			t.Errorf("%v is read as %v", of, got)
		}
	}
}

// A header that rows are still read by stays as it is.
func TestTypesLeaveOthersColumns(t *testing.T) {
	h := NewHeader()
	for _, line := range []string{"#fields\ta", "#types\tstring"} {
		if _, err := h.Read([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	before := h
	if _, err := h.Read([]byte("#types\tbool")); err != nil || before.Columns[0].Type != String || h.Columns[0].Type != Bool {
		t.Errorf("%v became %v, %v", before.Columns, h.Columns, err)
	}
}

// Package zeek knows the form of Zeek's logs in columns, with tabs or other separators between: its header and the
// escapes in its values. It owns that format alone and knows no records.
package zeek

import (
	"bytes"
	"strconv"
	"strings"
)

// Columns are the names of a log's columns, in their order, as its header gives them.
type Columns []string

// Tab stands between columns where the header does not say otherwise.
const Tab = "\t"

// ReadSeparator returns what the first line of a header says stands between columns, "" if it names nothing. It is not
// ok for any other line.
func ReadSeparator(line []byte) (separator string, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("#separator "))
	return string(AppendUnescaped(nil, bytes.TrimRight(rest, "\r\n"))), ok
}

// ReadHeader returns the columns of a line with #fields. It is not ok for any other line.
func ReadHeader(line []byte, separator string) (Columns, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("#fields"+separator))
	if !ok {
		return nil, false
	}
	return strings.Split(string(bytes.TrimRight(rest, "\r\n")), separator), true
}

// AppendUnescaped appends a value to dst and undoes Zeek's \xNN and \\.
func AppendUnescaped(dst, value []byte) []byte {
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == '\\' && i+1 < len(value) {
			if value[i+1] == '\\' {
				i++
			} else if value[i+1] == 'x' && i+3 < len(value) {
				if v, err := strconv.ParseUint(string(value[i+2:i+4]), 16, 8); err == nil {
					c, i = byte(v), i+3
				}
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// Package zeek knows the tab-separated form of Zeek's logs: its header and the escapes in its values. It
// owns that format alone and knows no records.
package zeek

import (
	"bytes"
	"strconv"
	"strings"
)

// Columns are the names of a log's columns, in their order, as its header gives them.
type Columns []string

// ReadHeader returns the columns of a line with #fields. It is not ok for any other line.
func ReadHeader(line []byte) (Columns, bool) {
	rest, ok := bytes.CutPrefix(line, []byte("#fields\t"))
	if !ok {
		return nil, false
	}
	return strings.Split(string(bytes.TrimRight(rest, "\r\n")), "\t"), true
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

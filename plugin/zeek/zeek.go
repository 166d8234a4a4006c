// Package zeek knows the form of Zeek's logs in columns, with tabs or other separators between: the header, and what
// the cells of a row stand for. It owns that format alone, for rows in records and rows in files alike, and knows no
// records.
package zeek

// AppendUnescaped appends a text to dst and undoes Zeek's \xNN and \\.
func AppendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c == '\\' && i+1 < len(text) {
			if text[i+1] == '\\' {
				i++
			} else if text[i+1] == 'x' && i+3 < len(text) {
				high, low := hex(text[i+2]), hex(text[i+3])
				if high >= 0 && low >= 0 {
					c, i = byte(high<<4|low), i+3
				}
			}
		}
		dst = append(dst, c)
	}
	return dst
}

// hex is the value of a hexadecimal digit, -1 of any other byte.
func hex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

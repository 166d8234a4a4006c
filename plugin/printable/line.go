package printable

import (
	"strconv"
	"unicode/utf8"
)

// maxLine is in bytes. Fluent Bit cuts lines at 4 KiB less its own prefix, in the middle of a character, and nobody
// reads that far.
const maxLine = 1024

// Line escapes what is not printable in a message and cuts it to maxLine bytes. A message may quote what came over the
// network: a client's banner shall neither start a new line of the log nor send commands to the reader's terminal.
func Line(message string) string {
	line := make([]byte, 0, min(len(message), maxLine)+8)
	for len(message) > 0 {
		r, n := utf8.DecodeRuneInString(message)
		piece := message[:n]
		if !strconv.IsPrint(r) || r == utf8.RuneError && n == 1 {
			quoted := strconv.Quote(piece)
			piece = quoted[1 : len(quoted)-1]
		}
		if len(line)+len(piece) > maxLine {
			return string(append(line, "..."...))
		}
		line, message = append(line, piece...), message[n:]
	}
	return string(line)
}

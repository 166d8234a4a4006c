// Package printable makes names fit for people to read: clients name themselves as they like, with escape sequences of
// a terminal, characters that turn the direction of writing, or characters that show nothing.
package printable

import (
	"strconv"
	"unicode/utf8"
)

// Name returns a name of at most so many characters. One with anything but graphic characters in it is quoted, and one
// that is too long ends in an ellipsis.
func Name(name string, most int) string {
	if quoted := strconv.QuoteToGraphic(name); len(quoted) != len(name)+2 {
		name = quoted
	}
	if utf8.RuneCountInString(name) > most {
		name = string([]rune(name)[:most-1]) + "…"
	}
	return name
}

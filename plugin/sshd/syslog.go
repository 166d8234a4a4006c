package sshd

import (
	"bytes"
	"slices"
)

// line is a syslog line taken apart; what it lacks is nil.
type line struct{ time, host, ident, message []byte }

// splitSyslog takes a line apart. One without a prefix is all message.
func splitSyslog(s []byte) line {
	whole := line{message: s}
	s = cutPriority(s)
	if len(s) > 2 && s[0] == '1' && s[1] == ' ' {
		if l, ok := splitRFC5424(s[2:]); ok {
			return l
		}
		return whole
	}
	stamp, rest, ok := cutTime(s)
	if !ok {
		// A line without a time: only sshd's own name marks it, since the messages have colons of their own.
		if ident, message, ok := cutIdent(s); ok && isSSHD(ident) {
			return line{ident: ident, message: message}
		}
		return whole
	}
	// On the socket /dev/log, and in OpenWrt's log, there is no host in the line.
	if ident, message, ok := cutIdent(cutFacility(rest)); ok {
		return line{time: stamp, ident: ident, message: cutMessageID(message)}
	}
	host, rest := cutWord(rest)
	if ident, message, ok := cutIdent(cutFacility(rest)); ok {
		return line{time: stamp, host: host, ident: ident, message: cutMessageID(message)}
	}
	return whole
}

var (
	facilities = []string{"auth", "authpriv", "daemon", "kern", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7", "security", "syslog", "user"}
	levels     = []string{"alert", "crit", "debug", "emerg", "err", "error", "info", "notice", "warn", "warning"}
)

// isPriority tells a facility and a level, such as auth.info.
func isPriority(s []byte) bool {
	facility, level, ok := bytes.Cut(s, []byte("."))
	is := func(word []byte) func(string) bool { return func(known string) bool { return string(word) == known } }
	return ok && slices.ContainsFunc(facilities, is(facility)) && slices.ContainsFunc(levels, is(level))
}

// cutFacility cuts the facility and the level that BusyBox, of Alpine and OpenWrt, writes before the program's name.
func cutFacility(s []byte) []byte {
	if word, rest := cutWord(s); isPriority(word) {
		return rest
	}
	return s
}

// cutMessageID cuts what Solaris and illumos write before a message: `[ID 800047 auth.info] `.
func cutMessageID(message []byte) []byte {
	if inner, ok := cutString(message, "[ID "); ok {
		if id, rest, ok := bytes.Cut(inner, []byte("] ")); ok {
			if number, priority := cutWord(id); allDigits(number) && isPriority(priority) {
				return rest
			}
		}
	}
	return message
}

// splitRFC5424 takes apart what follows the version: time host program process message-id structured-data message.
func splitRFC5424(s []byte) (l line, ok bool) {
	stamp, s := cutWord(s)
	if string(stamp) != "-" {
		if !isISOTime(stamp) {
			return l, false
		}
		l.time = stamp
	}
	l.host, s = cutWord(s)
	l.ident, s = cutWord(s)
	_, s = cutWord(s)
	_, s = cutWord(s)
	if isNil(l.host) {
		l.host = nil
	}
	if isNil(l.ident) {
		l.ident = nil
	}
	if len(s) > 0 && s[0] == '[' {
		if s = cutElements(s); s == nil {
			return l, false
		}
	} else {
		_, s = cutWord(s)
	}
	l.message = bytes.TrimPrefix(bytes.TrimLeft(s, " "), []byte("\ufeff"))
	return l, true
}

// isNil tells what RFC 5424 writes for no value. Parsers of such lines leave it as it stands.
func isNil(s []byte) bool { return string(s) == "-" }

// cutElements cuts structured data, [id name="value"]..., in whose values a backslash escapes; nil when it does not
// end.
func cutElements(s []byte) []byte {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted && (i+1 == len(s) || s[i+1] != '['):
			return s[i+1:]
		}
	}
	return nil
}

// cutPriority cuts <PRI>, up to three digits in angle brackets.
func cutPriority(s []byte) []byte {
	if len(s) > 0 && s[0] == '<' {
		if i := bytes.IndexByte(s[:min(len(s), 5)], '>'); i > 1 && allDigits(s[1:i]) {
			return s[i+1:]
		}
	}
	return s
}

// cutTime cuts a time as in `Nov 30 06:39:00 `, the same with a fraction of a second or with the year behind the day,
// `Sat Nov 30 06:39:00 2024 `, or `2024-11-30T06:39:00.123456+01:00 `, also with a space for the T.
func cutTime(s []byte) (stamp, rest []byte, ok bool) {
	const day, time, year, early = len("Nov 30 "), len("Nov 30 06:39:00"), len("Sat Nov 30 06:39:00 2024"), len("Nov 30 2024 06:39:00")
	isTime := func(s []byte) bool { // up to the seconds
		return len(s) > time+1 && s[3] == ' ' && s[day-1] == ' ' && s[9] == ':' && s[12] == ':'
	}
	switch {
	case isTime(s) && s[time] == ' ':
		return s[:time], s[time+1:], true
	case isTime(s) && s[time] == '.':
		fraction, rest := cutWord(s[time+1:])
		return s[:time+1+len(fraction)], rest, allDigits(fraction)
	case len(s) > early && s[3] == ' ' && s[day-1] == ' ' && allDigits(s[day:day+4]) && s[day+4] == ' ' && s[14] == ':' && s[17] == ':' && s[early] == ' ':
		return s[:early], s[early+1:], true
	case len(s) > len("2024-11-30 06:39:00") && s[10] == ' ' && isISODate(s[:10]) && s[13] == ':' && s[16] == ':':
		clock, rest := cutWord(s[11:])
		return s[:11+len(clock)], rest, true
	case len(s) > year && s[3] == ' ' && isTime(s[4:]) && s[year] == ' ' && allDigits(s[year-4:year]):
		return s[:year], s[year+1:], true
	}
	stamp, rest = cutWord(s)
	return stamp, rest, isISOTime(stamp)
}

func isISOTime(s []byte) bool {
	return len(s) >= 19 && s[10] == 'T' && s[13] == ':' && s[16] == ':' && isISODate(s[:10])
}

// isISODate tells a date such as 2024-11-30 by its shape.
func isISODate(s []byte) bool { return s[4] == '-' && s[7] == '-' && allDigits(s[:4]) }

// cutIdent cuts a program's name up to its colon, without the process: `sshd[123]: message`.
func cutIdent(s []byte) (ident, message []byte, ok bool) {
	word, rest := cutWord(s)
	if len(word) < 2 || word[len(word)-1] != ':' {
		return nil, nil, false
	}
	ident = word[:len(word)-1]
	if i := bytes.IndexAny(ident, "[("); i >= 0 {
		ident = ident[:i]
	}
	return ident, rest, len(ident) > 0
}

// cutWord cuts the bytes before the first space, and the space.
func cutWord(s []byte) (word, rest []byte) {
	if i := bytes.IndexByte(s, ' '); i >= 0 {
		return s[:i], s[i+1:]
	}
	return s, nil
}

func allDigits(s []byte) bool {
	for _, c := range s {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(s) > 0
}

package record

import (
	"bytes"
	"encoding/binary"
	"math"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// maxSeconds is the last whole second that fits into nanoseconds in an int64, in the year 2262.
const maxSeconds = math.MaxInt64/uint64(time.Second) - 1

// headerTime reads the time of an event's header. Fluent Bit opens and closes groups with the seconds -1 and -2, and
// reads any other pattern of the 32 bits as an unsigned number.
func headerTime(b []byte) (ns int64, kind Kind, ok bool) {
	switch msgp.NextType(b) {
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
		whole, nanos, ok := number(b)
		if !ok || whole > maxSeconds {
			return 0, Malformed, false
		}
		return int64(whole*uint64(time.Second)) + nanos, Log, true
	}
	seconds, nanos, ok := eventTime(b)
	if !ok {
		return 0, Malformed, false
	}
	if seconds >= math.MaxUint32-1 {
		return 0, Marker, true
	}
	return int64(seconds)*int64(time.Second) + int64(nanos), Log, true
}

// fieldTime reads a time from a record's field: an event time, a number, or text that holds either a number or an ISO
// 8601 time.
func fieldTime(b []byte) (ns int64, ok bool) {
	if from, to, ok := text(b, 0); ok {
		return ParseTime(b[from:to])
	}
	if seconds, nanos, ok := eventTime(b); ok {
		return int64(seconds)*int64(time.Second) + int64(nanos), true
	}
	whole, nanos, ok := number(b)
	if !ok {
		return 0, false
	}
	return epoch(whole, nanos)
}

// ParseTime reads a time from text, as nanoseconds since the epoch: a number (seconds, or milli-, micro- or
// nanoseconds by its magnitude), an ISO 8601 time, or syslog's `Nov 30 06:39:00`, with a fraction of a second or in the
// forms `Sat Nov 30 06:39:00 2024` and `Nov 30 2024 06:39:00`.
func ParseTime(s []byte) (ns int64, ok bool) {
	if ns, ok := parseDecimal(s); ok {
		return ns, true
	}
	if ns, ok := parseISO(s); ok {
		return ns, true
	}
	return parseSyslog(s, time.Now)
}

// UintTime is ParseTime of a whole number.
func UintTime(n uint64) (ns int64, ok bool) { return epoch(n, 0) }

// FloatTime is ParseTime of a float, to the microsecond.
func FloatTime(v float64) (ns int64, ok bool) {
	whole, billionths, ok := parts(v)
	if !ok {
		return 0, false
	}
	return epoch(whole, billionths)
}

const syslogLayout = "Jan _2 15:04:05"

// The years of which all times fit.
const firstYear, lastYear = 1970, 2261

// parseSyslog reads the time of RFC 3164, which has neither year nor zone: it is in the zone of this machine,
// and the newest such time that is not more than a day ahead of the clock. Some programs add a fraction of a second, or
// the day of the week in front and the year behind, or the year behind the day.
func parseSyslog(s []byte, clock func() time.Time) (ns int64, ok bool) {
	const day, clockLen, long = len("Jan _2 "), len("15:04:05"), len("Sat ") + len(syslogLayout) + len(" 2024")
	if len(s) < len(syslogLayout) {
		return 0, false
	}
	date, hours := s[:day], s[day:]
	var given []byte // the year, nil: it has none
	switch {
	case len(s) == long && s[3] == ' ' && s[long-5] == ' ':
		date, hours, given = s[4:4+day], s[4+day:long-5], s[long-4:]
	case hours[4] == ' ':
		given, hours = hours[:4], hours[5:]
	}
	if len(hours) < clockLen || date[3] != ' ' || date[6] != ' ' || hours[2] != ':' || hours[5] != ':' {
		return 0, false
	}
	nanos, rest, ok := fraction(hours[clockLen:])
	if !ok || len(rest) > 0 {
		return 0, false
	}
	onlyYear, rest, ok := digits(given, 4, 4)
	if given != nil && (!ok || len(rest) > 0) {
		return 0, false
	}
	month := bytes.Index([]byte("JanFebMarAprMayJunJulAugSepOctNovDec"), date[:3])
	if month < 0 || month%3 != 0 {
		return 0, false
	}
	var part [4]int // day, hour, minute, second
	for i, digit := range [4][]byte{date[4:6], hours[:2], hours[3:5], hours[6:8]} {
		if i == 0 && digit[0] == ' ' {
			digit = digit[1:]
		}
		v, rest, ok := digits(digit, 1, 2)
		if !ok || len(rest) > 0 {
			return 0, false
		}
		part[i] = int(v)
	}
	if part[0] < 1 || part[1] > 23 || part[2] > 59 || part[3] > 60 {
		return 0, false
	}
	now := clock()
	in := func(year int) (t time.Time, ok bool) {
		minute := time.Date(year, time.Month(month/3+1), part[0], part[1], part[2], 0, int(nanos), now.Location())
		// A leap second before midnight is of the next day.
		return minute.Add(time.Duration(part[3]) * time.Second), minute.Day() == part[0]
	}
	if given != nil {
		if onlyYear < firstYear || onlyYear > lastYear {
			return 0, false
		}
		if t, ok := in(int(onlyYear)); ok && t.Unix() >= 0 {
			return t.UnixNano(), true
		}
		return 0, false
	}
	for year := now.Year() + 1; year > now.Year()-8; year-- { // the 29th of February is every fourth, at times eighth
		if t, ok := in(year); ok && !t.After(now.Add(24*time.Hour)) {
			return t.UnixNano(), true
		}
	}
	return 0, false
}

// eventTime reads Fluent Bit's own time: ext type 0, 32 bits of seconds, 32 bits of nanoseconds.
func eventTime(b []byte) (seconds, nanos uint32, ok bool) {
	switch {
	case len(b) >= 10 && b[0] == 0xd7 && b[1] == 0: // fixext8
		b = b[2:]
	case len(b) >= 11 && b[0] == 0xc7 && b[1] == 8 && b[2] == 0: // ext8 of 8 bytes
		b = b[3:]
	default:
		return 0, 0, false
	}
	seconds, nanos = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	return seconds, nanos, nanos < uint32(time.Second)
}

// number reads an integer or float that is not negative as a whole part and billionths. A float of today's seconds
// holds no more than microseconds; rounding to these gives back the decimal that it was written from.
func number(b []byte) (whole uint64, billionths int64, ok bool) {
	var v float64
	switch msgp.NextType(b) {
	case msgp.IntType:
		n, _, err := msgp.ReadInt64Bytes(b)
		return uint64(n), 0, err == nil && n >= 0
	case msgp.UintType:
		n, _, err := msgp.ReadUint64Bytes(b)
		return n, 0, err == nil
	case msgp.Float32Type:
		n, _, _ := msgp.ReadFloat32Bytes(b)
		v = float64(n)
	case msgp.Float64Type:
		v, _, _ = msgp.ReadFloat64Bytes(b)
	default:
		return 0, 0, false
	}
	return parts(v)
}

// parts is number of a float.
func parts(v float64) (whole uint64, billionths int64, ok bool) {
	if !(v >= 0 && v < math.MaxInt64) { // NaN included
		return 0, 0, false
	}
	whole = uint64(v)
	billionths = int64(math.Round((v-float64(whole))*1e6)) * 1000
	if billionths == 1e9 {
		whole, billionths = whole+1, 0
	}
	return whole, billionths, true
}

// epoch turns a count since the epoch into nanoseconds. Its unit follows from its magnitude: as seconds, 1e11 is in the
// year 5138.
func epoch(whole uint64, billionths int64) (ns int64, ok bool) {
	unit := uint64(time.Second)
	switch {
	case whole >= 1e17:
		unit = uint64(time.Nanosecond)
	case whole >= 1e14:
		unit = uint64(time.Microsecond)
	case whole >= 1e11:
		unit = uint64(time.Millisecond)
	}
	if whole > (math.MaxInt64-uint64(time.Second))/unit {
		return 0, false
	}
	return int64(whole*unit) + billionths*int64(unit)/1e9, true
}

// parseDecimal reads digits with an optional fraction, exactly; digits beyond the ninth of the fraction are dropped.
func parseDecimal(s []byte) (ns int64, ok bool) {
	whole, s, ok := digits(s, 1, 19)
	if !ok {
		return 0, false
	}
	billionths, s, ok := fraction(s)
	if !ok || len(s) != 0 {
		return 0, false
	}
	return epoch(whole, billionths)
}

// digits reads between least and most decimal digits.
func digits(s []byte, least, most int) (v uint64, rest []byte, ok bool) {
	i := 0
	for i < len(s) && i < most && s[i]-'0' <= 9 {
		v = v*10 + uint64(s[i]-'0')
		i++
	}
	return v, s[i:], i >= least
}

// fraction reads the digits after a point or comma as billionths; without a point it is zero, and a point without
// digits is not ok.
func fraction(s []byte) (billionths int64, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' && s[0] != ',' {
		return 0, s, true
	}
	i := 1
	for scale := int64(1e8); i < len(s) && s[i]-'0' <= 9; i++ {
		billionths += int64(s[i]-'0') * scale
		scale /= 10
	}
	return billionths, s[i:], i > 1
}

// parseISO reads a time such as 2018-03-24T17:16:39.739898Z: a T or a space before the hours, any fraction or none, a
// zone as Z, +hh:mm, +hhmm or +hh, a space before it or none. Without a zone it is UTC.
func parseISO(s []byte) (ns int64, ok bool) {
	const layout = "dddd-dd-ddTdd:dd:dd"
	if len(s) < len(layout) || s[4] != '-' || s[7] != '-' || s[10] != 'T' && s[10] != 't' && s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	var part [6]int // year, month, day, hour, minute, second
	for i, at := range [6]int{0, 5, 8, 11, 14, 17} {
		width := 2
		if i == 0 {
			width = 4
		}
		v, _, ok := digits(s[at:], width, width)
		if !ok {
			return 0, false
		}
		part[i] = int(v)
	}
	year, month, day := part[0], time.Month(part[1]), part[2]
	if year < firstYear || year > lastYear || part[3] > 23 || part[4] > 59 || part[5] > 60 { // 60 is a leap second
		return 0, false
	}
	t := time.Date(year, month, day, part[3], part[4], 0, 0, time.UTC)
	if t.Month() != month || t.Day() != day { // there is no such day
		return 0, false
	}
	nanos, rest, ok := fraction(s[len(layout):])
	if !ok {
		return 0, false
	}
	if len(rest) > 1 && rest[0] == ' ' {
		rest = rest[1:]
	}
	offset, ok := parseZone(rest)
	if !ok {
		return 0, false
	}
	ns = (t.Unix()+int64(part[5])-offset)*int64(time.Second) + nanos
	return ns, ns >= 0
}

// parseZone reads the zone of an ISO 8601 time as seconds east of UTC.
func parseZone(s []byte) (seconds int64, ok bool) {
	if len(s) == 0 || len(s) == 1 && (s[0] == 'Z' || s[0] == 'z') {
		return 0, true
	}
	sign := int64(1)
	switch s[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	hours, s, ok := digits(s[1:], 2, 2)
	if !ok || hours > 23 {
		return 0, false
	}
	var minutes uint64
	if len(s) > 0 {
		if s[0] == ':' {
			s = s[1:]
		}
		if minutes, s, ok = digits(s, 2, 2); !ok || minutes > 59 || len(s) != 0 {
			return 0, false
		}
	}
	return sign * int64(hours*3600+minutes*60), true
}

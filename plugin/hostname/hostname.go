// Package hostname gives each host one name: the same address, however a log spells it, is the same
// bytes. It knows addresses and names, not records and no graph.
package hostname

import (
	"bytes"
	"net"
	"net/netip"
	"strings"
)

// Form says what to change beside the spelling of addresses, which is always brought to one form.
type Form struct {
	CutPort bool // cut ":22" behind an address or a name
	Fold    bool // write names of hosts in lower case and without a dot at the end
}

// Append appends the name in its one form to dst:
//
//   - an IPv6 address in the short form of RFC 5952, without brackets and without a zone;
//   - an IPv4 address that is written as an IPv6 one (::ffff:192.0.2.1) as IPv4;
//   - anything else as it is, but for what the form says.
func Append(dst, name []byte, form Form) []byte {
	if IsIPv4(name) { // most names
		return append(dst, name...)
	}
	host := name
	if form.CutPort {
		host = cutPort(name)
	}
	address := host
	if n := len(address); n > 2 && address[0] == '[' && address[n-1] == ']' {
		address = address[1 : n-1]
	}
	if bare, _, ok := bytes.Cut(address, []byte("%")); ok {
		address = bare
	}
	if a, ok := parseIPv6(address); ok {
		return a.Unmap().AppendTo(dst)
	}
	if !form.Fold || !isName(host) {
		return append(dst, host...)
	}
	if n := len(host); n > 1 && host[n-1] == '.' {
		host = host[:n-1]
	}
	for _, c := range host {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	return dst
}

// IsIPv4 tells four numbers with dots between, whatever the numbers.
func IsIPv4(s []byte) bool {
	dots := 0
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9':
		case c == '.' && i > 0 && s[i-1] != '.' && i < len(s)-1:
			dots++
		default:
			return false
		}
	}
	return dots == 3
}

// isName tells a name of the domain name system, with underscores, as Windows and containers have them.
func isName(s []byte) bool {
	for _, c := range s {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// cutPort cuts a port of one to five digits behind the only colon, or behind a bracket.
func cutPort(s []byte) []byte {
	i := bytes.LastIndexByte(s, ':')
	if i < 1 || len(s)-i > 6 || i == len(s)-1 {
		return s
	}
	for _, c := range s[i+1:] {
		if c < '0' || c > '9' {
			return s
		}
	}
	if s[i-1] == ']' && s[0] == '[' || bytes.IndexByte(s[:i], ':') < 0 {
		return s[:i]
	}
	return s
}

// Address reads a name in its one form as an address. It makes no garbage, whatever the name.
func Address(name []byte) (a netip.Addr, ok bool) {
	if IsIPv4(name) {
		var b [4]byte
		if !appendIPv4(b[:], name) {
			return a, false
		}
		return netip.AddrFrom4(b), true
	}
	a, ok = parseIPv6(name)
	return a.Unmap(), ok
}

// NetworkBits is the length of Network's prefixes.
const NetworkBits = 64

// Network returns the /64 of a name in its one form that is an IPv6 address: whoever has one address of it may use them
// all. It makes no garbage, whatever the name.
func Network(name []byte) (p netip.Prefix, ok bool) {
	if bytes.IndexByte(name, ':') < 0 { // most names
		return p, false
	}
	a, ok := Address(name)
	if !ok || !a.Is6() {
		return p, false
	}
	p, err := a.Prefix(NetworkBits)
	return p, err == nil
}

// parseIPv6 reads the text forms of RFC 4291. It is here because netip's own makes an error, and so
// garbage, for each name that is no address.
func parseIPv6(s []byte) (a netip.Addr, ok bool) {
	if len(s) < 2 || len(s) > 45 {
		return a, false
	}
	var b [16]byte
	n, gap := 0, -1 // bytes so far; where :: stands
	if s[0] == ':' {
		if s[1] != ':' {
			return a, false
		}
		gap, s = 0, s[2:]
	}
	for len(s) > 0 {
		if n == len(b) {
			return a, false
		}
		v, digits := 0, 0
		for digits < len(s) && digits < 5 {
			d := hexDigit(s[digits])
			if d < 0 {
				break
			}
			v = v<<4 | d
			digits++
		}
		if digits < len(s) && s[digits] == '.' { // the last four bytes as IPv4
			if n > 12 || !appendIPv4(b[n:n+4], s) {
				return a, false
			}
			n, s = n+4, nil
			break
		}
		if digits == 0 || digits > 4 {
			return a, false
		}
		b[n], b[n+1] = byte(v>>8), byte(v)
		n += 2
		if s = s[digits:]; len(s) == 0 {
			break
		}
		if s[0] != ':' || len(s) == 1 {
			return a, false
		}
		if s = s[1:]; s[0] == ':' {
			if gap >= 0 {
				return a, false
			}
			gap, s = n, s[1:]
		}
	}
	switch {
	case gap < 0 && n < len(b), gap >= 0 && n == len(b):
		return a, false
	case gap >= 0:
		moved := copy(b[len(b)-(n-gap):], b[gap:n])
		clear(b[gap : len(b)-moved])
	}
	return netip.AddrFrom16(b), true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}

// appendIPv4 reads four decimal numbers without leading zeros.
func appendIPv4(to, s []byte) bool {
	for i := range to {
		v, digits := 0, 0
		for digits < len(s) && digits < 4 && s[digits] >= '0' && s[digits] <= '9' {
			v = v*10 + int(s[digits]-'0')
			digits++
		}
		if digits == 0 || v > 255 || digits > 1 && s[0] == '0' {
			return false
		}
		to[i], s = byte(v), s[digits:]
		if i < 3 {
			if len(s) == 0 || s[0] != '.' {
				return false
			}
			s = s[1:]
		}
	}
	return len(s) == 0
}

// IsLoopback tells an address, a host with or without a port, that only this machine reaches.
func IsLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	ip, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

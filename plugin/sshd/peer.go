package sshd

import "bytes"

// maxUser is how many bytes of a user name sshd logs at most.
const maxUser = 100

// maxWords is how many bytes of a message stand before a name, behind what its rule begins with, at most.
const maxWords = 64

// address reads an IPv4 or IPv6 address at the start of s and returns it with what follows; nil when there is none. The
// colon that may follow an address is none of it.
func address(s []byte) (peer, after []byte) {
	end := bytes.IndexAny(s, " ,")
	if end < 0 {
		end = len(s)
	}
	if colons := end - len(bytes.TrimRight(s[:end], ":")); colons%2 == 1 { // 2001:db8:: has two of its own
		end--
	}
	return cleanAddress(s[:end]), s[end:]
}

// isAddress reports whether s looks like an IP address, with a zone or without.
func isAddress(s []byte) bool {
	if i := bytes.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	dots, colons := 0, 0
	for _, c := range s {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case c >= '0' && c <= '9':
		case c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
			if dots > 0 {
				return false
			}
			colons |= 1 << 8 // hexadecimal: IPv6 alone
		default:
			return false
		}
	}
	return len(s) >= 2 && len(s) <= 45 && (colons == 0 && dots == 3 || colons&0xff >= 2 && colons&0xff <= 8)
}

// cleanAddress is cleanPeer for where sshd never logs a name.
func cleanAddress(s []byte) []byte {
	if !isAddress(s) {
		return nil
	}
	return cleanPeer(s)
}

// cleanPeer checks an address or name and brings it to the one form in which all messages name a peer; nil for sshd's
// UNKNOWN and for what cannot be either.
func cleanPeer(s []byte) []byte {
	if i := bytes.IndexByte(s, '%'); i >= 0 {
		s = s[:i]
	}
	if v4, ok := cutString(s, "::ffff:"); ok && bytes.IndexByte(v4, '.') > 0 {
		s = v4
	}
	if len(s) == 0 || len(s) > 255 || string(s) == "UNKNOWN" {
		return nil
	}
	for _, c := range s {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '.' && c != ':' && c != '-' && c != '_' {
			return nil
		}
	}
	return s
}

// peerFirst reads an address that comes first.
func peerFirst(s []byte) []byte { return first(address(s)) }

// cutPort cuts ` port N`.
func cutPort(s []byte) (rest []byte, ok bool) {
	rest, ok = cutString(s, " port ")
	if !ok {
		return s, false
	}
	i := 0
	for i < len(rest) && rest[i] >= '0' && rest[i] <= '9' {
		i++
	}
	return rest[i:], i > 0
}

// trimPort cuts ` port N` from the end.
func trimPort(s []byte) (rest []byte, ok bool) {
	i := bytes.LastIndex(s, []byte(" port "))
	if i < 0 || !allDigits(s[i+len(" port "):]) {
		return s, false
	}
	return s[:i], true
}

// A log may be cut: BusyBox's syslogd ends a line after 256 bytes, sshd itself an identity of 512. Where a name that the
// peer chose reaches that end, what follows it is lost, and an address that stands in the name would be the last. A name
// of maxUser bytes of plain text leaves room for the rest; one of bytes that are written as \ooo takes up to four times
// as many, and in an identity a name may be of any length.
const (
	cutLine = 256
	// cutName and cutFrom are how much of such a line is left behind the longest time, tag and wording, for a name and for
	// an identity.
	cutName, cutFrom = 144, 158
	cutID            = 500
	mostBlanks       = 2 // that may end a line
)

// cutAnywhere tells of the length of an identity with a name in it whether it may be cut.
func cutAnywhere(length int) bool {
	return length >= cutFrom && length <= cutLine || length >= cutID
}

// cutInName tells whether a text that begins with a name of at most maxUser bytes may end within it.
func cutInName(s []byte) bool {
	if len(s) < cutName {
		return false
	}
	n := 0
	for i := 0; i < len(s); n++ {
		i += visLength(s[i:])
	}
	return n <= maxUser
}

// peerID reads what sshd identifies a connection by, up to the end of s: `ADDR`, `ADDR port N`, or either a `user U`,
// `invalid user U` or `authenticating user U` before the latter. The name is the peer's to choose, so the address is
// sought from the end.
func peerID(s []byte) []byte {
	length := len(s)
	s, ok := trimPort(s)
	if i := bytes.LastIndexByte(s, ' '); ok && i >= 0 { // a name
		if cutAnywhere(length) {
			return nil
		}
		s = s[i+1:]
	}
	return cleanAddress(s)
}

// peerIDReason reads such an identity with a colon and free text after it. When it begins with a user name, both that
// and the text may hold what looks like an address; if they do, none is taken.
func peerIDReason(s []byte) (peer []byte) {
	if peer, _ := address(s); peer != nil {
		return peer
	}
	if cutAnywhere(len(s)) {
		return nil
	}
	for i := 0; ; {
		n := bytes.Index(s[i:], []byte(" port "))
		if n < 0 {
			return peer
		}
		if rest, ok := cutPort(s[i+n:]); ok && len(rest) > 0 && rest[0] == ':' {
			word := cleanAddress(s[bytes.LastIndexByte(s[:i+n], ' ')+1 : i+n])
			if peer != nil && word != nil && !bytes.Equal(peer, word) {
				return nil
			}
			if word != nil {
				peer = word
			}
		}
		i += n + len(" port ")
	}
}

// peerFrom reads `... from ADDR`, `... from ADDR port N` or `... from ADDR port N ssh2`, up to the end of s. What is
// before the last `from` is the peer's to choose: a name, with words of sshd in front, or what it sent in place of one, in
// quotes.
func peerFrom(s []byte) []byte {
	head, name := s[:min(len(s), maxWords)], 0
	for _, words := range [...]string{"invalid user ", "illegal user "} {
		// The first of them are sshd's: a name may hold more of them, to look shorter than it is.
		if i := bytes.Index(head, []byte(words)); i >= 0 {
			head, name = head[:i], i+len(words)
		}
	}
	return peerBehind(s[name:], s)
}

// peerBehindName is peerFrom where s begins with the name.
func peerBehindName(s []byte) []byte { return peerBehind(s, s) }

// peerBehind reads the peer at the end of s behind a name, which reaches up to there.
func peerBehind(name, s []byte) []byte {
	if cutInName(name) || len(s) > 0 && s[0] == '\'' && cutAnywhere(len(s)) {
		return nil
	}
	s, port := trimPort(bytes.TrimSuffix(s, []byte(" ssh2")))
	if !port && len(name) >= cutName && len(name) <= cutLine {
		return nil // of the address, too, a part may be lost
	}
	if i := bytes.LastIndex(s, []byte(" from ")); i >= 0 {
		return cleanPeer(s[i+len(" from "):])
	}
	if rest, ok := cutString(s, "from "); ok { // the name was empty, and its space is part of the wording
		return cleanPeer(rest)
	}
	return nil
}

// peerTried reads `USER from ADDR port N ssh2[: KEY]`. The user name may imitate the rest, and so may the identity of
// a certificate in KEY, which the peer can issue itself, or the names of a host-based login there. The name has at most
// maxUser bytes, so the last match within these is the real one, unless a short name leaves room there for an imitation
// in KEY. Where such a KEY begins between two matches and ends behind the last, it cannot be told which of the two
// imitates, and none is taken. Behind the port ` ssh2` may be missing with ssh1 alone, which has no such KEY.
func peerTried(s []byte, ssh1 bool) (peer []byte) {
	if cutInName(s) {
		return nil
	}
	var after []byte // what follows the last match
	doubtful := false
	for i, length := 0, 0; i < len(s) && length <= maxUser; length++ {
		if rest, ok := cutString(s[i:], " from "); ok || i == 0 && hasString(s, "from ") {
			if !ok {
				rest = s[len("from "):]
			}
			if p, behind := triedAddress(rest, ssh1); p != nil {
				doubtful = doubtful || peer != nil && !bytes.Equal(peer, p) && beginsNames(after[:len(after)-len(s[i:])])
				peer, after = p, behind
			}
		}
		i += visLength(s[i:])
	}
	if string(after) != " ssh2" && len(s) >= cutName && len(s) <= cutLine && bytes.IndexByte(s, '\\') >= 0 {
		return nil // it may be cut behind the name, and the match be one within it
	}
	if doubtful && (bytes.Contains(after, []byte(" (serial ")) || bytes.Contains(after, []byte(`", client host "`))) {
		return nil
	}
	return peer
}

// beginsNames tells whether the text behind an address is of a key with names that the peer chose.
func beginsNames(text []byte) bool {
	key, ok := cutString(text, " ssh2: ")
	return ok && (bytes.Contains(key, []byte("-CERT ")) && bytes.Contains(key, []byte(" ID ")) || bytes.Contains(key, []byte(` client user "`)))
}

// peerAccepted is peerTried for a user whom sshd has let in: a name of the system's, which imitates nothing. So the first
// match is the real one, whatever a certificate's identity says.
func peerAccepted(s []byte) []byte {
	for i := bytes.Index(s, []byte(" from ")); i >= 0; {
		rest := s[i+len(" from "):]
		if peer, _ := triedAddress(rest, false); peer != nil {
			return peer
		}
		next := bytes.Index(rest, []byte(" from "))
		if next < 0 {
			break
		}
		i += len(" from ") + next
	}
	return nil
}

// triedAddress reads `ADDR port N`, followed by ` ssh2`, by ` ssh2: ` and more, or with ssh1 by nothing, and returns what
// follows the port as well.
func triedAddress(s []byte, ssh1 bool) (peer, behind []byte) {
	word, _ := cutWord(s)
	behind, ok := cutPort(s[len(word):])
	if !ok {
		return nil, nil
	}
	after, ok := cutString(behind, " ssh2")
	if !ok && !ssh1 || len(after) > 0 && !hasString(after, ": ") {
		return nil, nil
	}
	return cleanAddress(word), behind
}

// visLength is how many bytes of the log stand for the next one of a name: sshd writes bytes that are not plain as
// \ooo.
func visLength(s []byte) int {
	if s[0] != '\\' || len(s) < 2 {
		return 1
	}
	if len(s) >= 4 && allDigits(s[1:4]) {
		return 4
	}
	return 2
}

// peerNotAllowed reads `USER from HOST not allowed because ...`; the user is one of the system's.
func peerNotAllowed(s []byte) []byte {
	s, _, ok := bytes.Cut(s, []byte(" not allowed because "))
	if !ok {
		return nil
	}
	return peerFrom(s)
}

// peerSession reads `... from ADDR port N id M`.
func peerSession(s []byte) []byte {
	if i := bytes.LastIndex(s, []byte(" id ")); i >= 0 && allDigits(s[i+len(" id "):]) {
		s = s[:i]
	}
	return peerFrom(s)
}

// peerRefused reads `NAME (ADDR)` or `ADDR`.
func peerRefused(s []byte) []byte {
	if i := bytes.LastIndex(s, []byte(" (")); i >= 0 && s[len(s)-1] == ')' {
		s = s[i+2 : len(s)-1]
	}
	return cleanPeer(s)
}

// peerBracketed reads `N from [ADDR]:PORT on [ADDR]:PORT ...`.
func peerBracketed(s []byte) []byte {
	_, s, ok := bytes.Cut(s, []byte(" from ["))
	if !ok {
		return nil
	}
	s, _, _ = bytes.Cut(s, []byte("]"))
	return cleanAddress(s)
}

// peerReverse reads `NAME [ADDR] failed...`; the name comes from the peer's own zone.
func peerReverse(s []byte) []byte {
	end := bytes.LastIndex(s, []byte("] failed"))
	if end < 0 {
		return nil
	}
	return cleanAddress(s[bytes.LastIndexByte(s[:end], '[')+1 : end])
}

// peerNasty reads `"NAME" is set up for ADDR, ignoring`.
func peerNasty(s []byte) []byte {
	const before = " is set up for "
	i := bytes.LastIndex(s, []byte(before))
	if i < 0 {
		return nil
	}
	return cleanAddress(bytes.TrimSuffix(s[i+len(before):], []byte(", ignoring")))
}

// peerPAM reads what follows `authentication failure; `: `... rhost=ADDR  user=NAME`. What is before rhost= there is not
// the peer's to choose.
func peerPAM(s []byte) []byte {
	_, s, ok := bytes.Cut(s, []byte(" rhost="))
	if !ok {
		return nil
	}
	return cleanPeer(first(cutWord(s)))
}

// peerPAMModule reads `unix(sshd:auth): authentication failure; ... rhost=ADDR`. Other modules log a user's name, which
// may imitate the wording, after the service's.
func peerPAMModule(s []byte) []byte {
	module, s, _ := bytes.Cut(s, []byte("("))
	service, s, _ := bytes.Cut(s, []byte(":auth): "))
	s, ok := cutString(s, "authentication failure; ")
	if !ok || !isTag(module) || !isTag(service) {
		return nil
	}
	return peerPAM(s)
}

func first(word, _ []byte) []byte { return word }

// peerDropbear reads the address behind the last ` from `: `ADDR:PORT`, to the end of the line. The user's name, which
// the peer chooses, comes before it.
func peerDropbear(s []byte) []byte {
	i := bytes.LastIndex(s, []byte(" from "))
	if i < 0 {
		return nil
	}
	if s = s[i+len(" from "):]; bytes.IndexByte(s, '>') >= 0 {
		return nil // it is of a name, in a message without an address
	}
	return peerDropbearFirst(s)
}

// peerDropbearTries is peerDropbear for a message that has the name twice, so that the line may be cut at the second one.
func peerDropbearTries(s []byte) []byte {
	if len(s) >= cutName && len(s) <= cutLine {
		return nil
	}
	return peerDropbear(s)
}

// peerDropbearExit reads `USER) from <ADDR:PORT>: text`.
func peerDropbearExit(s []byte) []byte {
	before := []byte(" from <")
	i := bytes.Index(s, before)
	if i < 0 || i != bytes.LastIndex(s, before) || bytes.IndexByte(s[i:], '>') < 0 { // a name imitates it, or it is cut
		return nil
	}
	return peerDropbearFirst(s[i+len(before):])
}

// peerDropbearFirst reads `ADDR:PORT`, up to the end or to a `>`. An IPv6 address has no brackets there.
func peerDropbearFirst(s []byte) []byte {
	if i := bytes.IndexByte(s, '>'); i >= 0 {
		s = s[:i]
	}
	i := bytes.LastIndexByte(s, ':')
	if i < 0 || !allDigits(s[i+1:]) {
		return nil
	}
	return cleanAddress(bytes.Trim(s[:i], "[]"))
}

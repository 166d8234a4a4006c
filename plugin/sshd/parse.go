package sshd

import "bytes"

// Session is what one message tells of one SSH session. Peer and Host alias the arguments of Parse; Relation is one of
// a fixed set of texts and must not be written to.
type Session struct {
	Peer     []byte // the other side: an IPv4 or IPv6 address (no zone, no ::ffff: before IPv4), or a name where sshd logged one
	Host     []byte // the host that logged the message, nil when neither the record nor the message says
	Time     []byte // as the line has it, nil when it has none
	Relation []byte // outcome, and method or phase where there is one: "failed password", "invalid user", "closed preauth"
}

// Parse reads one sshd message or a whole syslog line: `Nov 30 06:39:00 host sshd[123]: message`, with an ISO 8601 time
// or one with the year in place of that one, with a facility and a level in front of the program, or RFC 5424, each with
// a <PRI> or without. ident and host come from the record's own fields and are nil, or "-", when it has none; a prefix in
// the message fills them in. ok is false if another program logged the message, if it has no peer's address, and if the
// address cannot be told from what the peer chose.
func Parse(message, ident, host []byte) (s Session, ok bool) {
	message = bytes.TrimRight(message, "\r\n\x00")
	whole := len(message)
	message = bytes.TrimRight(message, " \r\n\x00")
	if whole > cutName && whole-len(message) > mostBlanks {
		return Session{}, false // a name that the peer chose ends with them, and the line was cut there
	}
	p := splitSyslog(message)
	if len(ident) == 0 || isNil(ident) {
		ident = p.ident
	}
	if len(host) == 0 || isNil(host) {
		host = p.host
	}
	if len(ident) > 0 && !isSSHD(ident) {
		return Session{}, false
	}
	if len(host) == 0 {
		host = nil
	}
	peer, relation := parseMessage(p.message)
	if len(peer) == 0 {
		return Session{}, false
	}
	return Session{Peer: peer, Host: host, Time: p.time, Relation: relation}, true
}

// isSSHD reports whether the program is OpenSSH's server or Dropbear; since 9.8 and 10.0 its sessions and their
// authentication are programs of their own.
func isSSHD(ident []byte) bool {
	ident = ident[bytes.LastIndexByte(ident, '/')+1:]
	if i := bytes.IndexAny(ident, "[(:"); i >= 0 {
		ident = ident[:i]
	}
	switch string(ident) {
	case "sshd", "sshd-session", "sshd-auth", "dropbear":
		return true
	}
	return false
}

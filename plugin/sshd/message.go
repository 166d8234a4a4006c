package sshd

import "bytes"

// rule is one kind of message: how it begins, where the address is in the rest, and the relation that it stands for.
type rule struct {
	start    string
	peer     func(rest []byte) []byte // nil when there is none
	relation string
	phased   bool // the relation has " preauth" added when the peer had not yet authenticated
}

// rules are tried in order. Those that differ in their first words only are spelled out in full.
var rules = compile([]rule{
	{"Invalid user ", peerBehindName, "invalid user", false},
	{"Connection closed by ", peerID, "closed", true},
	{"Connection reset by ", peerID, "reset", true},
	{"Disconnected from ", peerID, "disconnected", true},
	{"Received disconnect from ", peerFirst, "disconnected", true},
	{"Disconnecting ", peerIDReason, "disconnected", true},
	{"Closing connection to ", peerID, "closed", true},
	{"Did not receive identification string from ", peerFirst, "no identification", false},
	{"Could not write ident string to ", peerFirst, "no identification", false},
	{"Bad protocol version identification ", peerFrom, "bad identification", false},
	{"Protocol major versions differ for ", peerFirst, "bad identification", false},
	{"banner exchange: Connection from ", peerFirst, "bad identification", false},
	{"scanned from ", peerFirst, "scanned", false},
	{"probed from ", peerFirst, "scanned", false},
	{"Unable to negotiate with ", peerIDReason, "no negotiation", false},
	{"maximum authentication attempts exceeded for ", peerFrom, "too many attempts", false},
	{"User ", peerNotAllowed, "denied user", false},
	{"ROOT LOGIN REFUSED FROM ", peerFirst, "denied user", false},
	{"administratively prohibited connection for ", peerFrom, "refused", false},
	{"refused connect from ", peerRefused, "refused", false},
	{"drop connection #", peerBracketed, "refused", false},
	{"reverse mapping checking getaddrinfo for ", peerReverse, "reverse mapping", false},
	{"Address ", peerFirst, "reverse mapping", false},
	{"Nasty PTR record ", peerNasty, "reverse mapping", false},
	{"Timeout before authentication for connection from ", peerFirst, "timeout preauth", false},
	{"Timeout before authentication for ", peerFirst, "timeout preauth", false},
	{"Timeout, client not responding from ", peerID, "timeout", true},
	{"terminating inactive connection from ", peerID, "timeout", true},
	{"Read error from remote host ", peerFirst, "reset", true},
	{"Starting session: ", peerSession, "session opened", false},
	{"Close session: ", peerSession, "session closed", false},
	// Dropbear's. The user's name stands before the address, which ends the line.
	{"Password auth succeeded for ", peerDropbear, "accepted password", false},
	{"PAM password auth succeeded for ", peerDropbear, "accepted password", false},
	{"Pubkey auth succeeded for ", peerDropbear, "accepted publickey", false},
	{"Auth succeeded with blank password for ", peerDropbear, "accepted none", false},
	{"Bad password attempt for ", peerDropbear, "failed password", false},
	{"Bad PAM password attempt for ", peerDropbear, "failed password", false},
	{"Login attempt for nonexistent user", peerDropbear, "invalid user", false},
	{"Child connection from ", peerDropbearFirst, "connection", false},
	{"Exit before auth from <", peerDropbearFirst, "closed preauth", false},
	{"Exit before auth (", peerDropbearTries, "closed preauth", false},
	{"Exit (", peerDropbearExit, "closed", false},

	{"PAM: ", peerFrom, "failed pam", false},
	{"PAM ", peerPAM, "failed pam", false},
	{"authentication failure; ", peerPAM, "failed pam", false},
	{"pam_", peerPAMModule, "failed pam", false},
})

// compiledRule has the relation as the bytes that Parse returns, before and after authentication.
type compiledRule struct {
	start         string
	peer          func(rest []byte) []byte
	late, preauth []byte
}

func compile(rules []rule) []compiledRule {
	var out []compiledRule
	for _, r := range rules {
		c := compiledRule{r.start, r.peer, []byte(r.relation), []byte(r.relation)}
		if r.phased {
			c.preauth = []byte(r.relation + " preauth")
		}
		out = append(out, c)
	}
	return out
}

// Relations of the messages about an authentication method, and of those that begin with `Connection from`.
var (
	outcomes = []string{"Accepted", "Failed", "Postponed", "Partial"}
	methods  = []string{"password", "publickey", "none", "keyboard-interactive", "gssapi-with-mic", "hostbased", "other"}
	tried    = func() (t [4][7][]byte) {
		for i, o := range outcomes {
			for j, m := range methods {
				t[i][j] = append(bytes.ToLower([]byte(o)), " "+m...)
			}
		}
		return t
	}()
	connection     = []byte("connection")
	protocolError  = []byte("protocol error")
	timeout        = []byte("timeout")
	timeoutPreauth = []byte("timeout preauth")
)

// parseMessage returns a nil peer when the message has none.
func parseMessage(m []byte) (peer, relation []byte) {
	m = unwrap(m)
	m, preauth := bytes.CutSuffix(m, []byte(" [preauth]"))
	for i, o := range outcomes {
		if rest, ok := cutString(m, o); ok && len(rest) > 0 && rest[0] == ' ' {
			return parseTried(rest[1:], i)
		}
	}
	for i := range rules {
		r := &rules[i]
		rest, ok := cutString(m, r.start)
		if !ok {
			continue
		}
		relation = r.late
		if preauth || hasString(rest, "invalid user ") || hasString(rest, "authenticating") {
			relation = r.preauth
		}
		return r.peer(rest), relation
	}
	if rest, ok := cutString(m, "Connection from "); ok {
		return parseConnection(rest, preauth)
	}
	// Errors of the transport begin with the name of the function that met them.
	if tag, rest, ok := bytes.Cut(m, []byte(": Connection from ")); ok && isTag(tag) {
		return parseConnection(rest, preauth)
	}
	return nil, nil
}

// unwrap takes away what rsyslog and sshd's log levels put around a message.
func unwrap(m []byte) []byte {
	if rest, ok := cutString(m, "message repeated "); ok {
		if _, inner, ok := bytes.Cut(rest, []byte(" times: [ ")); ok {
			m = bytes.TrimSuffix(inner, []byte("]"))
		}
	}
	for _, level := range [...]string{"error: ", "fatal: "} {
		if rest, ok := cutString(m, level); ok {
			return rest
		}
	}
	return m
}

// parseTried reads `METHOD for [invalid user ]USER from ADDR port N ssh2[: KEY]`.
func parseTried(rest []byte, outcome int) (peer, relation []byte) {
	method, rest := cutWord(rest)
	rest, ok := cutString(rest, "for ")
	if !ok {
		return nil, nil
	}
	if i := bytes.IndexByte(method, '/'); i >= 0 { // keyboard-interactive/pam
		method = method[:i]
	}
	m := len(methods) - 1
	for i, known := range methods {
		if string(method) == known {
			m = i
		}
	}
	if name, ok := cutString(rest, "invalid user "); ok {
		rest = name
	}
	if outcomes[outcome] == "Accepted" && methods[m] == "publickey" {
		return peerAccepted(rest), tried[outcome][m]
	}
	// Methods of the first protocol have other names, and only a user who exists is let in by one.
	ssh1 := outcomes[outcome] == "Accepted" && methods[m] == "other"
	return peerTried(rest, ssh1), tried[outcome][m]
}

// parseConnection reads what follows `Connection from`: `ADDR port N on ...`, `ID timed out` or `ID: error`.
func parseConnection(rest []byte, preauth bool) (peer, relation []byte) {
	if id, ok := bytes.CutSuffix(rest, []byte(" timed out")); ok {
		if preauth || hasString(rest, "invalid user ") || hasString(rest, "authenticating") {
			return peerID(id), timeoutPreauth
		}
		return peerID(id), timeout
	}
	if peer, after := address(rest); peer != nil {
		if after, ok := cutPort(after); ok && (len(after) == 0 || hasString(after, " on ")) {
			return peer, connection
		}
		return peer, protocolError
	}
	return peerIDReason(rest), protocolError
}

// isTag reports whether s is a function's name.
func isTag(s []byte) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return len(s) > 0
}

func hasString(s []byte, start string) bool {
	return len(s) >= len(start) && string(s[:len(start)]) == start
}

func cutString(s []byte, start string) (rest []byte, ok bool) {
	if !hasString(s, start) {
		return s, false
	}
	return s[len(start):], true
}

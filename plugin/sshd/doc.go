// Package sshd understands the messages of OpenSSH's sshd and of Dropbear: from which peer, at which host, with what
// outcome.
//
// It owns the wording of OpenSSH 5 to 10 and the prefixes that syslog puts before it. User names, key identities and
// banners inside the messages are the peer's to choose and may imitate the rest of a line, so each wording says where
// its address can be trusted to stand. It knows nothing of msgpack, records or graphs.
package sshd

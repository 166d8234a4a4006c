// Package sshd parses the log messages of OpenSSH's sshd and of Dropbear: it finds the peer, the host and the outcome.
//
// It owns the wording of OpenSSH 5 to 10 and the prefixes that syslog puts before it. User names, key identities and
// banners inside the messages are chosen by the peer and may imitate the rest of a line, so each rule says where the
// address can be trusted. It knows nothing of msgpack, records or graphs.
package sshd

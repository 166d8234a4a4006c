package sshd

import (
	"maps"
	"regexp"
	"strings"
	"testing"
	"unsafe"

	"flb-filter-rgcn/build/samples"
)

// parse returns peer, host and relation, or "" three times.
func parse(message, ident, host string) [3]string {
	s, _ := Parse([]byte(message), []byte(ident), []byte(host))
	return [3]string{string(s.Peer), string(s.Host), string(s.Relation)}
}

// lines returns the lines of a host's authentication log: a real one's where it is at hand, behind those that the
// project made itself.
func lines(t testing.TB) []string {
	t.Helper()
	b := samples.Own(t, samples.OwnSshd)
	if _, ok := samples.Find(samples.Sshd); ok {
		b = append(b, samples.Unpacked(t, samples.Sshd)...)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// TestOwnLog: the wordings of the log that the project made, each as often as it stands there.
func TestOwnLog(t *testing.T) {
	counts := map[string]int{}
	sessions := 0
	for line := range strings.Lines(string(samples.Own(t, samples.OwnSshd))) {
		got := parse(strings.TrimSuffix(line, "\n"), "", "")
		if got[0] == "" {
			continue
		}
		sessions++
		if got[1] != "bastion-1" || !strings.Contains(line, got[0]) {
			t.Fatalf("%s: %q", line, got)
		}
		counts[got[2]]++
	}
	want := map[string]int{
		"accepted publickey": 7, "failed password": 15, "failed pam": 7, "too many attempts": 7, "invalid user": 8, "no identification": 8,
		"reverse mapping": 7, "closed preauth": 15, "disconnected": 14, "disconnected preauth": 14,
	}
	if sessions != 102 || !maps.Equal(counts, want) {
		t.Errorf("%d sessions of %v, want 102 of %v", sessions, counts, want)
	}
}

func TestRealLog(t *testing.T) {
	isSSHD, hasAddress := regexp.MustCompile(` sshd\[\d+\]: `), regexp.MustCompile(`\d+\.\d+\.\d+\.\d+`)
	counts := map[string]int{}
	sshd, sessions := 0, 0
	for line := range strings.Lines(string(samples.Unpacked(t, samples.Sshd))) {
		line = strings.TrimSuffix(line, "\n")
		got := parse(line, "", "")
		if !isSSHD.MatchString(line) {
			if got[0] != "" {
				t.Fatalf("%s: not sshd's, yet %q", line, got)
			}
			continue
		}
		sshd++
		if got[0] == "" {
			if hasAddress.MatchString(line) {
				t.Errorf("%s: has an address, yet no session", line)
			}
			continue
		}
		sessions++
		if got[1] != "ip-172-31-27-153" || hasAddress.FindString(line) != got[0] && got[2] != "reverse mapping" {
			t.Fatalf("%s: %q", line, got)
		}
		counts[got[2]]++
	}
	if sshd != 10449 || sessions != 8726 {
		t.Errorf("%d of %d sshd lines are sessions, want 8726 of 10449", sessions, sshd)
	}
	want := map[string]int{
		"disconnected preauth": 6377, "invalid user": 1489, "no identification": 706, "reverse mapping": 88, "closed preauth": 66,
	}
	for relation, n := range want {
		if counts[relation] != n {
			t.Errorf("%s: %d, want %d", relation, counts[relation], n)
		}
	}
	if len(counts) != len(want) {
		t.Errorf("relations %v, want those of %v", counts, want)
	}
}

func TestMessages(t *testing.T) {
	for message, want := range map[string]string{ // peer, then relation
		"Accepted password for root from 10.0.0.1 port 5022 ssh2":                                                   "10.0.0.1 accepted password",
		"Password auth succeeded for 'root' from 10.0.0.1:5022":                                                     "10.0.0.1 accepted password",
		"Pubkey auth succeeded for 'root' with ssh-ed25519 key SHA256:x from 2001:db8::1:5022":                      "2001:db8::1 accepted publickey",
		"PAM password auth succeeded for 'a' from 10.0.0.1:1":                                                       "10.0.0.1 accepted password",
		"Bad password attempt for 'x from 6.6.6.6:1' from 10.0.0.1:5022":                                            "10.0.0.1 failed password",
		"Login attempt for nonexistent user from 10.0.0.1:5022":                                                     "10.0.0.1 invalid user",
		"Child connection from 10.0.0.1:5022":                                                                       "10.0.0.1 connection",
		"Child connection from [2001:db8::1]:5022":                                                                  "2001:db8::1 connection",
		"Exit before auth from <10.0.0.1:5022>: (user 'root', 0 fails): Exited normally":                            "10.0.0.1 closed preauth",
		"Exit before auth (user 'root', 3 fails): Max auth tries reached - user 'root' from 10.0.0.1:5022":          "10.0.0.1 closed preauth",
		"Exit (root) from <10.0.0.1:5022>: Disconnect received":                                                     "10.0.0.1 closed",
		"Exit (x from <6.6.6.6:1>) from <10.0.0.1:5022>: Disconnect received":                                       "",
		"Exit (root): Disconnect received":                                                                          "",
		"Accepted publickey for root from 2001:db8::1 port 5022 ssh2: ED25519 SHA256:abc":                           "2001:db8::1 accepted publickey",
		"Accepted publickey for u from 10.0.0.1 port 1 ssh2: RSA-CERT SHA256:a ID me (serial 7) CA RSA SHA256:b":    "10.0.0.1 accepted publickey",
		"Accepted rsa for u from 10.0.0.1 port 1":                                                                   "10.0.0.1 accepted other",
		"Accepted gssapi-with-mic for u from 10.0.0.1 port 1 ssh2: u@REALM":                                         "10.0.0.1 accepted gssapi-with-mic",
		"Accepted hostbased for u from 10.0.0.1 port 1 ssh2":                                                        "10.0.0.1 accepted hostbased",
		"Failed none for invalid user admin from 10.0.0.1 port 1 ssh2":                                              "10.0.0.1 failed none",
		"Failed password for invalid user  from 10.0.0.1 port 1 ssh2":                                               "10.0.0.1 failed password",
		"Failed keyboard-interactive/pam for root from 10.0.0.1 port 1 ssh2":                                        "10.0.0.1 failed keyboard-interactive",
		"Failed password for root from fe80::1%eth0 port 1 ssh2":                                                    "fe80::1 failed password",
		"Failed password for root from UNKNOWN port 65535 ssh2":                                                     "",
		"Postponed publickey for root from 10.0.0.1 port 1 ssh2 [preauth]":                                          "10.0.0.1 postponed publickey",
		"Partial publickey for root from 10.0.0.1 port 1 ssh2: RSA SHA256:x":                                        "10.0.0.1 partial publickey",
		"message repeated 5 times: [ Failed password for root from 10.0.0.1 port 1 ssh2]":                           "10.0.0.1 failed password",
		"Failed to allocate internet-domain X11 display socket.":                                                    "",
		"Accepted key RSA SHA256:x found at /home/u/.ssh/authorized_keys:1":                                         "",
		"Invalid user admin from 10.0.0.1":                                                                          "10.0.0.1 invalid user",
		"Invalid user  from 10.0.0.1 port 4":                                                                        "10.0.0.1 invalid user",
		"Invalid user admin from 10.0.0.1 port 4 [preauth]":                                                         "10.0.0.1 invalid user",
		"input_userauth_request: invalid user admin from 10.0.0.1 [preauth]":                                        "",
		"User root from 10.0.0.1 not allowed because not listed in AllowUsers":                                      "10.0.0.1 denied user",
		"User root from host-1.example not allowed because listed in DenyUsers":                                     "host-1.example denied user",
		"User child is on pid 4":                                                                                    "",
		"ROOT LOGIN REFUSED FROM 10.0.0.1 port 4":                                                                   "10.0.0.1 denied user",
		"error: maximum authentication attempts exceeded for invalid user a b from 10.0.0.1 port 4 ssh2 [preauth]":  "10.0.0.1 too many attempts",
		"Connection closed by 10.0.0.1 [preauth]":                                                                   "10.0.0.1 closed preauth",
		"Connection closed by 10.0.0.1":                                                                             "10.0.0.1 closed",
		"Connection closed by 10.0.0.1 port 4 [preauth]":                                                            "10.0.0.1 closed preauth",
		"Connection closed by 10.0.0.1 port 4":                                                                      "10.0.0.1 closed",
		"Connection closed by authenticating user root 10.0.0.1 port 4 [preauth]":                                   "10.0.0.1 closed preauth",
		"Connection closed by authenticatinguser root 10.0.0.1 port 4":                                              "10.0.0.1 closed preauth",
		"Connection closed by invalid user  10.0.0.1 port 4 [preauth]":                                              "10.0.0.1 closed preauth",
		"Connection closed by remote host.":                                                                         "",
		"fatal: Read from socket failed: Connection reset by peer [preauth]":                                        "",
		"kex_exchange_identification: Connection closed by remote host":                                             "",
		"Connection reset by 10.0.0.1 port 4 [preauth]":                                                             "10.0.0.1 reset preauth",
		"Connection reset by user root 2001:db8::1 port 4":                                                          "2001:db8::1 reset",
		"Read error from remote host 10.0.0.1 port 4: Connection timed out":                                         "10.0.0.1 reset",
		"Received disconnect from 10.0.0.1: 11: Bye Bye [preauth]":                                                  "10.0.0.1 disconnected preauth",
		"Received disconnect from 2001:db8::1: 11: Bye Bye [preauth]":                                               "2001:db8::1 disconnected preauth",
		"Received disconnect from 2001:db8::: 11: ":                                                                 "2001:db8:: disconnected",
		"Received disconnect from 10.0.0.1 port 4:11: disconnected by user":                                         "10.0.0.1 disconnected",
		"error: Received disconnect from 10.0.0.1: 3: com.jcraft.jsch.JSchException: Auth fail [preauth]":           "10.0.0.1 disconnected preauth",
		"Disconnected from 10.0.0.1 port 4":                                                                         "10.0.0.1 disconnected",
		"Disconnected from user root 10.0.0.1 port 4":                                                               "10.0.0.1 disconnected",
		"Disconnected from invalid user ubnt 10.0.0.1 port 4 [preauth]":                                             "10.0.0.1 disconnected preauth",
		"Disconnecting authenticating user root 10.0.0.1 port 4: Too many authentication failures [preauth]":        "10.0.0.1 disconnected preauth",
		"Disconnecting 10.0.0.1 port 4: Protocol error":                                                             "10.0.0.1 disconnected",
		"Disconnecting: Too many authentication failures for root [preauth]":                                        "",
		"Closing connection to 10.0.0.1 port 4":                                                                     "10.0.0.1 closed",
		"Did not receive identification string from 10.0.0.1":                                                       "10.0.0.1 no identification",
		"Did not receive identification string from 10.0.0.1 port 4":                                                "10.0.0.1 no identification",
		"Could not write ident string to UNKNOWN":                                                                   "",
		"Could not write ident string to 10.0.0.1 port 4":                                                           "10.0.0.1 no identification",
		`Bad protocol version identification '\026\003\001' from 10.0.0.1 port 4`:                                   "10.0.0.1 bad identification",
		"Bad protocol version identification 'GET / HTTP/1.1' from 10.0.0.1":                                        "10.0.0.1 bad identification",
		"Protocol major versions differ for 10.0.0.1 port 4: SSH-2.0-OpenSSH_8.0 vs. SSH-1.5-x":                     "10.0.0.1 bad identification",
		"banner exchange: Connection from 10.0.0.1 port 4: invalid format":                                          "10.0.0.1 bad identification",
		"error: kex_exchange_identification: banner line contains invalid characters":                               "",
		"scanned from 10.0.0.1 port 4 with SSH-1.0-SSH_Version_Mapper.  Don't panic.":                               "10.0.0.1 scanned",
		"Unable to negotiate with 10.0.0.1 port 4: no matching cipher found. Their offer: a,b [preauth]":            "10.0.0.1 no negotiation",
		"fatal: Unable to negotiate with 10.0.0.1: no matching host key type found. Their offer: ssh-dss [preauth]": "10.0.0.1 no negotiation",
		"refused connect from host.example (10.0.0.1)":                                                              "10.0.0.1 refused",
		"refused connect from ::ffff:10.0.0.1 (::ffff:10.0.0.1)":                                                    "10.0.0.1 refused",
		"refused connect from 10.0.0.1":                                                                             "10.0.0.1 refused",
		"drop connection #10 from [10.0.0.1]:4 on [10.0.0.2]:22 past MaxStartups":                                   "10.0.0.1 refused",
		"administratively prohibited connection for invalid user x from 10.0.0.1 port 4":                            "10.0.0.1 refused",
		"reverse mapping checking getaddrinfo for a.example [10.0.0.1] failed - POSSIBLE BREAK-IN ATTEMPT!":         "10.0.0.1 reverse mapping",
		"reverse mapping checking getaddrinfo for a.example [10.0.0.1] failed.":                                     "10.0.0.1 reverse mapping",
		"Address 10.0.0.1 maps to a.example, but this does not map back to the address.":                            "10.0.0.1 reverse mapping",
		`Nasty PTR record "10.0.0.2" is set up for 10.0.0.1, ignoring`:                                              "10.0.0.1 reverse mapping",
		"fatal: Timeout before authentication for 10.0.0.1 port 4":                                                  "10.0.0.1 timeout preauth",
		"Timeout before authentication for connection from 10.0.0.1 to 10.0.0.2, pid = 77":                          "10.0.0.1 timeout preauth",
		"Timeout, client not responding from user root 10.0.0.1 port 4":                                             "10.0.0.1 timeout",
		"Connection from 10.0.0.1 port 4 on 10.0.0.2 port 22":                                                       "10.0.0.1 connection",
		`Connection from 10.0.0.1 port 4 on 10.0.0.2 port 22 rdomain "1"`:                                           "10.0.0.1 connection",
		"Connection from 10.0.0.1 port 4":                                                                           "10.0.0.1 connection",
		"Connection from 10.0.0.1 port 4 timed out [preauth]":                                                       "10.0.0.1 timeout preauth",
		"Connection from authenticating user root 10.0.0.1 port 4 timed out":                                        "10.0.0.1 timeout preauth",
		"Connection from user root 10.0.0.1 port 4 timed out":                                                       "10.0.0.1 timeout",
		"ssh_dispatch_run_fatal: Connection from 10.0.0.1 port 4: message authentication code incorrect [preauth]":  "10.0.0.1 protocol error",
		"ssh_dispatch_run_fatal: Connection from user root 10.0.0.1 port 4: Broken pipe":                            "10.0.0.1 protocol error",
		"Starting session: shell on pts/0 for root from 10.0.0.1 port 4 id 0":                                       "10.0.0.1 session opened",
		"Close session: user root from 10.0.0.1 port 4 id 0":                                                        "10.0.0.1 session closed",
		"error: PAM: Authentication failure for illegal user x from 10.0.0.1":                                       "10.0.0.1 failed pam",
		"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1  user=x":  "10.0.0.1 failed pam",
		"pam_unix(sshd-ldap:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1":     "",
		"pam_sss(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1 user=x":    "10.0.0.1 failed pam",
		"PAM 5 more authentication failures; logname= uid=0 euid=0 tty=ssh ruser= rhost=h.example":                  "h.example failed pam",
		"pam_unix(sshd:session): session opened for user root by (uid=0)":                                           "",
		"Server listening on 0.0.0.0 port 22.":                                                                      "",
		"Address already in use":                                                                                    "",
		"":                                                                                                          "",
		"Accepted":                                                                                                  "",
		"Accepted password":                                                                                         "",
		"Invalid user ":                                                                                             "",
		"Connection closed by ":                                                                                     "",
	} {
		got := parse(message, "", "")
		if s := strings.TrimSpace(got[0] + " " + got[2]); s != want {
			t.Errorf("%s\n\tgot  %q\n\twant %q", message, s, want)
		}
	}
}

// Nothing that the peer chooses (name, key, banner, algorithms) may put another address in place of its own. 6.6.6.6 is
// the false one.
func TestHostile(t *testing.T) {
	const real = "10.0.0.1"
	key := ": ED25519-CERT SHA256:" + strings.Repeat("a", 43) + " ID "
	names := []string{
		"from 6.6.6.6", "x from 6.6.6.6", " from 6.6.6.6", "x from 6.6.6.6 port 1", "x from 6.6.6.6 port 1 ssh2", "x from 6.6.6.6 port 1 ssh2: y",
		"x 6.6.6.6 port 1", "6.6.6.6 port 1", "6.6.6.6", "x from 6.6.6.6 port 1 ssh2" + key, "invalid user x from 6.6.6.6", "x [preauth]",
		"x 6.6.6.6 port 1 timed out", "] from 6.6.6.6", "x not allowed because from 6.6.6.6", strings.Repeat("\\303\\244", 50), "a\\\\b",
		"x rhost=6.6.6.6", "x id 6", "x from 6.6.6.6 port 1 id 2", "10.0.0.1 port 4", "", " ",
	}
	for _, name := range names {
		for _, wording := range []string{
			"Failed password for USER from 10.0.0.1 port 4 ssh2",
			"Failed password for invalid user USER from 10.0.0.1 port 4 ssh2",
			"Failed publickey for invalid user USER from 10.0.0.1 port 4 ssh2: RSA SHA256:" + strings.Repeat("b", 43),
			"Invalid user USER from 10.0.0.1",
			"Invalid user USER from 10.0.0.1 port 4",
			"error: maximum authentication attempts exceeded for invalid user USER from 10.0.0.1 port 4 ssh2 [preauth]",
			"Connection closed by invalid user USER 10.0.0.1 port 4 [preauth]",
			"Connection reset by authenticating user USER 10.0.0.1 port 4 [preauth]",
			"Disconnected from invalid user USER 10.0.0.1 port 4 [preauth]",
			"Connection from invalid user USER 10.0.0.1 port 4 timed out",
			"Bad protocol version identification 'USER' from 10.0.0.1 port 4",
			"Unable to negotiate with 10.0.0.1 port 4: no matching cipher found. Their offer: USER [preauth]",
			"Received disconnect from 10.0.0.1 port 4:11: USER [preauth]",
			"Received disconnect from 10.0.0.1: 11: USER",
			"Protocol major versions differ for 10.0.0.1 port 4: SSH-2.0-OpenSSH_8.0 vs. USER",
			"reverse mapping checking getaddrinfo for USER [10.0.0.1] failed.",
			`Nasty PTR record "USER" is set up for 10.0.0.1, ignoring`,
			"error: PAM: Authentication failure for illegal user USER from 10.0.0.1",
			"pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=10.0.0.1  user=USER",
		} {
			message := strings.ReplaceAll(wording, "USER", name)
			if got := parse(message, "sshd", "h"); got[0] != real {
				t.Errorf("%s\n\tpeer %q, want %s", message, got[0], real)
			}
		}
	}
	// Of Dropbear some messages have no address behind the name: then there is none.
	for _, name := range append(names, "x from <6.6.6.6:1>", "x from 6.6.6.6:1", "x from 6.6.6.6:1>", "x' from <6.6.6.6:1>: ", "x) from <6.6.6.6:1>: y") {
		for wording, want := range map[string]string{
			"Bad password attempt for 'USER' from 10.0.0.1:5022":                                               real,
			"Bad PAM password attempt for 'USER' from 10.0.0.1:5022":                                           real,
			"Exit before auth from <10.0.0.1:5022>: (user 'USER', 3 fails): Max auth tries reached":            real,
			"Exit before auth (user 'USER', 3 fails): Max auth tries reached - user 'USER' from 10.0.0.1:5022": real,
			"Exit before auth (user 'USER', 0 fails): Exited normally":                                         "",
			"Exit before auth (user 'USER', 0 fails): Error reading: Connection reset by peer":                 "",
			"Exit (root) from <10.0.0.1:5022>: Disconnect received":                                            real,
			"Pubkey auth succeeded for 'root' with ssh-ed25519 key SHA256:x from 10.0.0.1:5022":                real,
		} {
			message := strings.ReplaceAll(wording, "USER", name)
			if got := parse(message, "dropbear", "h"); got[0] != want {
				t.Errorf("%s\n\tpeer %q, want %q", message, got[0], want)
			}
		}
	}
	// The line of BusyBox's syslogd is cut where the second name ends.
	for n := range 100 {
		name := strings.Repeat("x", n) + "' from 6.6.6.6:1"
		line := "Nov 30 06:39:00 router authpriv.info dropbear[1]: Exit before auth (user '" + name + "', 3 fails): Max auth tries reached - user '" + name + "' from 10.0.0.1:5022"
		if got := parse(line[:min(len(line), 256)], "", ""); got[0] != "" && got[0] != real {
			t.Errorf("a name of %d bytes: peer %q", len(name), got[0])
		}
	}
	for _, id := range []string{"x from 6.6.6.6 port 1 ssh2", " from 6.6.6.6 port 1 ssh2: RSA SHA256:x"} {
		message := "Failed publickey for invalid user someone from 10.0.0.1 port 54022 ssh2" + key + id + " (serial 0) CA RSA SHA256:x"
		if got := parse(message, "", ""); got[0] != real {
			t.Errorf("%s\n\tpeer %q, want %s", message, got[0], real)
		}
	}
	// A short name leaves room for an imitation in the identity of a certificate: whose is whose cannot be told. Nor do
	// modules of PAM that log a name where another logs the address tell of a session.
	for _, message := range []string{
		"Failed publickey for root from 1.2.3.4 port 50000 ssh2: RSA-CERT SHA256:" + strings.Repeat("a", 43) + " ID  from 6.6.6.6 port 4 ssh2: (serial 0) CA RSA SHA256:x",
		"Accepted hostbased for root from 1.2.3.4 port 50000 ssh2: RSA SHA256:" + strings.Repeat("a", 20) + `, client user "x from 6.6.6.6 port 4 ssh2: ", client host "h"`,
		"pam_sss(sshd:auth): received for user x(sshd:auth): authentication failure;  rhost=6.6.6.6 : 10 (User not known to the underlying authentication module)",
		"pam_succeed_if(sshd:auth): error retrieving information about user x(sshd:auth): authentication failure;  rhost=6.6.6.6",
	} {
		if got := parse(message, "sshd", "h"); got[0] != "" {
			t.Errorf("%s\n\tpeer %q, want none", message, got[0])
		}
	}
	// Where the name stands before the address and free text after it, a name that imitates both leaves no telling them
	// apart.
	for _, message := range []string{
		"Disconnecting invalid user x 6.6.6.6 port 1: y 10.0.0.1 port 4: Too many authentication failures [preauth]",
		"Unable to negotiate with invalid user x 10.0.0.1 port 4: no matching cipher found. Their offer: 6.6.6.6 port 1: [preauth]",
	} {
		if got := parse(message, "", ""); got[0] != "" {
			t.Errorf("%s\n\tpeer %q, want none", message, got[0])
		}
	}
}

// A line that was cut may end within a name that its peer chose, with a false address as its last. Nothing tells what
// followed, so no peer is taken, wherever the cut is.
func TestCutLines(t *testing.T) {
	const real = "203.0.113.66"
	vis := func(n int) string { return strings.Repeat(`\377`, n) }
	for wording, c := range map[string]struct{ before, after, least string }{
		"Failed password for invalid user USER from 203.0.113.66 port 40000 ssh2":                                           {" from 6.6.6.6 port 2", " ssh2", " from 6.6.6.6 port 22 ssh2: "},
		"Failed keyboard-interactive/pam for invalid user USER from 203.0.113.66 port 40000 ssh2":                           {" from 6.6.6.6 port 2", " ssh2", " from 6.6.6.6 port 22 ssh2: "},
		"Invalid user USER from 203.0.113.66 port 40000":                                                                    {" from 6.6.6.6 port 2", "", " from 6.6.6.6"},
		"error: maximum authentication attempts exceeded for invalid user USER from 203.0.113.66 port 40000 ssh2 [preauth]": {" from 6.6.6.6 port 2", " ssh2", " from 6.6.6.6 port 22"},
		"error: PAM: Authentication failure for illegal user USER from 203.0.113.66":                                        {" from 6.6.6.6", "", " from 6.6.6.6"},
		"Connection closed by invalid user USER 203.0.113.66 port 40000 [preauth]":                                          {" 6.6.6.6 port 2", " [preauth]", " 6.6.6.6 port 2"},
		"ssh_dispatch_run_fatal: Connection from invalid user USER 203.0.113.66 port 40000: Broken pipe [preauth]":          {" 6.6.6.6 port 2", ": y [preauth]", " 6.6.6.6 port 2: y"},
		"Disconnecting invalid user USER 203.0.113.66 port 40000: Too many authentication failures [preauth]":               {" 6.6.6.6 port 2", ": y [preauth]", " 6.6.6.6 port 2: y"},
		"Bad protocol version identification 'USER' from 203.0.113.66 port 40000":                                           {" from 6.6.6.6 port 2", "", " from 6.6.6.6"},
		"Failed publickey for invalid user USER from 203.0.113.66 port 40000 ssh2: RSA SHA256:" + strings.Repeat("b", 43):   {" from 6.6.6.6 port 2", " ssh2", " from 6.6.6.6 port 22 ssh2: "},
	} {
		for _, tag := range []string{"sshd[1]: ", "sshd-session[4194304]: "} {
			for n := range 60 {
				for _, name := range []string{
					vis(n) + c.before + strings.Repeat("2", max(0, 100-n-len(c.before)-len(c.after))) + c.after,
					vis(n) + c.least + strings.Repeat(" ", max(0, 100-n-len(c.least))),
					vis(n) + c.least + strings.Repeat("y", max(0, 100-n-len(c.least))),
				} {
					line := "<38>Nov 30 06:39:00 " + tag + strings.ReplaceAll(wording, "USER", name)
					for _, length := range []int{len(line), 256, 255} {
						cut := strings.TrimPrefix(line[:min(length, len(line))], "<38>Nov 30 06:39:00 "+tag)
						if got := parse("Nov 30 06:39:00 alpine auth.info "+tag+cut, "", ""); got[0] != "" && got[0] != real {
							t.Fatalf("%d bytes: %s\n\tpeer %q", length, cut, got[0])
						}
						if got := parse(cut, "sshd", "h"); got[0] != "" && got[0] != real {
							t.Fatalf("%d bytes, a record's: %s\n\tpeer %q", length, cut, got[0])
						}
					}
				}
			}
		}
	}
	// sshd itself cuts an identity.
	for n := 440; n < 520; n++ {
		id := "invalid user " + strings.Repeat("x", n) + " 6.6.6.6 port " + strings.Repeat("2", 100)
		if got := parse("Connection closed by "+id[:511]+" [preauth]", "sshd", "h"); got[0] != "" {
			t.Fatalf("%d: peer %q", n, got[0])
		}
	}
	// What is long, and not within the name, is read.
	for _, message := range []string{
		"Failed password for invalid user " + strings.Repeat(`\320\260`, 12) + " from 203.0.113.66 port 40000 ssh2",
		"Invalid user " + vis(100) + " from 203.0.113.66 port 40000",
		"Invalid user " + vis(20) + strings.Repeat("x", 80) + " from 203.0.113.66 port 40000",
		"Failed password for invalid user " + vis(20) + " from 6.6.6.6 port 22" + strings.Repeat("x", 59) + " from 203.0.113.66 port 40000 ssh2",
		"Disconnecting authenticating user webmaster 203.0.113.66 port 40000: Change of username or service not allowed: (webmaster,ssh-connection) -> (oracle,ssh-connection) [preauth]",
	} {
		if got := parse(message, "sshd", "h"); got[0] != real {
			t.Errorf("%s\n\tpeer %q", message, got[0])
		}
	}
	// A line of the second protocol says so.
	for _, message := range []string{"Failed password for x from 6.6.6.6 port 22", "Accepted password for x from 6.6.6.6 port 22", "Accepted password for x from 6.6.6.6 port 22 ssh",
		"Failed rsa for x from 6.6.6.6 port 22", "Accepted publickey for x from 6.6.6.6 port 22"} {
		if got := parse(message, "sshd", "h"); got[0] != "" {
			t.Errorf("%s\n\tpeer %q", message, got[0])
		}
	}
}

// A name may hold the words that sshd writes before a name. It is as long as it is, so that a line that was cut within it
// tells of no peer.
func TestCutNameWithWordsOfSSHD(t *testing.T) {
	vis := func(n int) string { return strings.Repeat(`\377`, n) }
	for _, wording := range []string{
		"Invalid user USER from 203.0.113.66 port 40000",
		"error: PAM: Authentication failure for illegal user USER from 203.0.113.66",
		"error: maximum authentication attempts exceeded for invalid user USER from 203.0.113.66 port 40000 ssh2 [preauth]",
	} {
		for _, words := range []string{"invalid user ", "illegal user "} {
			for _, after := range []string{" from 6.6.6.6 port 2", " from 6.6.6.6", " from 203.0.113.66"} {
				for before := range 13 {
					for n := range 100 - before - len(words) - len(after) {
						name := vis(before) + words + vis(n) + after
						name += strings.Repeat("2", 100-before-n-len(words)-len(after))
						line := "<38>Nov 30 06:39:00 sshd-session[12345]: " + strings.ReplaceAll(wording, "USER", name)
						if len(line) <= 255 {
							continue
						}
						cut := strings.TrimPrefix(line[:255], "<38>")
						if got := parse(cut, "", "alpine"); got[0] != "" && got[0] != "203.0.113.66" {
							t.Fatalf("%s\n\tpeer %q", cut, got[0])
						}
					}
				}
			}
		}
	}
}

// Whom sshd has let in chose no name that imitates: an identity of a certificate, which whoever signed it chose, neither
// puts another address in place of the peer's nor hides that.
func TestAcceptedCertificate(t *testing.T) {
	for _, id := range []string{"me", " from 6.6.6.6 port 22 ssh2: RSA-CERT SHA256:y ID z", "x from 6.6.6.6 port 22 ssh2", " from 203.0.113.9 port 1 ssh2: (serial 0)"} {
		message := "Accepted publickey for root from 203.0.113.66 port 22 ssh2: RSA-CERT SHA256:x ID " + id + " (serial 0) CA ED25519 SHA256:q"
		for _, m := range []string{message, message[:min(len(message), 140)]} {
			if got := parse(m, "sshd", "h"); got[0] != "203.0.113.66" || got[2] != "accepted publickey" {
				t.Errorf("%s\n\tgot %q", m, got)
			}
		}
	}
}

func TestSyslogPrefix(t *testing.T) {
	const m = "Invalid user x from 10.0.0.1"
	session := func(host string) [3]string { return [3]string{"10.0.0.1", host, "invalid user"} }
	none := [3]string{}
	for _, c := range []struct {
		message, ident, host string
		want                 [3]string
	}{
		{m, "", "", session("")},
		{m, "sshd", "h", session("h")},
		{m, "-", "h", session("h")},
		{m, "sshd", "-", session("")},
		{"<38>1 2024-11-30T06:39:00Z host cron 1 - - " + m, "-", "-", none},
		{m, "sshd-session", "h", session("h")},
		{m, "sshd-auth", "h", session("h")},
		{m, "sshd[7]", "h", session("h")},
		{m, "/usr/sbin/sshd", "h", session("h")},
		{m, "dropbear", "h", session("h")},
		{m, "sshdx", "h", none},
		{m + " \r\n", "sshd", "h", session("h")},
		{"Nov 30 06:39:00 host sshd[1]: " + m, "", "", session("host")},
		{"Nov  3 06:39:00 host sshd[1]: " + m, "", "", session("host")},
		{"<38>Nov 30 06:39:00 host sshd[1]: " + m, "", "", session("host")},
		{"<38>Nov 30 06:39:00 sshd[1]: " + m, "", "", session("")},
		{"<38>Nov 30 06:39:00 sshd[1]: " + m, "", "own", session("own")},
		{"Nov 30 06:39:00 host sshd: " + m, "", "", session("host")},
		{"Nov 30 06:39:00 host sshd-session[1]: " + m, "", "", session("host")},
		{"Nov 30 06:39:00 host sshd(pam_unix)[1]: authentication failure; logname= uid=0 tty=NODEVssh ruser= rhost=10.0.0.1 ", "", "",
			[3]string{"10.0.0.1", "host", "failed pam"}},
		{"Nov 30 06:39:00 host sshd[1]: " + m, "sshd", "own", session("own")},
		{"Nov 30 06:39:00 host sshd[1]: " + m, "cron", "own", none},
		{"Nov 30 06:39:00 host cron[1]: " + m, "", "", none},
		{"Nov 30 06:39:00 " + m, "", "", none},
		{"2024-11-30T06:39:00.123456+01:00 host sshd[1]: " + m, "", "", session("host")},
		{"2024-11-30T06:39:00Z host su[1]: " + m, "", "", none},
		{"Nov 30 06:39:00.123456 host sshd[1]: " + m, "", "", session("host")}, // journalctl -o short-precise
		{"Nov 30 06:39:00.12x host sshd[1]: " + m, "", "", none},
		{"Nov 30 2024 06:39:00 host sshd[1]: " + m, "", "", session("host")},
		{"Nov 30 20x4 06:39:00 host sshd[1]: " + m, "", "", none},
		{"2024-11-30 06:39:00.123 host sshd[1]: " + m, "", "", session("host")},
		{"2024x11-30 06:39:00.123 host sshd[1]: " + m, "", "", none},
		{"Nov 30 06:39:00 host auth.info sshd[1]: " + m, "", "", session("host")}, // BusyBox: Alpine
		{"Nov 30 06:39:00 host auth.info cron[1]: " + m, "", "", none},
		{"Nov 30 06:39:00 host other.info sshd[1]: " + m, "", "", none},
		{"Nov 30 06:39:00 host auth.much sshd[1]: " + m, "", "", none},
		{"Sat Nov 30 06:39:00 2024 authpriv.info sshd[1]: " + m, "", "", session("")}, // OpenWrt: logread
		{"Sat Nov 30 06:39:00 20x4 authpriv.info sshd[1]: " + m, "", "", none},
		{"Nov 30 06:39:00 host sshd[1]: [ID 800047 auth.info] " + m, "", "", session("host")}, // Solaris, illumos
		{"Nov 30 06:39:00 host sshd[1]: [ID 800047 other.info] " + m, "", "", none},
		{"<38>1 2024-11-30T06:39:00Z host sshd 1 - - " + m, "", "", session("host")},
		{"1 2024-11-30T06:39:00Z host sshd 1 - - " + m, "", "", session("host")},
		{"<38>1 - - sshd - - - \ufeff" + m, "", "", session("")},
		{`<38>1 2024-11-30T06:39:00Z host sshd 1 ID7 [a@1 k="] \" v"][b] ` + m, "", "", session("host")},
		{`<38>1 2024-11-30T06:39:00Z host sshd 1 ID7 [a@1 k="` + m, "", "", none},
		{"<38>1 2024-11-30T06:39:00Z host cron 1 - - " + m, "", "", none},
		{"<38>1 yesterday host sshd 1 - - " + m, "", "", none},
		{"sshd[1]: " + m, "", "", session("")},
		{"su: " + m, "", "", none},
		{"<38>" + m, "", "", none},
		{"<>" + m, "", "", none},
		{"<38>1 ", "", "", none},
	} {
		if got := parse(c.message, c.ident, c.host); got != c.want {
			t.Errorf("%q, ident %q, host %q: %q, want %q", c.message, c.ident, c.host, got, c.want)
		}
	}
}

// The time of a line is handed on as it stands.
func TestTimesOfLines(t *testing.T) {
	for _, stamp := range []string{"Nov 30 2024 06:39:00", "2024-11-30 06:39:00,5+01:00", "Nov 30 06:39:00", "Nov 30 06:39:00.123456", "Sat Nov 30 06:39:00 2024", "2024-11-30T06:39:00.5Z"} {
		s, ok := Parse([]byte(stamp+" host sshd[1]: Invalid user x from 10.0.0.1"), nil, nil)
		if !ok || string(s.Time) != stamp || string(s.Host) != "host" {
			t.Errorf("%q: %v %q of %q", stamp, ok, s.Time, s.Host)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	messages := [][]byte{[]byte("Nov 30 06:39:00.5 host auth.info sshd[1]: [ID 800047 auth.info] Invalid user x from 10.0.0.1")}
	for _, l := range lines(t) {
		messages = append(messages, []byte(l))
	}
	messages = append(messages, []byte("Failed publickey for invalid user a from 10.0.0.1 port 4 ssh2: RSA-CERT SHA256:x"),
		[]byte("Disconnecting authenticating user root 10.0.0.1 port 4: Too many authentication failures [preauth]"),
		[]byte("ssh_dispatch_run_fatal: Connection from user root ::1 port 4: Broken pipe"))
	n := testing.AllocsPerRun(10, func() {
		for _, m := range messages {
			Parse(m, nil, nil)
		}
	})
	if n != 0 {
		t.Fatalf("%v allocations", n)
	}
}

// within reports whether part is a part of whole's bytes.
func within(part, whole []byte) bool {
	p, w := uintptr(unsafe.Pointer(unsafe.SliceData(part))), uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	return p >= w && p+uintptr(len(part)) <= w+uintptr(len(whole))
}

func FuzzParse(f *testing.F) {
	f.Add("Nov 30 06:39:00 host sshd[1]: Failed password for invalid user x from 10.0.0.1 port 4 ssh2", "", "")
	f.Add(`<38>1 2024-11-30T06:39:00Z host sshd 1 ID7 [a@1 k="] \" v"][b] Connection closed by user root 2001:db8::1%e port 4 [preauth]`, "", "h")
	f.Add("Unable to negotiate with invalid user x 10.0.0.1 port 4: no matching cipher found. Their offer: 6.6.6.6 port 1: [preauth]", "sshd", "")
	f.Add("message repeated 5 times: [ Invalid user \\303 from ::ffff:10.0.0.1]", "sshd[7]", "h")
	f.Add("refused connect from ()", "", "")
	f.Add("reverse mapping checking getaddrinfo for ] failed", "sshd", "")
	seen, digits := map[string]bool{}, regexp.MustCompile(`[0-9]+`)
	for _, line := range lines(f) { // each shape once
		if shape := digits.ReplaceAllString(line, "0"); !seen[shape] && len(seen) < 500 {
			seen[shape] = true
			f.Add(line, "", "")
		}
	}
	f.Fuzz(func(t *testing.T, message, ident, host string) {
		m, h := []byte(message), []byte(host)
		s, ok := Parse(m, []byte(ident), h)
		if !ok {
			if s.Peer != nil || s.Host != nil || s.Relation != nil {
				t.Fatalf("not ok, yet %q", s)
			}
			return
		}
		if len(s.Peer) == 0 || len(s.Relation) == 0 || !within(s.Peer, m) || cleanPeer(s.Peer) == nil {
			t.Fatalf("%q of %q", s, message)
		}
		if s.Host != nil && (len(s.Host) == 0 || !within(s.Host, h) && !within(s.Host, m)) {
			t.Fatalf("host %q of %q and %q", s.Host, message, host)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var messages [][]byte
	for _, l := range lines(b) {
		messages = append(messages, []byte(l))
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, m := range messages {
			Parse(m, nil, nil)
		}
	}
	b.ReportMetric(float64(b.N*len(messages))/b.Elapsed().Seconds(), "records/s")
}

package simulate

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// family is an operating system with the banners its clients send, oldest first.
type family struct {
	workstations, servers float64 // share of the hosts
	banners               []string
}

var families = []family{
	{0.34, 0.45, []string{
		"SSH-2.0-OpenSSH_8.2p1 Ubuntu-4ubuntu0.11", "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.6", "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.7",
		"SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10", "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.4", "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5"}},
	{0.12, 0.30, []string{
		"SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u1", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2",
		"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u5"}},
	{0.08, 0.25, []string{
		"SSH-2.0-OpenSSH_7.4", "SSH-2.0-OpenSSH_8.0", "SSH-2.0-OpenSSH_8.7", "SSH-2.0-OpenSSH_9.9"}},
	{0.22, 0, []string{
		"SSH-2.0-OpenSSH_9.0", "SSH-2.0-OpenSSH_9.3", "SSH-2.0-OpenSSH_9.4", "SSH-2.0-OpenSSH_9.6", "SSH-2.0-OpenSSH_9.7", "SSH-2.0-OpenSSH_9.8"}},
	{0.14, 0, []string{
		"SSH-2.0-OpenSSH_for_Windows_7.7", "SSH-2.0-OpenSSH_for_Windows_8.1", "SSH-2.0-OpenSSH_for_Windows_8.6", "SSH-2.0-OpenSSH_for_Windows_9.5"}},
	{0.10, 0, []string{
		"SSH-2.0-PuTTY_Release_0.76", "SSH-2.0-PuTTY_Release_0.78", "SSH-2.0-PuTTY_Release_0.79", "SSH-2.0-PuTTY_Release_0.80", "SSH-2.0-PuTTY_Release_0.81"}},
}

// firstVersions says how far along its family's banners a host is on the first
// day; what follows is left for upgrades.
var firstVersions = []float64{0.15, 0.65, 0.20}

// secondClients are what some people use beside ssh itself: editors, file
// managers, scripts.
var secondClients = []string{
	"SSH-2.0-libssh2_1.11.0", "SSH-2.0-JSCH-0.2.17", "SSH-2.0-WinSCP_release_6.3.3", "SSH-2.0-paramiko_3.4.0", "SSH-2.0-Go", "SSH-2.0-FileZilla_3.67.0",
}

// automationTools are the clients of the automation hosts, oldest version first.
var automationTools = [][]string{
	{"SSH-2.0-paramiko_2.12.0", "SSH-2.0-paramiko_3.4.0", "SSH-2.0-paramiko_3.5.0"},
	{"SSH-2.0-libssh_0.9.6", "SSH-2.0-libssh_0.10.6", "SSH-2.0-libssh_0.11.1"},
	{"SSH-2.0-Go"},
	{"SSH-2.0-AsyncSSH_2.13.2", "SSH-2.0-AsyncSSH_2.14.2"},
}

// novelTool is a banner that nobody in the enterprise sends.
func novelTool(r *rand.Rand) string {
	names := []string{"libssh2_1.%d.%d", "russh_0.%d.%d", "paramiko_1.%d.%d", "dropbear_20%02d.%d", "JSCH-0.1.%d%d", "Nmap-SSH2-NSE-%d.%d", "PUTTY_%d.%d", "OpenSSH_5.%dp%d"}
	for {
		banner := "SSH-2.0-" + fmt.Sprintf(names[r.IntN(len(names))], between(r, 10, 60), between(r, 0, 9))
		if !slices.Contains(secondClients, banner) {
			return banner
		}
	}
}

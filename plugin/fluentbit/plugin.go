// Package fluentbit is the border to the host: the registration of the filter, the table of its properties, log lines,
// memory of chunks, and a second copy of the shared object where the host forks. It owns all C of the host's side, and
// lets no panic cross it. It never knows what is in a chunk or how it is scored: package main registers a Plugin that does.
package fluentbit

// Plugin makes the instances of the filter that the host asks for.
type Plugin struct {
	// Check returns why New would fail, while instances of the same settings may still run. The host is valid for the
	// call only.
	Check func(*Host) error
	// New makes one instance for a filter section of the host's configuration. The host is valid until Close returns.
	New func(*Host) (Instance, error)
}

// Instance is one filter of the host. The host calls ProcessTagged from several threads, and Close once, after them.
type Instance interface {
	// ProcessTagged appends the new form of a chunk to dst. Where modified is false the chunk passes as it came.
	ProcessTagged(dst, chunk, tag []byte) (out []byte, modified bool)
	Close() error
}

// registered is set before the host's first call: the host waits for Go's init functions then.
var registered Plugin

// Register sets what the host's calls go to. A shared object does so once, in an init function.
func Register(p Plugin) { registered = p }

package metrics

import (
	"net"
	"sync"
	"time"
)

const (
	// maxConnections are open at a time. Each takes a descriptor, which the host's outputs need, and some memory.
	maxConnections = 64
	// writePiece bytes have to be sent within writePause, or the client is taken to be gone.
	writePiece = 64 << 10
	writePause = 10 * time.Second
	// answerTime bounds the time for a whole answer. The largest page, of some 5 MiB, takes as long at the slowest pace
	// that is allowed.
	answerTime = 15 * time.Minute
	// sendBuffer bounds what the kernel holds of an unread answer, by default up to some megabytes.
	sendBuffer = 256 << 10
)

// listener bounds the number of connections. It accepts one over the bound and closes the one that has been idle for
// the longest, so that neither idle connections nor slow readers lock others out.
type listener struct {
	net.Listener
	crowded func() // called, without the lock, when a connection was closed for another
	mu      sync.Mutex
	open    map[*conn]struct{}
}

func limit(l net.Listener, crowded func()) *listener {
	return &listener{Listener: l, crowded: crowded, open: map[*conn]struct{}{}}
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	if tcp, ok := inner.(*net.TCPConn); ok {
		tcp.SetWriteBuffer(sendBuffer) // on failure it is the kernel's default
	}
	return l.admit(inner), nil
}

func (l *listener) admit(inner net.Conn) *conn {
	c := &conn{Conn: inner, listener: l, last: time.Now()}
	l.mu.Lock()
	var out *conn
	if len(l.open) >= maxConnections {
		for o := range l.open {
			if out == nil || o.last.Before(out.last) {
				out = o
			}
		}
		delete(l.open, out)
	}
	l.open[c] = struct{}{}
	l.mu.Unlock()
	if out != nil {
		if tcp, ok := out.Conn.(*net.TCPConn); ok {
			tcp.SetLinger(0) // drop unread data instead of keeping it in the kernel
		}
		out.Conn.Close()
		l.crowded()
	}
	return c
}

// conn is a connection of a listener.
type conn struct {
	net.Conn
	listener *listener
	last     time.Time // of some traffic; guarded by the listener's mutex
	whole    time.Time // until when an answer has to be written, zero: any time; its writer's
}

func (c *conn) traffic() {
	c.listener.mu.Lock()
	defer c.listener.mu.Unlock()
	c.last = time.Now()
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (n int, err error) {
	n, err = c.Conn.Read(b)
	if n > 0 {
		c.traffic()
	}
	return n, err
}

// Write implements net.Conn. An answer goes out in pieces, each of which has a time of its own.
func (c *conn) Write(b []byte) (n int, err error) {
	for n < len(b) {
		until := time.Now().Add(writePause)
		if !c.whole.IsZero() && c.whole.Before(until) {
			until = c.whole
		}
		if err := c.Conn.SetWriteDeadline(until); err != nil {
			return n, err
		}
		k, err := c.Conn.Write(b[n:min(n+writePiece, len(b))])
		n += k
		if err != nil {
			return n, err
		}
		c.traffic()
	}
	return n, nil
}

// SetWriteDeadline implements net.Conn; the server calls it for each answer.
func (c *conn) SetWriteDeadline(t time.Time) error {
	c.whole = t
	return c.Conn.SetWriteDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error {
	c.whole = t
	return c.Conn.SetDeadline(t)
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.listener.mu.Lock()
	delete(c.listener.open, c)
	c.listener.mu.Unlock()
	return c.Conn.Close()
}

package metrics

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flb-filter-rgcn/plugin/filter"
)

// dial opens a connection to the server at address.
func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// ask sends a request and wants the answer's first line and its end, whatever lies between.
func ask(t *testing.T, c net.Conn, path, want string) {
	t.Helper()
	if _, err := io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(b), "HTTP/1.1 200 ") || !strings.Contains(string(b), want) {
		t.Fatalf("%s: %v\n%.300s", path, err, b)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	h := &host{properties: map[string]string{"metrics_listen": "127.0.0.1:2023"}}
	f, err := filter.NewOffline(h)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var crowded atomic.Int32
	l := limit(inner, func() { crowded.Add(1) })
	server := newServer(handler(f, false, quiet))
	go server.Serve(l)
	defer server.Close()

	first := dial(t, inner.Addr().String())
	for range 3 * maxConnections {
		dial(t, inner.Addr().String())
	}
	// The newest is served, although all the others hold on.
	ask(t, dial(t, inner.Addr().String()), "/healthz", `"status":"ok"`)
	// The first was closed for another: this returns at all.
	if n, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the first connection reads %d bytes, %v", n, err)
	}
	l.mu.Lock()
	open := len(l.open)
	l.mu.Unlock()
	if open > maxConnections || crowded.Load() < 2*maxConnections {
		t.Errorf("%d connections are open, %d were closed for others", open, crowded.Load())
	}
}

func TestTheOneWithoutTrafficGoes(t *testing.T) {
	l := limit(nil, func() {})
	var conns []*conn
	ends := make([]net.Conn, maxConnections+2)
	for i := range maxConnections {
		var inner net.Conn
		inner, ends[i] = net.Pipe()
		conns = append(conns, l.admit(inner))
		conns[i].last = time.Unix(int64(i), 0)
	}
	// The two oldest have traffic, one in either way.
	go ends[0].Write([]byte("x"))
	if _, err := conns[0].Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	go io.ReadFull(ends[1], make([]byte, 1))
	if _, err := conns[1].Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		inner, _ := net.Pipe()
		l.admit(inner)
	}
	var gone []int
	for i, c := range conns {
		if _, ok := l.open[c]; !ok {
			gone = append(gone, i)
		}
	}
	if !slices.Equal(gone, []int{2, 3}) || len(l.open) != maxConnections {
		t.Errorf("%v are gone, want 2 and 3; %d are open", gone, len(l.open))
	}
	conns[5].Close()
	conns[5].Close()
	if len(l.open) != maxConnections-1 {
		t.Errorf("%d are open after a close", len(l.open))
	}
}

// pieces is a connection that notes what is written to it, until it takes no more.
type pieces struct {
	net.Conn
	sizes    []int
	deadline []time.Time
	left     int
}

func (p *pieces) SetWriteDeadline(t time.Time) error {
	p.deadline = append(p.deadline, t)
	return nil
}

func (p *pieces) Write(b []byte) (int, error) {
	if p.left == 0 {
		return 3, os.ErrDeadlineExceeded
	}
	p.left--
	p.sizes = append(p.sizes, len(b))
	return len(b), nil
}

func TestAnAnswerGoesOutInPieces(t *testing.T) {
	p := &pieces{left: 4}
	c := limit(nil, nil).admit(p)
	c.SetWriteDeadline(time.Now().Add(time.Hour))
	n, err := c.Write(make([]byte, 3*writePiece+5))
	if want := []int{writePiece, writePiece, writePiece, 5}; n != 3*writePiece+5 || err != nil || !slices.Equal(p.sizes, want) {
		t.Errorf("%d bytes in %v, %v; want pieces of %v", n, p.sizes, err, want)
	}
	for i, d := range p.deadline[1:] { // each for itself, not the hour of all
		if left := time.Until(d); left > writePause || i > 0 && d.Before(p.deadline[i]) {
			t.Errorf("piece %d has to be out within %v", i, left)
		}
	}
	if n, err := c.Write(make([]byte, 10)); n != 3 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%d bytes, %v to a reader who is gone", n, err)
	}
	soon := time.Now().Add(time.Millisecond)
	c.SetWriteDeadline(soon)
	c.Write([]byte("x"))
	if last := p.deadline[len(p.deadline)-1]; !last.Equal(soon) {
		t.Errorf("a piece may take until %v, the whole answer until %v", last, soon)
	}
}

// A reader who keeps the pace gets the largest page whole.
func TestTheLargestPageAtTheSlowestPace(t *testing.T) {
	const largest = 5 << 20
	if most, takes := newServer(nil).WriteTimeout, largest/writePiece*writePause; most < takes {
		t.Errorf("an answer is ended after %v, one of %d bytes may take %v", most, largest, takes)
	}
}

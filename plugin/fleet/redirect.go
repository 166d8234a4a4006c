package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"flb-filter-rgcn/plugin/printable"
)

// maxRedirects are followed of a GET: storage behind a proxy takes one.
const maxRedirects = 3

// redirect says whether a redirect is followed: that of a GET, where it takes no credentials to another server, and leads
// no deeper into networks than the place itself. Whoever answers for the place would otherwise have this machine ask
// servers that only it can reach.
func (w *web) redirect(r *http.Request, via []*http.Request) error {
	r.Header.Del("Referer") // it would have the query of the URL, where some servers have their secrets
	switch from := via[0].URL; {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case from.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("it redirects from https to " + r.URL.Scheme)
	case via[0].Method != http.MethodGet:
		return http.ErrUseLastResponse
	case origin(from) == origin(r.URL):
		return nil
	case w.sign != nil:
		return fmt.Errorf("it redirects to %s, and credentials are sent to %s alone: name the place itself", printable.Line(origin(r.URL)), origin(from))
	default:
		return w.outward(r, from.Hostname())
	}
}

// outward has a redirected request connect to no address that lies deeper than those of the place. Where a proxy resolves
// names, it is the proxy's to say which it connects to.
func (w *web) outward(r *http.Request, place string) error {
	most := public
	for _, ip := range w.addresses(r.Context(), place) {
		most = max(most, depthOf(ip))
	}
	guard := &guard{most, printable.Line(origin(r.URL))}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && depthOf(ip) > most {
		return guard.refuse(depthOf(ip))
	}
	if t, ok := w.client.Transport.(*http.Transport); ok && t.Proxy != nil {
		if proxy, err := t.Proxy(r); err != nil || proxy != nil {
			return nil
		}
	}
	*r = *r.WithContext(context.WithValue(r.Context(), guardKey{}, guard)) // the client goes on with this very request
	return nil
}

// addresses are those of a host, none where they cannot be found.
func (w *web) addresses(ctx context.Context, host string) []netip.Addr {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}
	}
	all, _ := w.lookup(ctx, host)
	return all
}

func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// depth is how far inside an address lies.
type depth int

const (
	public depth = iota
	private
	link
	machine
)

func (d depth) String() string {
	return [...]string{"public", "private", "link-local", "loopback"}[d]
}

// shared are addresses behind a provider's translation (RFC 6598), where some clouds have their own services.
var shared = netip.MustParsePrefix("100.64.0.0/10")

func depthOf(ip netip.Addr) depth {
	switch ip = ip.Unmap(); {
	case ip.IsLoopback(), ip.IsUnspecified():
		return machine
	case ip.IsLinkLocalUnicast():
		return link
	case ip.IsPrivate(), shared.Contains(ip):
		return private
	}
	return public
}

// guard is what connections for a redirected request are held to. A context has it under guardKey.
type guard struct {
	most depth
	to   string // the origin that it is redirected to
}

type guardKey struct{}

func (g *guard) refuse(d depth) error {
	return fmt.Errorf("it redirects to %s, which has a %s address, and the place has a %s one: name the place itself", g.to, d, g.most)
}

// dial connects as the usual transport does, but for what a guard refuses. It looks at the very address that is connected
// to: that of a name may change from one look to the next.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}
	if g, ok := ctx.Value(guardKey{}).(*guard); ok {
		d.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			if d := depthOf(to.Addr()); d > g.most {
				return g.refuse(d)
			}
			return nil
		}
	}
	return d.DialContext(ctx, network, address)
}

// origin is scheme, host and port of a URL.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

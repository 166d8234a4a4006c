package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
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
	guard := &guard{to: printable.Line(origin(r.URL))}
	for _, ip := range w.addresses(r.Context(), place) {
		guard.most = max(guard.most, depthOf(ip))
		guard.cloud = guard.cloud || isCloud(ip)
	}
	if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil {
		if err := guard.refuses(ip); err != nil {
			return err
		}
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
	switch ip = behind(ip); {
	case ip.IsLoopback(), ip.IsUnspecified():
		return machine
	case ip.IsLinkLocalUnicast():
		return link
	case ip.IsPrivate(), shared.Contains(ip):
		return private
	}
	return public
}

// translated are networks of IPv6 whose addresses stand for one of IPv4, and at which byte they have it: a network's
// translator connects to that one (RFC 6052, RFC 8215), and so does a tunnel (RFC 3056). ::/96 did once (RFC 4291).
var translated = []struct {
	of netip.Prefix
	at int
}{
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, {netip.MustParsePrefix("64:ff9b:1::/48"), 12}, {netip.MustParsePrefix("2002::/16"), 2}, {netip.MustParsePrefix("::/96"), 12},
}

// behind is the address that is reached by another one, mostly that itself.
func behind(ip netip.Addr) netip.Addr {
	if ip = ip.Unmap().WithZone(""); ip.Is4() || ip.IsLoopback() || ip.IsUnspecified() {
		return ip
	}
	for _, t := range translated {
		if all := ip.As16(); t.of.Contains(ip) {
			return netip.AddrFrom4([4]byte(all[t.at:]))
		}
	}
	return ip
}

// clouds are where virtual machines and containers ask their cloud for what it knows of them, such as credentials.
var clouds = []netip.Prefix{
	netip.MustParsePrefix("169.254.169.0/24"), netip.MustParsePrefix("169.254.170.0/24"), netip.MustParsePrefix("fd00:ec2::/32"), // Amazon, and most others
	netip.MustParsePrefix("fd20:ce::/32"),       // Google
	netip.MustParsePrefix("168.63.129.16/32"),   // Azure
	netip.MustParsePrefix("100.100.100.200/32"), // Alibaba
	netip.MustParsePrefix("192.0.0.192/32"),     // Oracle
}

func isCloud(ip netip.Addr) bool {
	ip = behind(ip)
	return slices.ContainsFunc(clouds, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// guard is what connections for a redirected request are held to. A context has it under guardKey.
type guard struct {
	most  depth
	cloud bool   // the place is one of a cloud's own
	to    string // the origin that it is redirected to
}

type guardKey struct{}

// refuses returns why an address is not connected to, nil where it is. However deep the place lies, what a cloud tells
// its machines is not for it.
func (g *guard) refuses(ip netip.Addr) error {
	switch d := depthOf(ip); {
	case d > g.most:
		return fmt.Errorf("it redirects to %s, which has a %s address, and the place has a %s one: name the place itself", g.to, d, g.most)
	case isCloud(ip) && !g.cloud:
		return fmt.Errorf("it redirects to %s, at whose address a cloud tells machines what is secret: name the place itself", g.to)
	}
	return nil
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
			return g.refuses(to.Addr())
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

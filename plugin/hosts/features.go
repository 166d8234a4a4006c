package hosts

import (
	"bytes"
	"hash/maphash"
	"net/netip"
	"strings"
	"unicode"
	"unsafe"

	"flb-filter-rgcn/plugin/hostname"
)

// Features are those of hosts by their names. They do not change, and are safe for many goroutines.
type Features struct {
	columns  []string
	byHost   map[string][]uint64
	values   map[uint64]string // what the features of byHost are called
	prefixes bool
	most     int // features of a host
	named    named
}

// The lengths in bits of the prefixes of an address that are features of its host.
var (
	prefixesOf4 = [...]int{24, 16}
	prefixesOf6 = [...]int{64, 48}
)

// Load reads the CSV file at path, if that is not empty, and with prefixes adds the networks of
// addresses, /24 and /16, or /64 and /48, and of names the stem and the domain. Hosts of the file have the names that
// records have, or those that the form makes of these; of so many parts a name is joined at most. It returns nil where
// neither is asked for.
func Load(path string, prefixes bool, form hostname.Form, parts int) (*Features, error) {
	if path == "" && !prefixes {
		return nil, nil
	}
	f := &Features{prefixes: prefixes}
	if prefixes {
		f.most = parts * len(prefixesOf4)
	}
	if path == "" {
		return f, nil
	}
	t, err := readFile(path, form)
	if err != nil {
		return nil, err
	}
	f.columns = t.columns
	f.byHost, f.values = t.features(form)
	f.most += f.mostKnown(parts)
	return f, nil
}

// Kinds names the columns of the file, and the prefixes.
func (f *Features) Kinds() []string {
	kinds := append([]string(nil), f.columns...)
	if f.prefixes {
		kinds = append(kinds, "/24, /64 or stem", "/16, /48 or domain")
	}
	return kinds
}

// Most is how many features a host has at most, unless its name has more parts than it is joined of.
func (f *Features) Most() int { return f.most }

// mostKnown is how many of them are of the file: a row of its own, and one for each part of a joined name.
func (f *Features) mostKnown(parts int) int {
	whole, part := 0, 0
	for host, list := range f.byHost {
		if strings.IndexByte(host, separator) >= 0 {
			whole = max(whole, len(list))
		} else {
			part = max(part, len(list))
		}
	}
	return whole + parts*part
}

// Known tells whether the file has a row of a host, or of a part of it, with a value.
func (f *Features) Known(host []byte) bool {
	if len(f.byHost[string(host)]) > 0 {
		return true
	}
	for rest, more := host, true; more; {
		var part []byte
		if part, rest, more = bytes.Cut(rest, []byte{separator}); len(f.byHost[string(part)]) > 0 {
			return true
		}
	}
	return false
}

// separator stands between the parts of a name that is joined of several fields.
const separator = '|'

// Append appends the features of a host, each as a hash of its kind and its value that means
// something in this process only. Of a joined name every part counts that is a host.
func (f *Features) Append(dst []uint64, host []byte) []uint64 {
	if known, ok := f.byHost[string(host)]; ok {
		dst = append(dst, known...)
	}
	for rest, more := host, true; more; {
		var part []byte
		part, rest, more = bytes.Cut(rest, []byte{separator})
		if len(part) < len(host) {
			if known, ok := f.byHost[string(part)]; ok {
				dst = append(dst, known...)
			}
		}
		if f.prefixes {
			dst = f.appendPrefixes(dst, part)
		}
	}
	return dst
}

func (f *Features) appendPrefixes(dst []uint64, host []byte) []uint64 {
	if !mayBeAddress(host) {
		stem, domain := nameParts(host)
		if len(stem) > 0 {
			dst = append(dst, f.stemHash(stem))
		}
		if len(domain) > 0 {
			dst = append(dst, f.domainHash(domain))
		}
		return dst
	}
	for i, p := range networks(host) {
		if p.IsValid() {
			dst = append(dst, f.networkHash(i, p))
		}
	}
	return dst
}

// networks are those of an address that are features, the narrow one first; invalid where there is none.
func networks(host []byte) (out [2]netip.Prefix) {
	// A string of its own would be garbage for each unknown host. ParseAddr keeps the text in its
	// error alone, which is dropped here, and copies a zone.
	addr, err := netip.ParseAddr(unsafe.String(&host[0], len(host)))
	if err != nil {
		return out
	}
	addr = addr.Unmap()
	lengths := prefixesOf4
	if addr.Is6() {
		lengths = prefixesOf6
	}
	for i, bits := range lengths {
		out[i], _ = addr.Prefix(bits)
	}
	return out
}

// nameParts are the stem of a name and its domain, empty where it has none that is a feature. Machines that come and go
// get names of a stem and a number or some random letters: web-7f3a9c.
func nameParts(host []byte) (stemmed, domain []byte) {
	label, domain, _ := bytes.Cut(host, []byte{'.'})
	if !bytes.ContainsFunc(domain, isLetter) {
		domain = nil
	}
	return stem(label), domain
}

func (f *Features) networkHash(i int, p netip.Prefix) uint64 {
	all := p.Addr().As16()
	return hash(len(f.columns)+i, all[:])
}

func (f *Features) stemHash(s []byte) uint64 { return hash(len(f.columns), s) }

func (f *Features) domainHash(d []byte) uint64 { return hash(len(f.columns)+1, d) }

// stem is what stands before the first number of a label, and without one before its last part; it ends where a part of
// the label does, if the label has parts. It is empty where there is no letter in it, where it is a single one, which says
// too little (n1, n2), and where all of the label would be it.
func stem(label []byte) []byte {
	end := bytes.IndexAny(label, "0123456789")
	if end < 0 {
		end = len(label)
	}
	if last := bytes.LastIndexAny(label[:end], "-_"); last >= 0 {
		end = last + 1
	}
	if end < 2 || end == len(label) || !bytes.ContainsFunc(label[:end], isLetter) {
		return nil
	}
	return label[:end]
}

func isLetter(r rune) bool { return unicode.IsLetter(r) }

// mayBeAddress tells most names from addresses, for which ParseAddr would make an error.
func mayBeAddress(host []byte) bool {
	const longest = 64 // with a zone
	dots, colons := 0, 0
	for _, c := range host[:min(len(host), longest+1)] {
		switch {
		case c == '.':
			dots++
		case c == ':':
			colons++
		case colons == 0 && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f'):
			return false
		}
	}
	return len(host) <= longest && (colons >= 2 || colons == 0 && dots == 3)
}

var seed = maphash.MakeSeed()

// hash stands for a value of a kind.
func hash(kind int, value []byte) uint64 {
	return maphash.Bytes(seed, value) ^ uint64(kind+1)*0x9e3779b97f4a7c15
}

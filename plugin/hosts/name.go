package hosts

import (
	"bytes"
	"sync"
)

// named keeps what features were called that were asked for lately.
type named struct {
	mu    sync.Mutex
	texts map[uint64]string
}

// maxNamed bounds the names that are kept: of as many networks as have low scores within days.
const maxNamed = 1024

// Name returns what a feature of a host is called, such as "10.1.2.0/24", "web-*", "*.example.com" or "role=build"; "" where
// the host does not have it. It allocates only for a feature that it was not asked for lately.
func (f *Features) Name(host []byte, feature uint64) string {
	if text, ok := f.values[feature]; ok {
		return text
	}
	f.named.mu.Lock()
	defer f.named.mu.Unlock()
	if text, ok := f.named.texts[feature]; ok {
		return text
	}
	text := f.prefixName(host, feature)
	if text == "" {
		return ""
	}
	if f.named.texts == nil || len(f.named.texts) >= maxNamed {
		f.named.texts = map[uint64]string{}
	}
	f.named.texts[feature] = text
	return text
}

// prefixName is Name for networks and parts of names.
func (f *Features) prefixName(host []byte, feature uint64) string {
	for rest, more := host, f.prefixes; more; {
		var part []byte
		part, rest, more = bytes.Cut(rest, []byte{separator})
		if mayBeAddress(part) {
			for i, p := range networks(part) {
				if p.IsValid() && f.networkHash(i, p) == feature {
					return p.String()
				}
			}
			continue
		}
		switch stem, domain := nameParts(part); {
		case len(stem) > 0 && f.stemHash(stem) == feature:
			return string(stem) + "*"
		case len(domain) > 0 && f.domainHash(domain) == feature:
			return "*." + string(domain)
		}
	}
	return ""
}

package record

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxDepth bounds the parts of a path, and with it the depth to which a walk descends.
const maxDepth = 16

// Spec says which values to find in each record's body and which top-level keys splicing replaces.
//
// A path is a key (`client`), a key with dots (`id.orig_h`: the flat key of that name, or else the nested maps id,
// orig_h), or Fluent Bit's record accessor (`$id['orig_h']`: the nested maps alone).
type Spec struct {
	Fields [][]string // one entry a wanted value: alternatives, each a path, of which the first with content counts
	Blank  []string   // texts that are no content, beside the empty one: such a value counts where no alternative has any
	Time   []string   // alternatives for the event's time; none, none found or none valid: the time of the event's header
	Drop   []string   // top-level keys, not paths, that AppendSpliced removes, since they are about to be added anew
}

// Extractor is a compiled Spec: immutable, shared by any number of goroutines.
type Extractor struct {
	root   *node
	fields []slots // for each field, its slots in order of preference
	blank  []string
	time   slots
	total  int // slots in all

	timePaths []string // of the time's slots
}

// slots is the half-open range of slots of one field. A slot holds where one way of spelling one alternative was found.
type slots struct{ from, to int }

// node holds the keys of interest in a map.
type node struct {
	keys     []*key
	byLength [64][]candidate // at min(length, 63)
}

// candidate is a key with a few of its bytes: one comparison of these tells most keys of the same length apart.
type candidate struct {
	print uint32
	key   *key
}

// key is a key of interest: the slots its value goes to, the keys inside it if it is a map, whether splicing removes
// it.
type key struct {
	name  string
	slots []int
	child *node
	drop  bool
}

// fingerprint is made of the last byte, the middle one and the length of a name that is not empty.
func fingerprint[T string | []byte](name T) uint32 {
	return uint32(name[len(name)-1]) | uint32(name[len(name)/2])<<8 | uint32(len(name))<<16
}

// match returns the key of that name, nil when it is of no interest.
func (n *node) match(name []byte) *key {
	candidates := n.byLength[min(uint(len(name)), 63)]
	if len(candidates) == 0 {
		return nil
	}
	print := fingerprint(name)
	for i := range candidates {
		if c := &candidates[i]; c.print == print && c.key.name == string(name) {
			return c.key
		}
	}
	return nil
}

// add returns the key of that name, which is not empty, new or known.
func (n *node) add(name string) *key {
	k := n.match([]byte(name))
	if k == nil {
		k = &key{name: name}
		at := &n.byLength[min(len(name), 63)]
		*at = append(*at, candidate{fingerprint(name), k})
		n.keys = append(n.keys, k)
	}
	return k
}

// Compile checks the paths of a Spec and prepares the lookup.
func Compile(s Spec) (*Extractor, error) {
	x := &Extractor{root: new(node), blank: s.Blank}
	for i, paths := range s.Fields {
		if len(paths) == 0 {
			return nil, fmt.Errorf("record: field %d has no path, want at least one", i)
		}
		f, err := x.addPaths(paths)
		if err != nil {
			return nil, err
		}
		x.fields = append(x.fields, f)
	}
	x.time.from = x.total
	for _, path := range s.Time {
		of, err := x.addPaths([]string{path})
		if err != nil {
			return nil, err
		}
		for range of.to - of.from {
			x.timePaths = append(x.timePaths, path)
		}
	}
	x.time.to = x.total
	for _, name := range s.Drop {
		if name == "" {
			return nil, errors.New(`record: key "" to drop is empty, want the name of a top-level key`)
		}
		x.root.add(name).drop = true
	}
	return x, nil
}

// hasContent tells whether a value is neither empty nor blank.
func (x *Extractor) hasContent(v []byte) bool {
	for _, b := range x.blank {
		if string(v) == b {
			return false
		}
	}
	return len(v) > 0
}

// CheckPath returns what is wrong with a path, nil for a good one.
func CheckPath(path string) error {
	_, err := spellings(path)
	return err
}

// Under returns the paths as they stand in the map at the path under, in the form of record accessors: a path with
// dots has two ways of being spelled there, each a path of its own. With "" it returns them as they are.
func Under(under string, paths []string) ([]string, error) {
	if under == "" {
		return paths, nil
	}
	above, err := spellings(under)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, path := range paths {
		own, err := spellings(path)
		if err != nil {
			return nil, err
		}
		for _, parts := range own {
			for _, first := range above {
				all := slices.Concat(first, parts)
				if len(all) > maxDepth {
					return nil, fmt.Errorf("record: path %q under %q: %d parts, allowed are %d", path, under, len(all), maxDepth)
				}
				out = append(out, accessor(all))
			}
		}
	}
	return out, nil
}

// accessor writes parts as a record accessor.
func accessor(parts []string) string {
	text := "$" + parts[0]
	for _, p := range parts[1:] {
		quote := "'"
		if strings.Contains(p, quote+"]") {
			quote = `"`
		}
		text += "[" + quote + p + quote + "]"
	}
	return text
}

func spellings(path string) ([][]string, error) {
	out, err := parsePath(path)
	if err != nil {
		return nil, fmt.Errorf("record: path %q: %w; allowed are key, key.sub and $key['sub'], of at most %d parts", path, err, maxDepth)
	}
	return out, nil
}

// addPaths gives each way of spelling each path a slot.
func (x *Extractor) addPaths(paths []string) (slots, error) {
	s := slots{from: x.total}
	for _, path := range paths {
		own, err := spellings(path)
		if err != nil {
			return s, err
		}
		for _, parts := range own {
			x.addSlot(parts)
		}
	}
	s.to = x.total
	return s, nil
}

// addSlot makes a slot for the value at the end of a way down from the body.
func (x *Extractor) addSlot(parts []string) {
	n := x.root
	for _, p := range parts[:len(parts)-1] {
		k := n.add(p)
		if k.child == nil {
			k.child = new(node)
		}
		n = k.child
	}
	k := n.add(parts[len(parts)-1])
	k.slots = append(k.slots, x.total)
	x.total++
}

// parsePath returns the ways in which a record may spell the path, the preferred one first, each as the keys from the
// top down.
func parsePath(path string) ([][]string, error) {
	if accessor, ok := strings.CutPrefix(path, "$"); ok {
		parts, err := parseAccessor(accessor)
		return [][]string{parts}, err
	}
	parts := strings.Split(path, ".")
	for _, p := range parts {
		if p == "" {
			return nil, errors.New("empty part")
		}
	}
	if len(parts) > maxDepth {
		return nil, fmt.Errorf("%d parts", len(parts))
	}
	if len(parts) == 1 {
		return [][]string{parts}, nil
	}
	return [][]string{{path}, parts}, nil
}

// parseAccessor splits key['sub']['sub'] into its parts.
func parseAccessor(s string) ([]string, error) {
	name, rest := s, ""
	if i := strings.IndexByte(s, '['); i >= 0 {
		name, rest = s[:i], s[i:]
	}
	parts := []string{name}
	for rest != "" {
		if len(rest) < 2 || rest[0] != '[' || rest[1] != '\'' && rest[1] != '"' {
			return nil, fmt.Errorf("%q is no quoted key in brackets", rest)
		}
		end := strings.Index(rest[2:], rest[1:2]+"]")
		if end < 0 {
			return nil, fmt.Errorf("%q has no end", rest)
		}
		parts = append(parts, rest[2:2+end])
		rest = rest[2+end+2:]
	}
	for _, p := range parts {
		if p == "" {
			return nil, errors.New("empty part")
		}
	}
	if len(parts) > maxDepth {
		return nil, fmt.Errorf("%d parts", len(parts))
	}
	return parts, nil
}

// Flat returns the key by which a record without maps inside holds what is at the path. It is not ok where the path leads
// into maps alone, or is no path.
func Flat(path string) (key string, ok bool) {
	own, err := spellings(path)
	if err != nil || len(own[0]) > 1 {
		return "", false
	}
	return own[0][0], true
}

// FirstKeys returns the keys of a record in which the path may begin, in the map at the path under; "" is the record
// itself.
func FirstKeys(under, path string) (keys []string, err error) {
	all, err := spellings(cmp.Or(under, path))
	for _, parts := range all {
		keys = append(keys, parts[0])
	}
	return keys, err
}

// Dotted returns a path with its parts joined by dots, as search servers name fields, in the map at the path under; ""
// is the record itself.
func Dotted(under, path string) (string, error) {
	var all []string
	for _, p := range []string{under, path} {
		if p == "" {
			continue
		}
		own, err := spellings(p)
		if err != nil {
			return "", err
		}
		all = append(all, own[0]...)
	}
	return strings.Join(all, "."), nil
}

package record

import (
	"math"
	"slices"
	"strconv"

	"github.com/tinylib/msgp/msgp"
)

// Kind tells the events of a chunk apart.
type Kind uint8

const (
	Log       Kind = iota // a record
	Marker                // opens or closes a group of records
	Malformed             // not understood, or cut short
)

// Event is one event of a chunk. Its Values hold until the walker's next step; a copy of the rest, and the texts that
// Values pointed to, hold until the walker's next Release or Reset.
type Event struct {
	Extent
	Time   int64    // of a Log: nanoseconds since the epoch, from the record's time field when it has a valid one, else from the header
	Timed  bool     // the time is the record's own
	Unread bool     // it is not, though a field for the time has a value: see UnreadTime
	Values [][]byte // by Spec.Fields; nil when missing (absent, nil, map, ext, an array without a scalar); of an array its first scalar. Text aliases the chunk, the rest is rendered as text
}

// Extent is where an event is in its chunk and how it is made up. Many of them wait at a time, so it is small and has
// no pointers for the garbage collector to follow.
type Extent struct {
	Kind     Kind
	from, to int // of the event, header and body, in the chunk
	body     int // where the body's map header begins, counted from the event's beginning, as all that follows
	first    int // where its first pair begins
	pairs    uint32
	drops    struct{ from, to uint32 } // of the walker's: pairs to drop, in order
}

// span is a range of bytes in an event.
type span struct{ from, to int }

// Walker goes through the events of a chunk. It holds the scratch of one walk, so it serves one goroutine at a time.
type Walker struct {
	x       *Extractor
	chunk   []byte
	next    int // where the next event begins
	event   Event
	found   []int  // by slot: where in the chunk its value begins; before the event when not found
	text    []byte // values rendered as text
	drops   []span
	layouts layouts
	unread  int // of an event that is Unread: the time's slot whose value could not be read
}

// NewWalker returns a walker at the end of an empty chunk. Callers keep walkers and Reset them.
func (x *Extractor) NewWalker() *Walker {
	return &Walker{x: x, found: make([]int, x.total), event: Event{Values: make([][]byte, len(x.fields))}}
}

// Reset puts the walker before the first event of chunk. Reset(nil) releases the last chunk.
func (w *Walker) Reset(chunk []byte) {
	w.chunk, w.next = chunk, 0
	w.Release()
	w.event = Event{Values: w.event.Values}
	clear(w.event.Values)
	clear(w.found)
}

// Release takes back the memory that the events so far point to, except the chunk, for the next events. Memory that
// only an odd record needed is freed.
func (w *Walker) Release() {
	w.text, w.drops = kept(w.text, maxText), kept(w.drops, maxDrops)
}

// Bounds of the memory that a walker keeps between batches: text of numbers and pairs to drop, for some thousand
// records.
const (
	maxText  = 256 << 10
	maxDrops = 8 << 10
)

func kept[T any](s []T, most int) []T {
	if cap(s) > most {
		return nil
	}
	return s[:0]
}

// Event returns the event that Next reached.
func (w *Walker) Event() *Event { return &w.event }

// Next goes to the next event and reports whether there is one. The Raw bytes of all events, joined, are the chunk,
// whatever it holds: an object that is no event is Malformed, and where the bytes stop being msgpack, or are cut short,
// the rest is one Malformed event.
func (w *Walker) Next() bool {
	at := w.next
	if at >= len(w.chunk) {
		return false
	}
	e := &w.event
	e.Extent, e.Time, e.Timed, e.Unread = Extent{Kind: Malformed, from: at}, 0, false, false
	e.drops.from = uint32(len(w.drops))
	end := w.read(at)
	if end < 0 {
		e.Kind, e.Time = Malformed, 0
		if end = skip(w.chunk, at); end < 0 {
			end = len(w.chunk)
		}
	}
	e.to, e.drops.to = end, uint32(len(w.drops))
	if e.Kind == Log {
		w.resolve()
	} else {
		clear(e.Values)
	}
	w.next = end
	return true
}

// Raw returns an event's bytes.
func (w *Walker) Raw(e Extent) []byte { return w.chunk[e.from:e.to:e.to] }

// List appends to out the texts of the array, or the text, that a top-level key of the record has, the first most of
// them.
func (w *Walker) List(e Extent, name string, most int, out []string) []string {
	b := w.chunk[e.from:e.to]
	if at := valueOf(b, e, name); at >= 0 {
		return texts(b, at, most, out)
	}
	return out
}

// AppendInner appends to out an event with the header of e and, as its body, the map that a top-level key of the record
// has. Without such a map it returns out and false.
func (w *Walker) AppendInner(out []byte, e Extent, name string) ([]byte, bool) {
	b := w.chunk[e.from:e.to]
	at := valueOf(b, e, name)
	if at < 0 {
		return out, false
	}
	_, _, isMap := container(b, at, 2)
	end := skip(b, at)
	if !isMap || end < 0 {
		return out, false
	}
	return append(append(out, b[:e.body]...), b[at:end]...), true
}

// valueOf is where in an event's bytes the value of a top-level key of the record begins, -1 if there is none.
func valueOf(b []byte, e Extent, name string) int {
	for i, n := e.first, e.pairs; n > 0 && i >= 0; n-- {
		from, to, ok := text(b, i)
		value := skip(b, i)
		if value < 0 {
			break
		}
		if ok && string(b[from:to]) == name {
			return value
		}
		i = skip(b, value)
	}
	return -1
}

// texts appends the text at i, or those of the array there.
func texts(b []byte, i, most int, out []string) []string {
	if from, to, ok := text(b, i); ok {
		return append(out, string(b[from:to]))
	}
	n, at, ok := container(b, i, 1)
	for ; ok && n > 0 && most > 0 && at >= 0; n-- {
		if from, to, isText := text(b, at); isText {
			out = append(out, string(b[from:to]))
			most--
		}
		at = skip(b, at)
	}
	return out
}

// read parses the event at the offset and returns where it ends, or -1 when Fluent Bit would not take it for an event.
func (w *Walker) read(at int) int {
	b, e := w.chunk, &w.event
	i := w.header(at)
	if i < 0 {
		return -1
	}
	pairs, first, ok := container(b, i, 2)
	if !ok {
		return -1
	}
	e.body, e.first, e.pairs = i-at, first-at, uint32(pairs)
	if e.Kind == Marker {
		return skip(b, i)
	}
	return w.walk(w.x.root, first, pairs, at)
}

// header reads what precedes the body of the event at the offset, and returns where that begins, or -1.
func (w *Walker) header(at int) int {
	b, e := w.chunk, &w.event
	// As the host writes it where there is no metadata.
	const lead, stampSize = "\x92\x92\xd7\x00", 10
	if i := at + 2 + stampSize; i+5 <= len(b) && string(b[at:at+4]) == lead {
		none := 0
		if b[i] == 0x80 {
			none = 1
		} else if string(b[i:i+5]) == "\xdf\x00\x00\x00\x00" {
			none = 5
		}
		if none > 0 {
			var ok bool
			if e.Time, e.Kind, ok = headerTime(b[i-stampSize : i]); !ok {
				return -1
			}
			return i + none
		}
	}
	n, i, ok := container(b, at, 1)
	if !ok || n != 2 || i >= len(b) {
		return -1
	}
	n, stamp, metadata := container(b, i, 1)
	if !metadata {
		stamp = i
	} else if n != 2 {
		return -1
	}
	if i = skip(b, stamp); i < 0 {
		return -1
	}
	if e.Time, e.Kind, ok = headerTime(b[stamp:i]); !ok {
		return -1
	}
	if metadata {
		if _, _, ok := container(b, i, 2); !ok {
			return -1
		}
		i = skip(b, i)
	}
	return i
}

// walk goes through the pairs of a map from offset i on, notes where the wanted values are, and returns where the map
// ends, or -1. If a key is there twice, the last one counts, as in most readers of JSON.
func (w *Walker) walk(n *node, i int, pairs uint64, event int) int {
	b := w.chunk
	if pairs > uint64(len(b)-i)/2 { // a pair takes two bytes
		return -1
	}
	var h *layout
	if n == w.x.root {
		h = w.layouts.of(pairs)
	}
	for place := 0; pairs > 0; pairs-- {
		if h != nil {
			var known int
			known, i = h.follow(b, i, w.found, place, pairs)
			place += known
			if pairs -= uint64(known); pairs == 0 {
				break
			}
		}
		if i >= len(b) {
			return -1
		}
		at := i
		var k *key
		if from, to, ok := text(b, i); ok {
			k = n.match(b[from:to])
			i = to
			if h != nil && !h.learn(place, b, at, to, k) {
				h = nil
			}
		} else if i = skip(b, i); i < 0 {
			return -1
		}
		place++
		value := i
		if i = skip(b, i); i < 0 {
			return -1
		}
		if k == nil {
			continue
		}
		for _, s := range k.slots {
			w.found[s] = value
		}
		if k.child != nil {
			w.forget(k.child)
			if count, first, ok := container(b, value, 2); ok && w.walk(k.child, first, count, event) < 0 {
				return -1
			}
		}
		if k.drop {
			w.drops = append(w.drops, span{at - event, i - event})
		}
	}
	return i
}

// forget drops the values found in an earlier map with the same key.
func (w *Walker) forget(n *node) {
	for _, k := range n.keys {
		for _, s := range k.slots {
			w.found[s] = 0
		}
		if k.child != nil {
			w.forget(k.child)
		}
	}
}

// resolve picks each field's value and the time from what the walk found.
func (w *Walker) resolve() {
	for f, s := range w.x.fields {
		var v []byte
		for _, at := range w.found[s.from:s.to] {
			if at <= w.event.from {
				continue
			}
			next := w.render(at)
			if next == nil {
				continue
			}
			content := w.x.hasContent(next)
			if content || len(v) == 0 {
				v = next
			}
			if content {
				break
			}
		}
		w.event.Values[f] = v
	}
	for i, at := range w.found[w.x.time.from:w.x.time.to] {
		if at <= w.event.from {
			continue
		}
		if t, ok := fieldTime(w.chunk[at:]); ok {
			w.event.Time, w.event.Timed, w.event.Unread = t, true, false
			break
		}
		if !w.event.Unread && !w.isBlank(at) {
			w.event.Unread, w.unread = true, i
		}
	}
}

// isBlank tells whether the value at the offset is nil, or a text or list without content, as senders leave a field that
// has none.
func (w *Walker) isBlank(at int) bool {
	if from, to, ok := text(w.chunk, at); ok {
		return !w.x.hasContent(w.chunk[from:to])
	}
	switch msgp.NextType(w.chunk[at:]) {
	case msgp.NilType:
		return true
	case msgp.ArrayType:
		return !w.x.hasContent(w.render(at))
	}
	return false
}

// UnreadTime returns, of the event that Next reached and that is Unread, the path of the field for the time and the text
// of the value in it that could not be read; of an object that is no scalar the text is nil. It aliases the chunk, or
// holds until the walker's next Release or Reset.
func (w *Walker) UnreadTime() (path string, value []byte) {
	b := w.chunk[w.found[w.x.time.from+w.unread]:]
	switch msgp.NextType(b) {
	case msgp.ArrayType, msgp.MapType:
	default:
		value = w.render(len(w.chunk) - len(b))
	}
	return w.x.timePaths[w.unread], value
}

// render returns the scalar at the offset as text, and of an array its first scalar; nil for any other object.
func (w *Walker) render(at int) []byte {
	b := w.chunk[at:]
	if from, to, ok := text(b, 0); ok {
		return b[from:to:to]
	}
	if n, first, ok := container(b, 0, 1); ok {
		// Many shippers write a list where one value is meant, or list a host's addresses, the main one first.
		for i := first; n > 0; n-- {
			if _, _, nested := container(b, i, 1); !nested {
				if v := w.render(at + i); v != nil {
					return v
				}
			}
			if i = skip(b, i); i < 0 {
				break
			}
		}
		return nil
	}
	start := len(w.text)
	switch msgp.NextType(b) {
	case msgp.IntType:
		v, _, _ := msgp.ReadInt64Bytes(b)
		w.text = strconv.AppendInt(w.text, v, 10)
	case msgp.UintType:
		v, _, _ := msgp.ReadUint64Bytes(b)
		w.text = strconv.AppendUint(w.text, v, 10)
	case msgp.Float32Type:
		v, _, _ := msgp.ReadFloat32Bytes(b)
		w.text = AppendFloat(w.text, float64(v), 32)
	case msgp.Float64Type:
		v, _, _ := msgp.ReadFloat64Bytes(b)
		w.text = AppendFloat(w.text, v, 64)
	case msgp.BoolType:
		v, _, _ := msgp.ReadBoolBytes(b)
		w.text = strconv.AppendBool(w.text, v)
	default:
		return nil
	}
	return slices.Clip(w.text[start:])
}

// AppendFloat writes a float as the text of a value, as JSON does: no exponent for everyday magnitudes.
func AppendFloat(dst []byte, v float64, bits int) []byte {
	format := byte('f')
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, v, format, -1, bits)
}

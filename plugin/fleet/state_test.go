package fleet

import (
	"bytes"
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
)

// pair is a key pair that is the same in every run.
func pair(n byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{n}, ed25519.SeedSize))
	return private.Public().(ed25519.PublicKey), private
}

var (
	someGraph  = bytes.Repeat([]byte("graph "), 1000)
	someModel  = bytes.Repeat([]byte("model "), 500)
	someHeader = Header{Sequence: 7, Published: 1_700_000_000e9, Horizon: 1_699_999_000e9, Nodes: 3, Relations: 2, Edges: 5, GraphVersion: 2, ModelVersion: 2,
		Naming: "source = id.orig_h\ndestination = id.resp_h"}
)

// sealedSize is the length of the header of these tests.
var sealedSize = headerSize + len(someHeader.Naming)

func published(t testing.TB, key ed25519.PrivateKey) []byte {
	t.Helper()
	b, err := Append(nil, someHeader, someGraph, someModel, key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(b []byte, trust Trust) (h *Header, graph, model []byte, err error) {
	r := bytes.NewReader(b)
	if h, err = ReadHeader(r, trust); err == nil {
		graph, model, err = h.ReadPayload(r)
	}
	return h, graph, model, err
}

func TestWhatIsPublishedIsRead(t *testing.T) {
	public, private := pair(1)
	other, _ := pair(2)
	for what, c := range map[string]struct {
		key   ed25519.PrivateKey
		trust Trust
	}{
		"signed":                    {private, Trust{Keys: []ed25519.PublicKey{public}}},
		"signed, by one of two":     {private, Trust{Keys: []ed25519.PublicKey{other, public}}},
		"unsigned, as both want it": {nil, Trust{Unsigned: true}},
		"unsigned beside a key":     {nil, Trust{Keys: []ed25519.PublicKey{public}, Unsigned: true}},
		"signed, and nobody asks":   {private, Trust{Unsigned: true}},
	} {
		h, graph, model, err := read(published(t, c.key), c.trust)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if !bytes.Equal(graph, someGraph) || !bytes.Equal(model, someModel) {
			t.Errorf("%s: %d bytes of graph, %d of model", what, len(graph), len(model))
		}
		if h.Signed != (c.key != nil) || h.Sequence != 7 || h.Published != someHeader.Published || h.Horizon != someHeader.Horizon ||
			h.Nodes != 3 || h.Relations != 2 || h.Edges != 5 || h.GraphVersion != 2 || h.ModelVersion != 2 || h.Naming != someHeader.Naming {
			t.Errorf("%s: %+v", what, h)
		}
	}
}

// States of all sizes: below and above the window of the compression, compressible or not.
func TestSizes(t *testing.T) {
	public, private := pair(1)
	rng := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 1, 1000, 300_000, window - 1, window, window + 1, 3 * window} {
		graph, model := make([]byte, size), make([]byte, size/3)
		for i := range graph {
			graph[i] = byte(rng.Uint32() >> (i % 31))
		}
		b, err := Append(nil, someHeader, graph, model, private)
		if err != nil {
			t.Fatal(err)
		}
		h, g, m, err := read(b, Trust{Keys: []ed25519.PublicKey{public}})
		if err != nil || !bytes.Equal(g, graph) || !bytes.Equal(m, model) {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if want := int64(len(b) - sealedSize - sealSize + size + size/3); h.Memory() != want {
			t.Errorf("%d bytes: Memory is %d, want %d", size, h.Memory(), want)
		}
	}
}

func TestStatesThatAreRefused(t *testing.T) {
	public, private := pair(1)
	_, forger := pair(2)
	trust := Trust{Keys: []ed25519.PublicKey{public}}
	whole := published(t, private)
	change := func(b []byte, at int, v byte) []byte {
		b = bytes.Clone(b)
		b[at] ^= v
		return b
	}
	const at = len(magic) + 4 + 4 // of the sequence
	lengths := headerSize - keyIDSize - 32 - 3*8
	huge := bytes.Clone(published(t, nil))
	binary.LittleEndian.PutUint64(huge[lengths:], 1<<60)
	copy(huge[sealedSize:], seal(huge[:sealedSize], nil))
	long, binaryText := bytes.Clone(whole), bytes.Clone(published(t, nil))
	binary.LittleEndian.PutUint32(long[lengths-4:], MaxNaming+1)
	binaryText[sealedSize-1] = 0x1b
	copy(binaryText[sealedSize:], seal(binaryText[:sealedSize], nil))
	for what, c := range map[string]struct {
		b     []byte
		trust Trust
		want  string
	}{
		"empty":                    {nil, trust, "no published state"},
		"a page of a proxy":        {[]byte("<html>sign in"), trust, "no published state"},
		"only its magic":           {whole[:len(magic)], trust, "truncated: 8 of at least"},
		"cut in the header":        {whole[:headerSize-1], trust, "truncated: "},
		"cut in its text":          {whole[:headerSize+3], trust, "truncated: "},
		"with other names":         {change(whole, headerSize, 1), trust, "its signature does not fit"},
		"with a book about names":  {long, trust, "it claims 16385 bytes of text about names, allowed are 16384"},
		"with an escape sequence":  {binaryText, Trust{Unsigned: true}, "its text about names is none"},
		"cut in the payload":       {whole[:len(whole)-1], trust, "truncated: "},
		"longer than it says":      {append(bytes.Clone(whole), 0), trust, "goes on behind its end"},
		"of a later version":       {change(whole, len(magic), 3), trust, "it is of version 2, this filter reads version 1"},
		"with another sequence":    {change(whole, at, 1), trust, "its signature does not fit"},
		"with another signature":   {change(whole, sealedSize, 1), trust, "its signature does not fit"},
		"with another payload":     {change(whole, len(whole)-3, 1), trust, "its payload is damaged"},
		"of another key":           {published(t, forger), trust, "which is not in state.key"},
		"unsigned":                 {published(t, nil), trust, "it is not signed, and state.unsigned is false"},
		"unsigned and damaged":     {change(published(t, nil), at, 1), Trust{Unsigned: true}, "its header is damaged"},
		"with the flag taken away": {change(whole, len(magic)+4, 1), Trust{Unsigned: true, Keys: trust.Keys}, "names a key and is not signed"},
		"with unknown flags":       {change(whole, len(magic)+4, 4), trust, "its flags are 0x5"},
		"with a claim of exabytes": {huge, Trust{Unsigned: true}, "allowed are 16384"},
	} {
		if _, _, _, err := read(c.b, c.trust); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
}

// A state that uncompresses to more than it says takes no more memory than that.
func TestAPayloadThatIsLargerThanItSays(t *testing.T) {
	for size, want := range map[int]string{64 << 20: "does not uncompress to 1000 bytes", 5000: "uncompresses to 5000 bytes, want 1000"} {
		b, err := Append(nil, someHeader, make([]byte, size), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		lengths := headerSize - keyIDSize - 32 - 3*8
		binary.LittleEndian.PutUint64(b[lengths:], 1000)
		copy(b[sealedSize:], seal(b[:sealedSize], nil))
		if _, _, _, err := read(b, Trust{Unsigned: true}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// allocated is how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// What a payload takes while it is read grows with what comes, and not beyond what the header says.
func TestMemoryOfAPayloadThatIsRead(t *testing.T) {
	const mib = 1 << 20
	for what, c := range map[string]struct{ claimed, comes, most uint64 }{
		"all of it":    {32 * mib, 32 * mib, 32*mib + 32*mib/3 + mib},
		"one of GiBs":  {most / 2, mib / 4, mib},
		"one of a MiB": {mib, 0, mib},
	} {
		h := Header{payload: c.claimed, graph: c.claimed}
		zero := io.LimitReader(zeros{}, int64(c.comes))
		took := allocated(func() {
			if _, _, err := h.ReadPayload(zero); err == nil {
				t.Errorf("%s: taken", what)
			}
		})
		if took > c.most {
			t.Errorf("%s: %d KiB were allocated for %d KiB that came, %d are allowed", what, took>>10, c.comes>>10, c.most>>10)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A state that is compressed as no graph is takes what it uncompresses to, and one that only claims so nothing.
func TestAPayloadThatIsSmallForWhatItSays(t *testing.T) {
	const size = 8 << 20
	b, err := Append(nil, someHeader, make([]byte, size), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var graph []byte
	took := allocated(func() { _, graph, _, err = read(b, Trust{Unsigned: true}) })
	if err != nil || len(graph) != size || took > size+2*window+4<<20 { // the window has two halves
		t.Errorf("%d bytes, %d MiB were allocated, %v", len(graph), took>>20, err)
	}
	lengths := headerSize - keyIDSize - 32 - 3*8
	binary.LittleEndian.PutUint64(b[lengths:], 1<<30)
	copy(b[sealedSize:], seal(b[:sealedSize], nil))
	took = allocated(func() { _, _, _, err = read(b, Trust{Unsigned: true}) })
	if want := "uncompresses to 8388608 bytes, want 1073741824"; err == nil || !strings.Contains(err.Error(), want) || took > 2*window+4<<20 {
		t.Errorf("%d MiB were allocated, %v, want %q", took>>20, err, want)
	}
}

// What compresses to more than it was, and by more than compression ever adds, is no state.
func TestAPayloadThatIsLargerThanWhatIsInIt(t *testing.T) {
	b := published(t, nil)
	lengths := headerSize - keyIDSize - 32 - 3*8
	binary.LittleEndian.PutUint64(b[lengths+16:], 200<<20)
	copy(b[sealedSize:], seal(b[:sealedSize], nil))
	if _, _, _, err := read(b, Trust{Unsigned: true}); err == nil || !strings.Contains(err.Error(), "it claims a payload of 209715200 bytes that uncompresses to 9000") {
		t.Error(err)
	}
}

func TestAReaderThatFails(t *testing.T) {
	public, private := pair(1)
	whole := published(t, private)
	lost := errors.New("connection reset")
	for _, n := range []int{0, headerSize - 1, headerSize + 1, sealedSize + sealSize + 5} {
		r := io.MultiReader(bytes.NewReader(whole[:n]), iotest.ErrReader(lost))
		h, err := ReadHeader(r, Trust{Keys: []ed25519.PublicKey{public}})
		if err == nil {
			_, _, err = h.ReadPayload(r)
		}
		if !errors.Is(err, lost) {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// FuzzRead takes any bytes for a published state: they are refused, or they hold what Append makes of the same.
func FuzzRead(f *testing.F) {
	public, private := pair(1)
	f.Add(published(f, private))
	f.Add(published(f, nil))
	f.Add([]byte(magic))
	trust := Trust{Keys: []ed25519.PublicKey{public}, Unsigned: true}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, graph, model, err := read(b, trust)
		if err != nil {
			return
		}
		if h.Signed && !bytes.Equal(b, published(t, private)) {
			t.Fatalf("%x has a signature that nobody gave", b)
		}
		again, err := Append(nil, *h, graph, model, nil)
		if err != nil {
			t.Fatal(err)
		}
		h2, graph2, model2, err := read(again, trust)
		if err != nil || !bytes.Equal(graph, graph2) || !bytes.Equal(model, model2) || h2.Sequence != h.Sequence || h2.Horizon != h.Horizon || h2.Naming != h.Naming {
			t.Fatalf("%x reads otherwise after it was written again: %v", b, err)
		}
	})
}

// What it takes to make a state is within what was foretold, whether or not it can be compressed.
func TestAppendBytes(t *testing.T) {
	if testing.Short() {
		t.Skip("the race detector allocates, too")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for _, size := range []int{0, 100 << 10, 300 << 10, 1 << 20, 2<<20 + 1, 32 << 20} {
		same, noise := make([]byte, size), make([]byte, size)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		for _, graph := range [][]byte{same, noise} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b, err := Append(nil, someHeader, graph, someModel, nil)
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			took, foretold := int64(after.TotalAlloc-before.TotalAlloc), AppendBytes(int64(size+len(someModel)))
			if took > foretold || foretold > took+tableBytes+2*int64(size) {
				t.Errorf("a state of %d KiB, compressed %d, took %d KiB, foretold %d", size>>10, len(b)>>10, took>>10, foretold>>10)
			}
			h, err := ReadHeader(bytes.NewReader(b), Trust{Unsigned: true})
			if err != nil {
				t.Fatal(err)
			}
			if again, _, err := h.ReadPayload(bytes.NewReader(b[len(b)-int(h.payload):])); err != nil || !bytes.Equal(again, graph) {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	}
}

// A state is appended behind what is there.
func TestAppendBehind(t *testing.T) {
	b, err := Append([]byte("before"), someHeader, someGraph, someModel, nil)
	if err != nil || string(b[:6]) != "before" {
		t.Fatalf("%.6q, %v", b, err)
	}
	if _, err := ReadHeader(bytes.NewReader(b[6:]), Trust{Unsigned: true}); err != nil {
		t.Error(err)
	}
}

package fleet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// A published state is a header, its seal, and a payload: graph and model one behind the other, compressed by zstd. The
// header has a part of fixed length and a text, how names are made. The seal is an ed25519 signature over the header,
// which holds the SHA-256 of the payload. Without a key it is the SHA-256 of the header, which finds damage and stops
// nobody. All numbers are little-endian.
const (
	magic   = "RGCNPUBL"
	version = 1

	headerSize = len(magic) + 4 + 4 + 8 + 8 + 8 + 3*4 + 2*4 + 4 + 3*8 + sha256.Size + keyIDSize
	sealSize   = ed25519.SignatureSize

	signedFlag = 1

	// MaxNaming is how many bytes the text may have that tells how names are made: some thirty fields of the longest
	// paths that anybody writes.
	MaxNaming = 16 << 10

	// most is how large graph and model may be together, uncompressed: some ten times what 50 million triplets take.
	// Below it, memory is the limit: see Header.Memory.
	most = 16 << 30
)

// Header is what is known of a published state before its payload is read.
type Header struct {
	Signed   bool
	Sequence uint64 // grows from one state of a trainer to the next
	// Published is when the trainer published it, by its clock; Horizon is up to which event time its graph has all
	// that the trainer got. In nanoseconds of Unix time.
	Published, Horizon int64

	Nodes, Relations, Edges    uint32 // of the graph
	GraphVersion, ModelVersion uint32 // of their bytes

	// Naming tells how the trainer names hosts and relations, in lines of printable text. What it says is not looked at
	// here; it has MaxNaming bytes at most.
	Naming string

	graph, model, payload uint64 // bytes: of graph and model as they are, and of both compressed
	digest                [sha256.Size]byte
	key                   keyID // zero: not signed
}

// Memory is how many bytes reading the payload takes: that many in the end, and hardly more before.
func (h *Header) Memory() int64 { return int64(h.payload + h.graph + h.model) }

// GraphBytes is how many of them are the graph's, uncompressed.
func (h *Header) GraphBytes() int64 { return int64(h.graph) }

// PublishedAt is Published as a time.
func (h *Header) PublishedAt() time.Time { return time.Unix(0, h.Published).UTC() }

func (h *Header) append(b []byte) []byte {
	le := binary.LittleEndian
	b = append(b, magic...)
	b = le.AppendUint32(b, version)
	flags := uint32(0)
	if h.Signed {
		flags = signedFlag
	}
	b = le.AppendUint32(b, flags)
	for _, v := range [...]uint64{h.Sequence, uint64(h.Published), uint64(h.Horizon)} {
		b = le.AppendUint64(b, v)
	}
	for _, v := range [...]uint32{h.Nodes, h.Relations, h.Edges, h.GraphVersion, h.ModelVersion, uint32(len(h.Naming))} {
		b = le.AppendUint32(b, v)
	}
	for _, v := range [...]uint64{h.graph, h.model, h.payload} {
		b = le.AppendUint64(b, v)
	}
	b = append(b, h.digest[:]...)
	b = append(b, h.key[:]...)
	return append(b, h.Naming...)
}

// parse is the inverse of append for the part of fixed length, of the right magic and version. It returns the length of
// the text that follows.
func (h *Header) parse(b []byte) (naming int, err error) {
	le := binary.LittleEndian
	b = b[len(magic)+4:]
	u32 := func() uint32 { v := le.Uint32(b); b = b[4:]; return v }
	u64 := func() uint64 { v := le.Uint64(b); b = b[8:]; return v }
	flags := u32()
	h.Signed = flags == signedFlag
	h.Sequence, h.Published, h.Horizon = u64(), int64(u64()), int64(u64())
	h.Nodes, h.Relations, h.Edges, h.GraphVersion, h.ModelVersion = u32(), u32(), u32(), u32(), u32()
	length := u32()
	h.graph, h.model, h.payload = u64(), u64(), u64()
	copy(h.digest[:], b)
	copy(h.key[:], b[sha256.Size:])
	switch {
	case flags > signedFlag:
		return 0, fmt.Errorf("its flags are %#x, want 0 or %d: it is damaged or forged", flags, signedFlag)
	case !h.Signed && h.key != keyID{}:
		return 0, errors.New("it names a key and is not signed: it is damaged or forged")
	case h.graph > most || h.model > most || h.graph+h.model > most || h.payload > most:
		return 0, fmt.Errorf("it claims a payload of %d MiB, %d MiB uncompressed, allowed are %d: it is damaged or forged",
			h.payload>>20, (h.graph+h.model)>>20, most>>20)
	case h.payload > (h.graph+h.model)/256*257+1<<16: // compression adds less, whatever it is given
		return 0, fmt.Errorf("it claims a payload of %d bytes that uncompresses to %d: it is damaged or forged", h.payload, h.graph+h.model)
	case length > MaxNaming:
		return 0, fmt.Errorf("it claims %d bytes of text about names, allowed are %d: it is damaged or forged", length, MaxNaming)
	}
	return int(length), nil
}

// checkNaming returns why a text is none that a header may have.
func checkNaming(text string) error {
	if len(text) > MaxNaming {
		return fmt.Errorf("its text about names has %d bytes, allowed are %d", len(text), MaxNaming)
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
		return errors.New("its text about names is none")
	}
	return nil
}

// seal is what stands behind the header: the signature of key, or a checksum where key is nil.
func seal(header []byte, key ed25519.PrivateKey) []byte {
	if key != nil {
		return ed25519.Sign(key, header)
	}
	sum := sha256.Sum256(header)
	return append(sum[:], make([]byte, sealSize-sha256.Size)...)
}

// ReadHeader reads the header of a published state and checks its seal. What it returns without an error is what a
// trusted key has signed, or, where that is allowed, an unsigned header that is whole. A signed header for which there is
// no key is taken as it is where unsigned ones are allowed: without the key, nothing tells whether it is whole. The
// payload is the rest of r: see Header.ReadPayload.
func ReadHeader(r io.Reader, trust Trust) (*Header, error) {
	b := make([]byte, headerSize, headerSize+sealSize)
	n, err := io.ReadFull(r, b)
	switch {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, err
	case n < len(magic) || string(b[:len(magic)]) != magic:
		return nil, errors.New("that is no published state: it does not begin as one does")
	case n < len(magic)+4:
		return nil, truncated(n, headerSize+sealSize)
	}
	if v := binary.LittleEndian.Uint32(b[len(magic):]); v != version {
		return nil, fmt.Errorf("it is of version %d, this filter reads version %d: bring trainer and scorers to the same release", v, version)
	}
	if n < len(b) {
		return nil, truncated(n, headerSize+sealSize)
	}
	h := new(Header)
	naming, err := h.parse(b)
	if err != nil {
		return nil, err
	}
	b = append(b, make([]byte, naming+sealSize)...)
	switch more, err := io.ReadFull(r, b[n:]); {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, truncated(n+more, len(b))
	case err != nil:
		return nil, err
	}
	header, sealed := b[:headerSize+naming], b[headerSize+naming:]
	if err := trust.check(h, header, sealed); err != nil {
		return nil, err
	}
	h.Naming = string(header[headerSize:])
	if err := checkNaming(h.Naming); err != nil {
		return nil, err
	}
	return h, nil
}

func truncated(n, want int) error {
	return fmt.Errorf("it is truncated: %d of at least %d bytes", n, want)
}

// check returns why a header is not to be trusted.
func (t Trust) check(h *Header, header, sealed []byte) error {
	if !h.Signed {
		if !t.Unsigned {
			return errors.New("it is not signed, and state.unsigned is false: it is forged, or the trainer has no publish_key")
		}
		if !bytes.Equal(sealed, seal(header, nil)) {
			return errors.New("its header is damaged: the checksum does not fit")
		}
		return nil
	}
	if t.Unsigned && len(t.Keys) == 0 {
		return nil // whoever takes unsigned states by choice cannot be told whose this one is
	}
	for _, key := range t.Keys {
		if idOf(key) != h.key {
			continue
		}
		if !ed25519.Verify(key, header, sealed) {
			return errors.New("its signature does not fit: it is damaged or forged")
		}
		return nil
	}
	return fmt.Errorf("it is signed by the key %s, which is not in state.key: it is forged, or of another trainer", h.key)
}

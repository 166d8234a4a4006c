package testhost

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/filter"
)

// properties is the filter's host in this process.
type properties map[string]string

func (p properties) Property(key string) (string, bool) { v, ok := p[key]; return v, ok }
func (properties) Log(filter.Level, string)             {}

// mutate damages a chunk in a few places: bits, lengths, pieces that are lost, doubled or another chunk's.
func mutate(rng *rand.Rand, chunk, other []byte) []byte {
	b := slices.Clone(chunk)
	for range 1 + rng.IntN(4) {
		if len(b) == 0 {
			break
		}
		at := rng.IntN(len(b))
		to := min(at+rng.IntN(40), len(b))
		switch rng.IntN(7) {
		case 0:
			b[at] ^= 1 << rng.IntN(8)
		case 1: // a header of msgpack, of whatever there is
			b[at] = byte(0x80 + rng.IntN(0x80))
		case 2:
			b = b[:at]
		case 3:
			b = slices.Delete(b, at, to)
		case 4:
			b = slices.Insert(b, at, b[at:to]...)
		case 5:
			from := rng.IntN(len(other))
			b = append(b[:at], other[from:]...)
		case 6: // a length of up to 4 GB
			if at+5 <= len(b) {
				b[at] = []byte{0xc6, 0xc9, 0xdb, 0xdd, 0xdf}[rng.IntN(5)]
				binary.BigEndian.PutUint32(b[at+1:], rng.Uint32()>>rng.IntN(32))
			}
		}
	}
	return b
}

// TestChunksThatGrow passes chunks of short records, to which far more is added than they hold: what comes out is what
// the filter makes of them without a host, of the first chunk, for which there was too little room, and of those after
// it.
func TestChunksThatGrow(t *testing.T) {
	settings := properties{"train_interval": "0", "preset": "custom", "source": "s", "destination": "d", "relation": "c", "explain": "on"}
	f, err := filter.NewOffline(settings)
	if err != nil {
		t.Fatal(err)
	}
	var chunks, want [][]byte
	for i := range 6 {
		var chunk []byte
		for j := range 2000 {
			body := msgp.AppendMapHeader(nil, 3)
			for _, field := range []string{"s", "d", "c"} {
				body = msgp.AppendString(msgp.AppendString(body, field), strconv.Itoa(j%(5+i)))
			}
			chunk = append(chunk, event(int32(1331901011+i*2000+j), body)...)
		}
		out, modified := f.Process(nil, chunk)
		if !modified || len(out) < 2*len(chunk) {
			t.Fatalf("a chunk of %d bytes becomes %d, want more than twice as many", len(chunk), len(out))
		}
		chunks, want = append(chunks, chunk), append(want, out)
	}
	args := []string{sharedObject}
	for key, value := range settings {
		args = append([]string{"--prop", key + "=" + value}, args...)
	}
	for _, program := range []string{host, checkedHost} {
		if program == "" {
			continue
		}
		r := run(t, program, chunks, args...)
		if got := r.chunks(t); r.code != 0 || !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("exit code %d, %d chunks of %d, or others\n%s", r.code, len(got), len(want), strings.Join(r.with("error"), "\n"))
		}
	}
}

// TestMutatedChunks passes damaged chunks of records through the shared object, each where no memory is behind its end,
// and once more under AddressSanitizer. What comes out is, byte for byte, what the filter makes of them without a host.
// RGCN_MUTANTS=200000 for more than the two thousand of every day, with all of the shared object, Go and C, under the
// sanitizer.
func TestMutatedChunks(t *testing.T) {
	const batch = 2000
	mutants, checked := batch, sharedObject
	if n, err := strconv.Atoi(os.Getenv("RGCN_MUTANTS")); err == nil && checkedHost != "" {
		mutants, checked = n, filepath.Join(t.TempDir(), filepath.Base(sharedObject))
		if out, err := exec.Command("go", "build", "-asan", "-buildmode=c-shared", "-o", checked, "../../plugin").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	real := slices.Concat(sshChunks(t, 100, 1), sshChunks(t, 100, 5))
	rng := rand.New(rand.NewPCG(7, 8))
	scoredChunks, untouched := 0, 0
	for seen := 0; seen < mutants; seen += batch {
		var chunks [][]byte
		for range batch {
			chunks = append(chunks, mutate(rng, real[rng.IntN(len(real))], real[rng.IntN(len(real))]))
		}
		f, err := filter.NewOffline(properties{"train_interval": "0"})
		if err != nil {
			t.Fatal(err)
		}
		var want [][]byte
		for _, c := range chunks {
			out, modified := f.Process(nil, c)
			if modified {
				scoredChunks++
			} else {
				untouched++
				out = c
			}
			want = append(want, out)
		}
		try := func(name, program string, args ...string) {
			r := run(t, program, chunks, slices.Concat(noTraining, args)...)
			got := r.chunks(t)
			if r.code != 0 || len(got) != len(want) {
				t.Fatalf("%s: exit code %d, %d chunks of %d\n%s", name, r.code, len(got), len(want), strings.Join(r.with("error"), "\n"))
			}
			for i := range got {
				if !bytes.Equal(got[i], want[i]) {
					t.Fatalf("%s: of %x came\n%x, want\n%x", name, chunks[i], got[i], want[i])
				}
			}
		}
		try("guarded", host, "--guard", sharedObject)
		if checkedHost != "" {
			try("sanitized", checkedHost, checked)
		}
	}
	t.Logf("%d mutants with a record that was scored, %d without", scoredChunks, untouched)
	if scoredChunks < mutants/4 || untouched < mutants/50 {
		t.Errorf("%d mutants with a record that was scored, %d without: the damage is too great or too small to tell anything", scoredChunks, untouched)
	}
}

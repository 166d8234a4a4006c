package logfile

import (
	"bytes"
	"slices"
)

// ContentError is a file that holds no lines of text, so that no setting makes records of it.
type ContentError struct {
	What   string // it holds
	Remedy string
	UTF16  bool // a host that is told so can read it
}

func (e *ContentError) Error() string { return e.What + ": " + e.Remedy }

// Of the beginning of a file, headSize bytes are looked at, and fewer than leastHead of them tell nothing but by a mark.
const (
	headSize  = 1024
	leastHead = 32
)

// marks are what files that are no text begin with.
var marks = []struct {
	mark string
	err  ContentError
}{
	{"\xff\xfe\x00\x00", ContentError{What: "UTF-32 text, want UTF-8", Remedy: "convert it (iconv -f UTF-32 -t UTF-8)"}},
	{"\xff\xfe", inUTF16("")},
	{"\xfe\xff", inUTF16("")},
	{"\x28\xb5\x2f\xfd", compressed("zstd", "zstd -dc")},
	{"\xfd7zXZ\x00", compressed("xz", "xz -dc")},
	{"BZh", compressed("bzip2", "bzip2 -dc")},
	{"\x04\x22\x4d\x18", compressed("lz4", "lz4 -dc")},
	{"PK\x03\x04", compressed("zip", "unzip -p")},
}

func compressed(by, with string) ContentError {
	return ContentError{What: "compressed by " + by + ", want text or gzip", Remedy: "decompress it first (" + with + ")"}
}

// inUTF16 is for a byte order of iconv, "" where a mark in the file tells it.
func inUTF16(order string) ContentError {
	return ContentError{What: "UTF-16 text, want UTF-8", Remedy: "convert it (iconv -f UTF-16" + order + " -t UTF-8)", UTF16: true}
}

// otherContent is why the file that begins with head is no text, nil where it may be. Text in any encoding that has the
// letters of ASCII passes, and so do zeros in front: who truncates a log that another writes leaves them.
func otherContent(head []byte) error {
	head = head[:min(len(head), headSize)]
	for i := range marks {
		if m := &marks[i]; bytes.HasPrefix(head, []byte(m.mark)) && (m.mark != "BZh" || bytes.HasPrefix(head[min(len(head), 4):], []byte("1AY&SY"))) {
			return &m.err
		}
	}
	if len(head) >= leastHead {
		var zeros [2]int // at even and at odd places
		for i, c := range head {
			if c == 0 {
				zeros[i%2]++
			}
		}
		const most, few = 3, 20 // one in four of a kind may be none, and one in twenty of the other one
		half := len(head) / 2
		for i, order := range []string{"BE", "LE"} {
			if zeros[i]*4 >= half*most && zeros[1-i]*few <= half {
				err := inUTF16(order)
				return &err
			}
		}
	}
	text := bytes.TrimLeft(head, "\x00 \t\r\n")
	if len(text) < leastHead || text[0] == '{' || text[0] == '#' {
		return nil
	}
	controls := 0
	for _, c := range text {
		if c < ' ' && !slices.Contains([]byte("\b\t\n\v\f\r\x1b"), c) || c == 0x7f {
			controls++
		}
	}
	if controls*20 > len(text) { // among random bytes one in ten is, in text hardly any
		return &ContentError{What: "no text", Remedy: "name a log: lines of JSON or of sshd, or tab-separated ones"}
	}
	return nil
}

package record

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/build/samples"
)

// raw is msgpack that a test writes by hand.
type raw string

// extTime is Fluent Bit's time as ext type 0.
func extTime(seconds, nanos uint32) raw {
	b := binary.BigEndian.AppendUint32([]byte{0xd7, 0}, seconds)
	return raw(binary.BigEndian.AppendUint32(b, nanos))
}

// object is a map that keeps the order of its keys and may hold one twice: key, value, key, value.
type object []any

func appendAny(b []byte, v any) []byte {
	switch v := v.(type) {
	case raw:
		return append(b, v...)
	case object:
		b = msgp.AppendMapHeader(b, uint32(len(v)/2))
		for _, x := range v {
			b = appendAny(b, x)
		}
		return b
	case []any:
		b = msgp.AppendArrayHeader(b, uint32(len(v)))
		for _, x := range v {
			b = appendAny(b, x)
		}
		return b
	}
	b, err := msgp.AppendIntf(b, v)
	if err != nil {
		panic(err)
	}
	return b
}

const testSeconds = 1700000000

func logEvent(body any) []byte {
	return appendAny(nil, []any{[]any{extTime(testSeconds, 5), object{}}, body})
}

// tailEvent is a record as the host's tail input writes it, with room for 2^32 pairs in each map.
func tailEvent(body object) []byte {
	wide := func(o object) raw {
		b := appendMapHeader(nil, 5, uint32(len(o)/2))
		for _, x := range o {
			b = appendAny(b, x)
		}
		return raw(b)
	}
	return appendAny(nil, []any{[]any{extTime(testSeconds, 5), wide(nil)}, wide(body)})
}

// sessions returns the rows of samples.Sessions as the records that a JSON or regex parser would make of them.
func sessions(t testing.TB) []object {
	t.Helper()
	names := strings.Fields("ts uid id.orig_h id.orig_p id.resp_h id.resp_p status direction client server country region city lat long")
	var all []object
	for s := bufio.NewScanner(bytes.NewReader(samples.Sessions(t))); s.Scan(); {
		var o object
		for i, v := range strings.Split(s.Text(), "\t") {
			o = append(o, names[i], v)
		}
		all = append(all, o)
	}
	if len(all) != samples.Rows {
		t.Fatalf("%d sessions, want %d", len(all), samples.Rows)
	}
	return all
}

// decoded is an event as msgp's own functions see it: its header, and its body in order.
type decoded struct {
	header raw
	keys   []any
	values []any
}

// decode reads one event. Keys and values that are text, as str or bin, become strings; the rest stays as its bytes.
func decode(b []byte) (d decoded, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil || n != 2 {
		return d, fmt.Errorf("array of %d: %v", n, err)
	}
	rest, err := msgp.Skip(b)
	if err != nil {
		return d, err
	}
	d.header = raw(b[:len(b)-len(rest)])
	pairs, b, err := msgp.ReadMapHeaderBytes(rest)
	if err != nil {
		return d, err
	}
	for range pairs {
		var k, v any
		if k, b, err = decodeAny(b); err != nil {
			return d, err
		}
		if v, b, err = decodeAny(b); err != nil {
			return d, err
		}
		d.keys, d.values = append(d.keys, k), append(d.values, v)
	}
	if len(b) != 0 {
		return d, fmt.Errorf("%d bytes left", len(b))
	}
	return d, nil
}

func decodeAny(b []byte) (v any, rest []byte, err error) {
	if s, rest, err := msgp.ReadMapKeyZC(b); err == nil {
		return string(s), rest, nil
	}
	rest, err = msgp.Skip(b)
	return raw(b[:len(b)-len(rest)]), rest, err
}

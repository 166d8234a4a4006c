package triplet

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"flb-filter-rgcn/plugin/zeek"
)

// encodedTag begins the keys of tags that a text of JSON would not keep as they are.
const encodedTag = "\x00"

// savedTag is a tag as a key in a state: as it is, or, where it is no UTF-8, in base64.
func savedTag(tag string) string {
	if utf8.ValidString(tag) && !strings.HasPrefix(tag, encodedTag) {
		return tag
	}
	return encodedTag + base64.StdEncoding.EncodeToString([]byte(tag))
}

// tagOf is the tag of such a key.
func tagOf(key string) []byte {
	if text, ok := strings.CutPrefix(key, encodedTag); ok {
		if tag, err := base64.StdEncoding.DecodeString(text); err == nil {
			return tag
		}
	}
	return []byte(key)
}

// savedHeader is a header as a state keeps it: an object, or the list of the columns' names alone, where all else is
// usual. Versions that know no types read the names and the separator of the object.
type savedHeader zeek.Header

// headerFields are the keys of the object. All but the first two may be missing in one of an older version: then no
// type is known, and the others are Zeek's usual ones.
type headerFields struct {
	Columns      []string
	Separator    string
	Bytes        []byte `json:",omitempty"` // the separator, where it is no UTF-8
	Types        []string
	SetSeparator string
	Empty, Unset string
}

// fieldsOf returns the fields of a header.
func fieldsOf(h zeek.Header) headerFields {
	f := headerFields{Separator: string(h.Separator), SetSeparator: string(h.SetSeparator), Empty: string(h.Empty), Unset: string(h.Unset)}
	if !utf8.Valid(h.Separator) {
		f.Bytes = h.Separator
	}
	typed := false
	for _, c := range h.Columns {
		f.Columns = append(f.Columns, c.Name)
		f.Types = append(f.Types, c.Type.String())
		typed = typed || c.Type != zeek.String
	}
	if !typed {
		f.Types = nil
	}
	return f
}

// usual tells whether all but the columns' names is as without a header.
func (f *headerFields) usual() bool {
	u := fieldsOf(zeek.NewHeader())
	return f.Types == nil && f.Separator == u.Separator && f.SetSeparator == u.SetSeparator && f.Empty == u.Empty && f.Unset == u.Unset
}

// MarshalJSON implements json.Marshaler.
func (s savedHeader) MarshalJSON() ([]byte, error) {
	f := fieldsOf(zeek.Header(s))
	if f.usual() {
		return json.Marshal(f.Columns)
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *savedHeader) UnmarshalJSON(b []byte) error {
	f := fieldsOf(zeek.NewHeader())
	into := any(&f)
	if bytes.HasPrefix(b, []byte("[")) {
		into = &f.Columns
	}
	if err := json.Unmarshal(b, into); err != nil {
		return err
	}
	if len(f.Types) > 0 && len(f.Types) != len(f.Columns) {
		return fmt.Errorf("%d types of %d columns, want one for each", len(f.Types), len(f.Columns))
	}
	if len(f.Bytes) > 0 {
		f.Separator = string(f.Bytes)
	}
	*s = savedHeader{Separator: []byte(f.Separator), SetSeparator: []byte(f.SetSeparator), Empty: []byte(f.Empty), Unset: []byte(f.Unset)}
	for i, name := range f.Columns {
		c := zeek.Column{Name: name}
		if len(f.Types) > 0 {
			c.Type = zeek.TypeOf(f.Types[i])
		}
		s.Columns = append(s.Columns, c)
	}
	return nil
}

package simulate

import (
	"strconv"
	"strings"
)

// AppendNDJSON appends a session as one line of JSON, with its line end, under
// the names of Zeek's ssh.log, plus user, label and note where there are any.
// Direction stands only where one end is outside, as in Zeek. No value needs
// escaping.
func AppendNDJSON(dst []byte, s *Session) []byte {
	dst = append(dst, `{"ts":`...)
	dst = strconv.AppendInt(dst, s.Time.Unix(), 10)
	point := len(dst)
	dst = strconv.AppendInt(dst, int64(1_000_000+s.Time.Nanosecond()/1000), 10)
	dst[point] = '.' // for the leading 1, which kept the zeros
	dst = appendField(dst, "uid", s.UID)
	dst = appendField(dst, "id.orig_h", s.Source)
	dst = strconv.AppendInt(append(dst, `,"id.orig_p":`...), int64(s.SourcePort), 10)
	dst = appendField(dst, "id.resp_h", s.Destination)
	dst = append(dst, `,"id.resp_p":22,"version":2,"auth_success":`...)
	dst = strconv.AppendBool(dst, s.AuthSuccess)
	dst = strconv.AppendInt(append(dst, `,"auth_attempts":`...), int64(s.AuthAttempts), 10)
	if !strings.HasPrefix(s.Source, "10.") {
		dst = appendField(dst, "direction", "INBOUND")
	}
	dst = appendField(dst, "client", s.Client)
	dst = appendField(dst, "server", s.Server)
	dst = appendField(dst, "user", s.User)
	if s.Label != "" {
		dst = appendField(dst, "label", s.Label)
	}
	if s.Note != "" {
		dst = appendField(dst, "note", s.Note)
	}
	return append(dst, "}\n"...)
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":"`...)
	return append(append(dst, value...), '"')
}

package filter

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tinylib/msgp/msgp"

	"flb-filter-rgcn/plugin/config"
	"flb-filter-rgcn/plugin/record"
	"flb-filter-rgcn/plugin/triplet"
)

const (
	maxKeys    = 12 // of a record that is not understood, named in a warning
	maxKeyName = 32 // bytes of such a key
	// maxTried is how many of its values are looked into for what would make it understood: records wait for it, and whoever
	// sends one with ten thousand objects in it would have them wait for half a minute.
	maxTried = 64
)

// explain tells of a record that is not understood what would most likely help, and what was looked for and which keys
// it has.
func (f *fit) explain(event []byte) (remedy, more string) {
	c := &f.cfg.Fields
	looked := fmt.Sprintf("Looked for source %s and destination %s (preset %s).", pathsOf(c.Source), pathsOf(c.Destination), c.Preset)
	if c.SSHD {
		looked = fmt.Sprintf("Looked for a message of sshd in %s (preset %s).", strings.Join(c.Message, " else "), c.Preset)
	}
	if c.Under != "" {
		looked += fmt.Sprintf(" All under %s.", c.Under)
	}
	if len(event) == 0 {
		return "", fmt.Sprintf("%s Each of the others is larger than %d KiB, which is not looked into.", looked, maxSample>>10)
	}
	body, err := record.Body(event)
	if err != nil {
		return "", looked
	}
	keys := make([]string, 0, len(body))
	for k := range body {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return f.remedy(body, keys), fmt.Sprintf("%s One of the others has %s.%s", looked, namesOf(keys), metadataOf(event))
}

// metadataOf tells of the metadata of an event, where OTLP's attributes come, which an output may show like a part of the
// record; "" where it has none.
func metadataOf(event []byte) string {
	meta, err := record.Metadata(event)
	if err != nil || len(meta) == 0 {
		return ""
	}
	what := "metadata"
	if otlp, ok := meta["otlp"].(map[string]any); ok {
		if inner, ok := otlp["attributes"].(map[string]any); ok && len(inner) > 0 {
			what, meta = "attributes of OTLP", inner
		}
	}
	return fmt.Sprintf(" It also has %s, which lie beside the record, where no setting looks, with %s: copy what is needed into the record in front of this filter.",
		what, namesOf(slices.Sorted(maps.Keys(meta))))
}

func pathsOf(fields [][]string) string {
	parts := make([]string, len(fields))
	for i, alternatives := range fields {
		parts[i] = strings.Join(alternatives, " else ")
	}
	return strings.Join(parts, " | ")
}

// namesOf lists keys, some of them where they are many. They come from outside: quoted and cut.
func namesOf(keys []string) string {
	if len(keys) == 0 {
		return "no keys"
	}
	out := make([]string, 0, maxKeys)
	for _, k := range keys[:min(len(keys), maxKeys)] {
		if len(k) > maxKeyName {
			k = k[:maxKeyName]
		}
		out = append(out, strconv.Quote(k))
	}
	text := "the keys " + strings.Join(out, ", ")
	if more := len(keys) - maxKeys; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// UsualRemedy is that of records for which nothing more exact is known.
const UsualRemedy = "Set Preset, or Source and Destination to the fields that hold the two hosts; if these records are meant to pass unscored, " +
	"leave them out with Match or Only."

// remedy tries what would make the record understood.
func (f *fit) remedy(body map[string]any, keys []string) string {
	if preset := f.presetFor(body, ""); preset != "" {
		return fmt.Sprintf("Preset %s understands it.", preset)
	}
	tried := 0
	for _, k := range keys {
		quoted := strconv.Quote(k)
		if !mayHoldFields(body[k]) {
			continue
		}
		if tried++; tried > maxTried {
			break
		}
		switch v := body[k].(type) {
		case map[string]any:
			under, part := k, map[string]any{k: v} // the rest is not looked at
			if record.CheckPath(k) != nil || strings.Contains(k, ".") {
				continue // no property can name it
			}
			if f.understands(f.cfg.Fields, part, under) {
				return fmt.Sprintf("The fields lie under %s: set Under %s.", quoted, under)
			}
			if preset := f.presetFor(part, under); preset != "" {
				return fmt.Sprintf("The fields lie under %s: set Under %s and Preset %s.", quoted, under, preset)
			}
		case []any:
			if inner, ok := v[0].(map[string]any); ok && (f.understands(f.cfg.Fields, inner, "") || f.presetFor(inner, "") != "" || len(body) == 1) {
				return fmt.Sprintf("%s is a list of %d records in one: split it into records of their own before this filter, "+
					"with a Lua filter that returns a table of records.", quoted, len(v))
			}
		case string:
			if hint := f.remedyInText(quoted, v); hint != "" {
				return hint
			}
		}
	}
	return UsualRemedy
}

// mayHoldFields tells whether a value of a record may hold the fields of a session: an object, a list of some, or text with
// one in it or with a row.
func mayHoldFields(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		return true
	case []any:
		return len(v) > 0
	case string:
		return isJSON(v) || isRow(v)
	}
	return false
}

func isJSON(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "{") }

// isRow tells what looks like a row of a log of Zeek.
func isRow(text string) bool { return strings.Count(text, "\t") >= 5 }

// remedyInText looks into the text of a key.
func (f *fit) remedyInText(quoted, text string) string {
	if isJSON(text) {
		var inner map[string]any
		if json.Unmarshal([]byte(text), &inner) != nil {
			return ""
		}
		advice := fmt.Sprintf("The record lies as JSON in the text of %s: put a filter before this one with Name parser, Key_Name %s, Parser json, Reserve_Data On",
			quoted, strings.Trim(quoted, `"`))
		switch preset := f.presetFor(inner, ""); {
		case f.understands(f.cfg.Fields, inner, ""):
			return advice + "."
		case preset != "":
			return advice + ", and set Preset " + preset + "."
		}
		return ""
	}
	if isRow(text) && len(f.cfg.Fields.Line) > 0 {
		keep := ""
		if f.cfg.State.Dir == "" {
			keep = "; with State_Dir headers outlast restarts"
		}
		return fmt.Sprintf("%s looks like a row of a log of Zeek whose header was not seen, or another number of columns than that has: "+
			"let tail read the file from its head once (Read_from_Head On), with a tag of its own for each log%s.", quoted, keep)
	}
	return ""
}

// presetFor returns the preset that would understand a body, "" for none.
func (f *fit) presetFor(body map[string]any, under string) string {
	for _, name := range config.Presets() {
		if name == f.cfg.Fields.Preset {
			continue
		}
		cfg, err := config.Load(func(key string) (string, bool) { return name, key == "preset" })
		if err == nil && f.understands(cfg.Fields, body, under) {
			return name
		}
	}
	return ""
}

// understands tells whether fields make a session of a body.
func (f *fit) understands(fields config.Fields, body map[string]any, under string) bool {
	fields.Under = under
	var spec record.Spec
	finder, err := triplet.New(fields, &spec)
	if err != nil {
		return false
	}
	x, err := record.Compile(spec)
	if err != nil {
		return false
	}
	event, err := msgp.AppendIntf(record.AppendHead(nil, time.Unix(1, 0)), body)
	if err != nil {
		return false
	}
	w := x.NewWalker()
	w.Reset(event)
	if !w.Next() || w.Event().Kind != record.Log {
		return false
	}
	_, verdict := finder.Find(new(triplet.Buffer), nil, w.Event().Values)
	return verdict == triplet.Found
}

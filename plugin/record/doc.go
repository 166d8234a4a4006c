// Package record walks the chunks of events that Fluent Bit hands to a filter, finds the wanted fields in each event's
// bytes, and splices new fields into those bytes.
//
// It owns the wire format: msgpack, the event layouts `[[time, metadata], body]` and, before Fluent Bit 2.1, `[time,
// body]`, the group markers, and the ways in which a record spells a field (flat keys with dots, nested maps) or a
// time. It decodes only what it is asked for, changes only the bytes it is asked to change, and passes malformed events
// on.
//
// It knows nothing of graphs, models or configuration; a Spec says what to look for.
package record

// Package logfile reads session logs from files and hands each line over as
// the msgpack event that Fluent Bit's tail input and parser would make of it,
// and writes such events back as lines of JSON. It owns file formats: NDJSON,
// Zeek's TSV with its header, TSV without one, each of them gzipped or not.
//
// It never knows what a field means: no source, no relation, no graph, no
// configuration of the filter. The time in an event's header is the time of
// reading; the time of a session is a field like any other.
package logfile

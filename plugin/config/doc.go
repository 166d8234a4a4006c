// Package config owns the settings of one filter instance: their names, defaults, allowed ranges
// and meaning stand in one table (options.go), from which the TOML reader, the property overrides,
// conf/rgcn.toml and the host's config map (plugin/options.h) all come.
//
// It never knows msgpack, the graph or the model: it hands out checked values and nothing else.
// Whether a field path compiles, a directory can be written or a device exists is found out by
// whoever uses the value.
package config

//go:generate go run ./gen ../..

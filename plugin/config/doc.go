// Package config owns the settings of one filter instance. Their names, defaults, allowed ranges and meaning stand in one
// table (options.go); the TOML reader, the property overrides, conf/rgcn.toml and the host's config map
// (plugin/fluentbit/options.h) are made from it.
//
// It never knows msgpack, the graph or the model: it hands out checked values and nothing else. Whether a field path
// compiles, a directory can be written or a device exists is found out by whoever uses the value.
package config

//go:generate go run ./gen ../..

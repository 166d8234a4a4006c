// Package fleet carries what one filter has learned to others: a trainer publishes states, scorers follow them.
//
//   - Header, Append and ReadPayload (header.go, state.go): a published state, one file with graph and model, sealed by a signature
//   - Trust and the files of keys (key.go): who may publish
//   - Place (place.go, directory.go, web.go, s3.go): where a state lies, to put it there and to get it
//   - credentials (credentials.go): what a server asks for
//
// It owns the format of the file, the keys and the transport. It never knows what graph and model mean, when a state is
// published or what becomes of one that was fetched: package filter does.
package fleet

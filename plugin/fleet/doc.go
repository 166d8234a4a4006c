// Package fleet carries what one filter has learned to others: a trainer publishes states, scorers follow them.
//
//   - State and Header (state.go, header.go): a published state, one file with graph and model, sealed by a signature
//   - SigningKey and Trust (key.go): who may publish
//   - Place (place.go, directory.go, web.go, s3.go): where a state lies, to put it there and to get it
//   - Credentials (credentials.go): what a server asks for
//   - Pause (pause.go): how long to wait after a failure, and when to speak of it
//
// It owns the format of the file, the keys and the transport. It never knows what graph and model mean, when a state is
// published or what becomes of one that was fetched: package filter does.
package fleet

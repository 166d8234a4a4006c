// Package temporal replays the past of a graph. It numbers a snapshot's sources, destinations and
// relations, cuts its time into windows, and says for each moment what was known by then: messages
// along the edges, counts of a triplet's parts, neighbours of new hosts, peers, names and tenure.
// From the windows it samples positive triplets and corrupted ones.
//
// It knows nothing of networks and their training. Times are unix nanoseconds; a row is the index of
// a source or of a destination within its side, and -1 stands for one that is unknown.
package temporal

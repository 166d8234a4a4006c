// Package model is the R-GCN: it trains on a graphbuf.Snapshot and yields a Scorer
// that tells how expected a (source, relation, destination) triplet is.
//
// It owns the settings of a training, its course, the threshold and a model's bytes. The network and the replay of
// the past are packages below it, see README.md. It knows no record format, no host process and no file.
//
// The network in short. The distinct triplets before a cut in time carry messages between sources and
// destinations, both ways, starting from fixed random vectors. Two relational layers in each direction begin as plain
// normalised propagation and train from there. A small decoder reads inner products of the layers' outputs, a
// relational score, and the logarithms of how often the parts of the triplet were seen. Its positives are the distinct
// triplets of the time after the cut, set against corrupted ones: the network calls expected what the hosts
// really do next. A score is lowered where source or relation are young, see temporal.Tenures.
package model

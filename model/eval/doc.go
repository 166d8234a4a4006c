// Package eval judges scores. It replays labelled sessions day by day, lets every method learn from what came before and
// score what comes next, and compares the lowest scores of each day. It also asks methods to tell true pairs of hosts from
// made-up ones.
//
// It owns the protocols, the figures, and the simple rules that a model has to beat. It takes labels from package simulate
// and knows nothing of records or of Fluent Bit.
package eval

// Package elastic fills a graph from a search server, Elasticsearch or OpenSearch, that holds the records of many
// agents. The cluster counts: what travels are distinct triplets with their counts by stretches of time.
//
// A Source reads in slices of time, as package graphbuf has them: what is over once, the overlap and the open slice
// each time. Each slice is read in the same way. A first request asks for the first and the last document, how many
// there are, and which of the fields have values. Documents are then aggregated in stretches of some ten thousand,
// the latest first: a composite aggregation over a date histogram, source, relation and destination, page by page,
// with the times of the first and the last document of each. A stretch is its own range of the query, so that no page
// visits more documents than those of its stretch. The histogram's interval is two of the graph's buckets of
// activity: with the first and the last time within it, both are exact.
//
// Nothing is held open in the cluster, so nothing expires between two pages. A page that is late, cut off or
// incomplete (failed shards, timed_out) is asked for again; a reading that fails in the end changed nothing that the
// next one would count twice.
//
// The client is net/http. The official clients are heavier than what is asked here, two read-only requests:
// go-elasticsearch refuses OpenSearch by its product check, opensearch-go would come on top of it, and the transport
// below the first, elastic-transport-go, would bring the modules of OpenTelemetry into a shared object that a host
// loads, while it asks again neither for an answer that breaks off in its body nor when Retry-After says.
//
// The package never knows what becomes of the graph, and it never logs: it returns errors without credentials.
package elastic

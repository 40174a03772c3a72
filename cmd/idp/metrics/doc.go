// Package metrics counts what the provider does, for Prometheus to fetch.
//
//	a request is answered   Metrics.Begin … Request.End       ─► hush_requests_total, hush_request_duration_seconds
//	a room asks the store   Metrics.Store ─► the engine       ─► hush_store_operations_total, hush_store_operation_duration_seconds
//	                                                                    │
//	                                              GET /metrics ◄── Metrics.Handler
//
// Every label is one of a few words that this program knows: endpoints, OAuth error codes, reason codes (docs/reasons.md),
// names of buckets. Nothing that a request says becomes a label, so nobody can make the series many; and nothing secret or
// personal is counted. The numbers live in a registry of this Metrics' own: two providers in one process do not meet.
//
// Where teaching ends: the numbers are this process's own. Replicas are fetched one by one, and summed by Prometheus.
package metrics

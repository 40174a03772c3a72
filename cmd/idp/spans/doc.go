// Package spans tells an OpenTelemetry collector how long each request took, and of that each call of the store.
//
//	OTEL_EXPORTER_OTLP_ENDPOINT ─► FromEnvironment ─► Tracer (nil without the variable: nothing below happens)
//
//	GET /authorize                 Tracer.Begin … Span.End      http.route, status, request id, error, reason
//	   ├─ store get session        Tracer.Store                 the bucket; never the key
//	   └─ store put code
//
// A request that comes with a traceparent header (https://www.w3.org/TR/trace-context/) continues that trace: the proxy in
// front and the provider are then seen as one. The attribute hush.request_id is the X-Request-Id of the answer, which the
// access log has too.
//
// What a span says is what the access log may say: no query, no body, no cookie, since codes and tokens travel there.
// A collector that is away costs nothing but the spans: they are dropped, and the log says so once.
//
// Not to be confused with package trace, which shows a developer why something happened, and keeps it in this process.
//
// Where teaching ends: how much is sampled, and how the exporter identifies itself, is set by the variables of OpenTelemetry
// (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/), not by ours.
package spans

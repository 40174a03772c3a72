package observe

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
)

// The variables that turn tracing on, or request unsupported features. OpenTelemetry defines them; variables for traces
// alone take precedence.
const (
	envEndpoint       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	envTracesEndpoint = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	envProtocol       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	envTracesProtocol = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
	envDisabled       = "OTEL_SDK_DISABLED"
	envExporter       = "OTEL_TRACES_EXPORTER"

	protocol = "http/protobuf"
)

// TracerFromEnvironment returns a Tracer that sends spans to the collector that OTEL_EXPORTER_OTLP_ENDPOINT names, by
// OTLP over HTTP; nil without that variable. The log says when the collector becomes unreachable, and when it is
// reachable again. An error names the variable that is wrong. Close the Tracer at the end.
func TracerFromEnvironment(ctx context.Context, log *slog.Logger) (*Tracer, error) {
	endpoint := cmp.Or(os.Getenv(envTracesEndpoint), os.Getenv(envEndpoint))
	if endpoint == "" || strings.EqualFold(os.Getenv(envDisabled), "true") || os.Getenv(envExporter) == "none" {
		return nil, nil
	}
	if err := check(endpoint); err != nil {
		return nil, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("spans cannot be sent to %s=%s: %w", envEndpoint, endpoint, err)
	}
	service, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "hush")),
		resource.WithHost(), resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("OTEL_RESOURCE_ATTRIBUTES cannot be read; write name=value,name=value: %w", err)
	}
	return NewTracer(sdk.WithResource(service), sdk.WithBatcher(&reporting{SpanExporter: exporter, log: log})), nil
}

// check returns an error for values with which the exporter would silently use a default collector.
func check(endpoint string) error {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%s or %s is no http or https URL: write one such as http://localhost:4318", envTracesEndpoint,
			envEndpoint)
	}
	if asked := cmp.Or(os.Getenv(envTracesProtocol), os.Getenv(envProtocol), protocol); asked != protocol {
		return fmt.Errorf("%s or %s is %q; this program uses %s only: remove the variable, "+
			"and use the collector's port for it, usually 4318", envTracesProtocol, envProtocol, asked, protocol)
	}
	if exporter := cmp.Or(os.Getenv(envExporter), "otlp"); exporter != "otlp" {
		return fmt.Errorf("%s is %q; this program has otlp and none: remove the variable", envExporter, exporter)
	}
	return nil
}

// reporting is an exporter that logs once that it fails, and once that it works again.
type reporting struct {
	sdk.SpanExporter
	log     *slog.Logger
	failing atomic.Bool
}

// ExportSpans implements trace.SpanExporter. Spans that could not be sent are dropped.
func (r *reporting) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	err := r.SpanExporter.ExportSpans(ctx, spans)
	switch {
	case err != nil && !r.failing.Swap(true):
		r.log.Warn("spans cannot be sent and are dropped until the collector answers", "error", err.Error())
	case err == nil && r.failing.Swap(false):
		r.log.Info("spans are sent again")
	}
	return nil
}

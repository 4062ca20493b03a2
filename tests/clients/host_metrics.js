// OpenTelemetry's host metrics, exported each second; the form is an argument, the rest is in OTEL_… variables.
const { HostMetrics } = require('@opentelemetry/host-metrics');
const { MeterProvider, PeriodicExportingMetricReader } = require('@opentelemetry/sdk-metrics');
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${process.argv[2]}`);

const reader = new PeriodicExportingMetricReader({
  exporter: new OTLPMetricExporter(),
  exportIntervalMillis: 1000,
  exportTimeoutMillis: 1000,
});
new HostMetrics({ meterProvider: new MeterProvider({ readers: [reader] }) }).start();
setInterval(() => {}, 60000); // the reader alone does not keep the process alive

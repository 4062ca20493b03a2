"""OpenTelemetry's system metrics, exported each second; all else is in OTEL_… variables."""

import time

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.instrumentation.system_metrics import SystemMetricsInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=1000)
SystemMetricsInstrumentor().instrument(meter_provider=MeterProvider(metric_readers=[reader]))
while True:
    time.sleep(60)

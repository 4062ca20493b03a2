"""OpenTelemetry's dialect: OTLP/HTTP (contract G)."""

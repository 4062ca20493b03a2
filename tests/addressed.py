"""What both edges must hand to which service: methods, a path of the platform's own host, the service."""

SAMPLES = [
    ("GET OPTIONS", "/api/v1/checks/", "resource-query"),
    ("POST PUT DELETE PATCH", "/api/v1/checks/", "resource-cmd"),
    ("GET", "/api/v2/channels/", "resource-query"),
    ("GET", "/api/v3/badges/", "resource-query"),
    ("GET", "/api/v3/checks/pings", "resource-query"),
    ("POST", "/api/v3/checks/f618072a/pause", "resource-cmd"),
    ("GET", "/api/v1/checks/f618072a/pings/", "statistic-query"),
    ("GET", "/api/v3/checks/f618072a/pings/3/body", "statistic-query"),
    ("GET", "/api/v2/checks/f618072a/flips/", "statistic-query"),
    ("GET", "/api/v3/checks/f618072a/flips", "statistic-query"),
    ("POST", "/api/v3/checks/f618072a/flips/", "resource-cmd"),
    ("GET POST PUT DELETE PATCH", "/ping/abc", "data-gateway"),
    ("GET POST", "/confirm/abc", "resource-cmd"),
    ("GET POST", "/subscribe", "statuspage-cmd"),
    ("GET POST", "/subscription/abc", "statuspage-cmd"),
    ("GET POST", "/status/acme/subscribe", "statuspage-cmd"),
    ("GET", "/status/acme", "statuspage-query"),
    ("GET", "/status/acme/history", "statuspage-query"),
    ("POST", "/status/acme/unlock", "statuspage-cmd"),
    ("GET", "/badge/key/tag.svg", "resource-query"),
    ("POST", "/badge/key/tag.svg", "resource-query"),
    ("GET OPTIONS", "/rest/v1/components", "statuspage-query"),
    ("POST PUT DELETE PATCH", "/rest/v1/components/x/", "statuspage-cmd"),
    ("GET POST PUT", "/rest/v1/custom-metrics/data", "data-gateway"),
    ("POST", "/rest/v1/custom_metrics/data_points/", "data-gateway"),
    ("POST", "/rest/v1/metrics/data", "data-gateway"),
    ("POST", "/rest/v1/custom-metrics", "statuspage-cmd"),
    ("GET POST", "/widget/shields/status/sp_x", "statuspage-query"),
]
CLOSED = ["/internal/ask?domain=status.example.org", "/internal/x", "/metrics", "/metrics/", "/readyz", "/readyz/"]
"""Paths of each service at which nobody answers."""
NOT_FOUND = {"message": "Not found"}

"""Charts of servers' figures as SVG."""

"""The console: pages on the public API."""

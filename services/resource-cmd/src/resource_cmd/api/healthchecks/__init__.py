"""Healthchecks' dialect."""

"""Metrics of status pages: those that a monitor measures, and custom ones."""

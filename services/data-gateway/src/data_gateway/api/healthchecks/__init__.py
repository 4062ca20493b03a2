"""Healthchecks' dialect: pings (contract B.5)."""

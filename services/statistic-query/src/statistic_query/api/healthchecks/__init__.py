"""Healthchecks' dialect: pings (contract B8, B14)."""

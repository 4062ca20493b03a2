"""Heartbeats: what may be done with one, their rows, and those that Healthchecks' dialect or a ping asks for."""

"""Samples of servers: stored, rolled up, read and drawn."""

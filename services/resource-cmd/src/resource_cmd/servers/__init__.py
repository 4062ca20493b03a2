"""Servers: what may be done with one, their rows, and the tokens of their agents."""

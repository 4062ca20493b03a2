"""Heartbeats: what may be done with one, their rows, those of one service, and those that a ping asks for."""

"""Monitors: what may be done with one, where each type looks, and their rows."""

"""Backup and restore: one consistent copy of a running platform, and an empty platform made from it."""

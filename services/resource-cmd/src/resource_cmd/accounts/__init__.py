"""Organisations with their services and keys."""

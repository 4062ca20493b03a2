"""Maintenance of a page: announced by people, started and ended by the clock or by hand."""

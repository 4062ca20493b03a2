"""Incidents of a page: opened and written by people, or by the clock."""

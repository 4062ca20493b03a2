"""Status pages: what may be done with one, and its rows."""

"""Subscriptions to status pages: the rules, the rows, what subscribers are told, and how."""

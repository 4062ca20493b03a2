"""Whom monitors and heartbeats tell: channels, integrations, and how those are reached by `pinghome_delivery`."""

"""Notifications of monitors, as far as they are rows of this service: outbox, queue per channel, dispatcher, record.

What needs no row of this service is the package `pinghome_delivery`: kinds of channels, what they send with, addresses
and their confirmation, throttling and dependencies.
"""

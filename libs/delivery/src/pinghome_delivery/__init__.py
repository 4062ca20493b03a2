"""How people and outside systems are told something: transports, kinds of channels, and the pure rules of delivery.

`confirm` is the one that speaks to a database: it expects the table `mail_address` in that of the service.
"""

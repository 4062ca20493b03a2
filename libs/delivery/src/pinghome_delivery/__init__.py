"""How people and outside systems are notified: outbox, queue per channel, throttling, providers, egress.

Any service with a database can use it. It expects the tables `notification`, `lease` and `mail_address` there, and an
`outbox.Audience` that says whom to tell.
"""

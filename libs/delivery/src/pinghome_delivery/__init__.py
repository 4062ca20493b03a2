"""How people and outside systems are notified: outbox, queue per channel, throttling, providers, egress.

Any service with a database can use it. It expects the tables `notification` and `lease` there, for `confirm` also
`mail_address`, and an `outbox.Audience` that says whom to tell.
"""

"""statuspage-cmd's request for the verified domains of pages (`ask.domains`, without a body), and the answer."""

from uuid import UUID

import msgspec

SUBJECT = "ask.domains"

encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(dict[UUID, str]).decode
"""Domains by the ids of their pages."""

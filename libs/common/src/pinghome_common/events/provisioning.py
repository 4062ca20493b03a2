"""The data-gateway's request to create a check for a ping (`request.check.create`, msgpack), and the answer."""

from uuid import UUID

import msgspec

SUBJECT = "request.check.create"


class ProvisionCheck(msgspec.Struct, array_like=True):
    """Requests the check with a slug in a service (`?create=1` of a ping, contract B.5)."""

    organisation: UUID
    service: UUID
    slug: str


class CheckProvisioned(msgspec.Struct, array_like=True):
    """The check that now has the slug; None if the service has reached its limit."""

    id: UUID | None


encode = msgspec.msgpack.Encoder().encode
decode_provision = msgspec.msgpack.Decoder(ProvisionCheck).decode
decode_provisioned = msgspec.msgpack.Decoder(CheckProvisioned).decode

"""The data-gateway's request to resource-cmd (`request.check.create`, msgpack) for the check that a ping creates."""

from uuid import UUID

import msgspec

SUBJECT = "request.check.create"


class ProvisionCheck(msgspec.Struct, array_like=True):
    """A check of a service, by its slug; `?create=1` of a ping (contract B.5)."""

    organisation: UUID
    service: UUID
    slug: str


class CheckProvisioned(msgspec.Struct, array_like=True):
    """The answer: the check that has the slug now; None when the service has reached its limit."""

    id: UUID | None


encode = msgspec.msgpack.Encoder().encode
decode_provision = msgspec.msgpack.Decoder(ProvisionCheck).decode
decode_provisioned = msgspec.msgpack.Decoder(CheckProvisioned).decode

"""What requests with samples have in common, whatever their form: the token, compression, and where they are read."""

import asyncio
import zlib
from collections.abc import Callable
from typing import TypeVar

from fastapi import Request

from data_gateway.metric_intake import MetricIntake, Sender
from pinghome_common.errors import DomainError, FieldError, Invalid, Unauthorized

T = TypeVar("T")

SMALL = 32 << 10
"""Bytes that are read in the event loop, in at most 20 ms; larger bodies would hold up pings."""


class TooLarge(DomainError):
    """The body is too large once it is decompressed, or has too many parts."""

    status = 413


async def authenticate(request: Request, intake: MetricIntake) -> Sender:
    """Whose token a request has; wrong ones are counted by address.

    Raises:
        Unauthorized: nobody's.
        WrongTokensError: too many wrong tokens came from this address recently.
        Unavailable: it is not known here and the broker is unavailable.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        return await intake.find(token.strip() if scheme.lower() == "bearer" else "")
    except Unauthorized:
        if token:
            request.app.state.wrong_tokens.count(request.scope["client"])
        raise


async def read(request: Request, intake: MetricIntake, parse: Callable[[bytes], T]) -> tuple[T, int]:
    """What `parse` makes of a body, and the bytes of it; large ones are read one at a time, beside the event loop.

    Raises:
        TooLarge: it is larger than the limit once it is decompressed.
        Invalid: it is not what its `Content-Encoding` says.
        DomainError: what `parse` raises.
    """
    body = decompressed(
        await request.body(),
        request.headers.get("content-encoding", ""),
        request.app.state.settings.metrics_body_limit,
    )
    if len(body) <= SMALL:
        return parse(body), len(body)
    async with intake.large:
        return await asyncio.to_thread(parse, body), len(body)


def decompressed(body: bytes, encoding: str, limit: int) -> bytes:
    """A body without its `Content-Encoding`.

    Raises:
        TooLarge: it is larger than the limit.
        Invalid: it is not what the header says.
    """
    match encoding.strip().lower():
        case "" | "identity":
            found = body
        case "gzip" | "x-gzip" | "deflate":
            inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)  # takes the header of either
            try:
                found = inflate.decompress(body, limit + 1)
            except zlib.error:
                raise Invalid(FieldError("body", f"is not {encoding.strip().lower()}")) from None
            if len(found) <= limit and (not inflate.eof or inflate.unused_data):
                raise Invalid(FieldError("body", "ends too early, or goes on behind its end"))
        case _:
            raise Invalid(FieldError("Content-Encoding", "must be gzip, deflate or identity"))
    if len(found) > limit:
        raise TooLarge(f"The body is larger than {limit} bytes once it is decompressed.")
    return found

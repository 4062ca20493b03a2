r"""The payload of tcp and udp probes: `data`, in which `\xNN`, `\r`, `\n`, `\t`, `\0` and `\\` are bytes."""

import re

_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))")
_BYTES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def payload(data: str) -> bytes:
    """The bytes to send; unknown escapes are left unchanged."""
    return _ESCAPE.sub(lambda it: bytes.fromhex(it[1].decode()) if it[1] else _BYTES[it[2]], data.encode())

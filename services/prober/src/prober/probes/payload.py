r"""What tcp and udp send: the text of `data`, in which `\xNN`, `\r`, `\n`, `\t`, `\0` and `\\` are bytes."""

import re

_ESCAPE = re.compile(rb"\\(?:x([0-9a-fA-F]{2})|([rnt0\\]))")
_BYTES = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"0": b"\0", b"\\": b"\\"}


def payload(data: str) -> bytes:
    """The bytes that are sent; an escape that we do not know stays as it is."""
    return _ESCAPE.sub(lambda it: bytes.fromhex(it[1].decode()) if it[1] else _BYTES[it[2]], data.encode())

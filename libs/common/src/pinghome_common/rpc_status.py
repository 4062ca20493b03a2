"""google.rpc.Status, the error of OTLP, in JSON and in protobuf; two fields need no library in every process."""

import json

_CODES = {400: 3, 401: 16, 404: 5, 413: 8, 415: 3, 429: 8, 500: 13, 503: 14}
"""google.rpc.Code by HTTP status; 2, unknown, for others."""


def status_json(http_status: int, message: str) -> bytes:
    """A Status with a sentence that says what to do."""
    return json.dumps({"code": _CODES.get(http_status, 2), "message": message}).encode()


def status_protobuf(http_status: int, message: str) -> bytes:
    """The same in protobuf; the first 4000 characters of the message."""
    text = message[:4000].encode()
    low, high = len(text) & 127, len(text) >> 7
    length = bytes([low | 128, high]) if high else bytes([low])
    return bytes([0x08, _CODES.get(http_status, 2), 0x12]) + length + text

"""Pictures of a page as they are shown: whatever was uploaded becomes a small PNG of ours."""

import asyncio
from io import BytesIO

from pinghome_common.errors import FieldError, Invalid

LARGEST = 2 << 20
"""Bytes of an upload."""
SIDE = 4096
"""Pixels of an upload's side."""
BOXES = {"logo": (1000, 400), "favicon": (256, 256)}
"""Width and height of what is made of it."""
KEPT = 128 << 10
"""Bytes of what is made of it."""

_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_ROOM = asyncio.Semaphore(2)


async def png(body: bytes, kind: str) -> bytes:
    """A picture as PNG, small enough to be shown, in a thread of which there are few.

    Raises:
        Invalid: it is none that we know, or too large.
    """
    async with _ROOM:
        return await asyncio.to_thread(_png, body, BOXES[kind])


def _png(body: bytes, box: tuple[int, int]) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError  # noqa: PLC0415  # 4 MB that few platforms need

    Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit, which is far above ours
    try:
        opened = Image.open(BytesIO(body), formats=_FORMATS)
        if max(opened.size) > SIDE:  # before anything is decoded
            raise Invalid(FieldError("body", f"must have at most {SIDE} pixels a side"))
        picture = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise Invalid(FieldError("body", "must be a picture: PNG, JPEG, WebP or GIF")) from None
    picture.thumbnail(box)
    while True:
        for each in (picture, picture.quantize(256)):
            out = BytesIO()
            each.save(out, "PNG", optimize=True)
            if out.tell() <= KEPT:
                return out.getvalue()
        picture.thumbnail((picture.width * 3 // 4, picture.height * 3 // 4))

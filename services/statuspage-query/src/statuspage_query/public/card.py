"""The picture that chats show beside a link to a page."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont

SIZE = (1200, 630)
MARGIN = 90

_GROUND, _INK, _MUTED = "#f6f7f9", "#14181f", "#586271"
TONES = {
    "ok": "#22a06b",
    "degraded": "#e2b203",
    "partial": "#ee7b26",
    "major": "#de3c3c",
    "maintenance": "#4d86e8",
    "unknown": "#98a2af",
}


def card(title: str, text: str, shape: str) -> bytes:
    """A PNG with the page's title and its banner, in the colour of a state's `shape`."""
    from PIL import Image, ImageDraw  # noqa: PLC0415  # 4 MB that few platforms need

    picture = Image.new("RGB", SIZE, _GROUND)
    draw = ImageDraw.Draw(picture)
    tone = TONES[shape]
    draw.rectangle((0, 0, SIZE[0], 16), fill=tone)
    room = SIZE[0] - 2 * MARGIN
    draw.text((MARGIN, 120), _cut(title, 52, room), fill=_MUTED, font=_font(52))
    draw.ellipse((MARGIN, 330, MARGIN + 96, 426), fill=tone)
    draw.text((MARGIN + 136, 378), _cut(text, 76, room - 136), fill=_INK, font=_font(76), anchor="lm")
    out = BytesIO()
    picture.quantize(64).save(out, "PNG")
    return out.getvalue()


@lru_cache(maxsize=4)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.load_default(size)


def _cut(text: str, size: int, room: int) -> str:
    """The text, ended with an ellipsis where there is no room for all of it."""
    font = _font(size)
    if font.getlength(text) <= room:
        return text
    text = text[:200]
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text.rstrip() + "…"

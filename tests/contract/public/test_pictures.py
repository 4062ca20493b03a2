"""Logos and icons: whatever is uploaded becomes a small PNG of ours, or is refused (reliability.md S11)."""

import struct
import zlib
from io import BytesIO
from random import Random
from typing import Any

import httpx
import pytest
from PIL import Image

from contract.answers import refused
from contract.client import Client
from contract.public.owning import made
from contract.target import eventually


def picture(kind: str = "PNG", size: tuple[int, int] = (300, 200), mode: str = "RGB", *, noisy: bool = False) -> bytes:
    it = Image.new(mode, size, (200, 30, 90, 128)[: len(mode)])
    if noisy:
        it.frombytes(Random(1).randbytes(size[0] * size[1] * len(mode)))
    out = BytesIO()
    it.save(out, kind)
    return out.getvalue()


def claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it is very large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 100)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in parts
    )


async def put(owner: Client, page: dict[str, Any], body: bytes, kind: str = "logo") -> httpx.Response:
    return await owner("PUT", f"statuspage-cmd/v1/statuspage/{page['id']}/{kind}", content=body)


async def served(web: httpx.AsyncClient, page: dict[str, Any], path: str) -> Image.Image:
    url = f"/status/{page['subdomain']}"
    name = path.rpartition("/")[2]
    await eventually(lambda: web.get(url), lambda it: f"{url}/images/{name}" in it.text)
    answer = await web.get(f"{url}/images/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in answer.headers["cache-control"]
    assert len(answer.content) <= 128 << 10
    return Image.open(BytesIO(answer.content))


@pytest.mark.parametrize(
    ("kind", "size", "shown"),
    [
        ("PNG", (300, 200), (300, 200)),
        ("JPEG", (4000, 1000), (1000, 250)),
        ("WEBP", (100, 4096), (10, 400)),
        ("GIF", (1, 1), (1, 1)),
    ],
)
async def test_logo_is_shown_as_png_within_its_box(
    owner: Client, web: httpx.AsyncClient, kind: str, size: tuple[int, int], shown: tuple[int, int]
):
    page = await made(owner)

    answer = await put(owner, page, picture(kind, size))

    assert answer.status_code == 200, answer.text
    path = answer.json()["statuspage"]["logo"]
    assert path.startswith("org/")
    assert (await owner.get(f"statuspage-query/v1/statuspage/{page['id']}"))["logo"] == path
    found = await served(web, page, path)
    assert (found.format, found.size) == ("PNG", shown)


async def test_icon_keeps_its_transparency_and_replaces_the_one_before(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    first = (await put(owner, page, picture(size=(512, 512), mode="RGBA"), "favicon")).json()["statuspage"]["favicon"]
    shown = await served(web, page, first)
    assert shown.size == (256, 256)
    assert shown.convert("RGBA").getpixel((9, 9))[3] == 128

    second = (await put(owner, page, picture(size=(64, 64)), "favicon")).json()["statuspage"]["favicon"]

    assert (await served(web, page, second)).size == (64, 64)
    old = f"/status/{page['subdomain']}/images/{first.rpartition('/')[2]}"
    assert (await web.get(old)).status_code == 404
    other = await made(owner)
    assert (await web.get(old.replace(page["subdomain"], other["subdomain"]))).status_code == 404


async def test_picture_that_stays_large_is_made_smaller(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)

    answer = await put(owner, page, picture(size=(800, 400), noisy=True))

    shown = await served(web, page, answer.json()["statuspage"]["logo"])
    assert shown.width < 800


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"text",
        b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        picture("BMP"),
        picture("TIFF"),
        picture()[:200],
        claiming(4097, 10),
        claiming(100_000, 100_000),
        claiming(4000, 4000),
        b"GIF89a" + b"\xff" * 50,
    ],
    ids=["empty", "text", "svg", "bmp", "tiff", "cut off", "wide", "a bomb", "not so large", "broken"],
)
async def test_what_is_no_picture_or_too_large_is_refused(owner: Client, body: bytes):
    page = await made(owner)

    refused(await put(owner, page, body), 422, "body")

    assert (await owner.get(f"statuspage-query/v1/statuspage/{page['id']}"))["logo"] == ""


async def test_upload_may_have_two_mebibytes(owner: Client, web: httpx.AsyncClient):
    page = await made(owner)
    padded = picture() + b"\0" * ((2 << 20) - len(picture()))

    answer = await put(owner, page, padded)
    assert answer.status_code == 200
    await served(web, page, answer.json()["statuspage"]["logo"])

    refused(await put(owner, page, padded + b"\0"), 413)


async def test_path_that_somebody_names_is_shown_and_never_served(owner: Client, web: httpx.AsyncClient):
    page = await made(owner, logo="org/x/images/img-1.jpg", favicon="etc/passwd")

    shown = (await web.get(f"/status/{page['subdomain']}")).text

    assert "/images/" not in shown
    for path in ("/images/img-1.jpg", "/images/passwd", "/images/../../etc/passwd"):
        assert (await web.get(f"/status/{page['subdomain']}{path}")).status_code == 404

"""What stands around the content of a chunked body: it is no header, and it is counted."""

import asyncio

import pytest

HEAD = b"POST /headers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def test_trailers_are_no_headers(served):
    trailers = b"Authorization: Bearer x\r\nX-Api-Key: y\r\nX-Forwarded-For: 1.2.3.4\r\n\r\n"

    for pause in (0, 0.05):
        async with served.connect() as (reader, writer):
            writer.write(HEAD + b"3;a=b\r\nabc\r\n0;c\r\n")
            await asyncio.sleep(pause)
            writer.write(trailers + GET)
            found = await served.answers(reader, 0.2)

        assert [code for code, _ in found] == [200, 200]
        assert found[0][1]["headers"] == ["host", "transfer-encoding"]
        assert found[0][1]["length"] == 3


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"0\r\n", b"a: b\r\n" * 10_000),  # many trailers
        (b"0\r\n", b"%b: b\r\n" % (b"a" * 60_000)),  # long ones
        (b"0\r\na", b"b" * 65536),  # one name without an end
        (b"0\r\na: ", b"b" * 65536),  # one value without an end
        (b"", b"1;%b\r\nx\r\n" % (b"a" * 65536)),  # long extensions
        (b"", b"1;a=%b\r\nx\r\n" % (b"a" * 1000)),  # many
        (b"1;", b"a" * 65536),  # one without an end
        (b"", b"0" * 65536),  # a size without an end
    ],
)
async def test_endless_trailers_and_extensions_are_refused_early(served, begin, piece):
    before, held = served.bytes_read(), served.resident()
    async with served.connect() as (reader, writer):
        writer.write(HEAD + begin)
        sending = asyncio.create_task(send_40_mb(writer, piece))
        found = await served.answers(reader, 0.5)
        sending.cancel()

    assert [code for code, _ in found] == [431]
    assert served.bytes_read() - before < 1_500_000
    assert served.resident() - held < 20


async def send_40_mb(writer, piece):
    for _ in range(40_000_000 // len(piece)):
        writer.write(piece)
        await writer.drain()


async def test_many_small_chunks_are_no_fault(served):
    chunks = b"".join(b"%x\r\n%b\r\n" % (size, b"a" * size) for size in [1, 2, 3] * 15_000)

    async with served.connect() as (reader, writer):
        writer.write(HEAD)
        for start in range(0, len(chunks), 5000):
            writer.write(chunks[start : start + 5000])
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        [(code, body)] = await served.answers(reader, 1)

    assert (code, body["length"]) == (200, 90_000)

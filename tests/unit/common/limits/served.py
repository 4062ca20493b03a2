"""The process that test_limits.py talks to: a bare application behind `run`, as every service is."""

import asyncio
import json
import os

from pinghome_common import limits
from pinghome_common.limits import PINGS_OF_ALL
from pinghome_common.serve import run

limits.BODIES_LIMIT = 4 << 20  # so that a test need not send 128 MB
limits.LAST_MOMENT = float(os.environ.get("LAST_MOMENT", "0.1"))
limits.KEEP_ALIVE = float(os.environ.get("KEEP_ALIVE", "1.0"))  # nor wait 150 s


begun = []  # paths of long answers


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            print(step, flush=True)
            await asyncio.sleep(float(os.environ.get("START_SECONDS", "0")))
            await send({"type": f"lifespan.{step}.complete"})
        return
    told = {"method": scope["method"], "path": scope["path"], "query": len(scope["query_string"])}
    if scope["path"] == "/slow":
        await asyncio.sleep(float(scope["query_string"]))
    if scope["path"] != "/unread":
        told["length"] = await length(receive)
    if scope["path"] == "/client":
        told["client"], told["scheme"] = scope["client"][0], scope["scheme"]
    if scope["path"] == "/headers":
        told["headers"] = [name.decode() for name, _ in scope["headers"]]
        told["query_string"] = scope["query_string"].decode()
    if scope["path"] == "/long":
        begun.append(scope["path"])
    if scope["path"] == "/begun":
        told["begun"] = len(begun)
    sizes = {"/long": 64 << 20, "/large": 4 << 20}
    answer = b"x" * sizes[scope["path"]] if scope["path"] in sizes else json.dumps(told).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer[: 32 << 20], "more_body": True})
    await send({"type": "http.response.body", "body": answer[32 << 20 :]})


async def length(receive):
    total = 0
    while True:
        message = await receive()
        total += len(message.get("body", b""))
        if not message.get("more_body"):
            return total


if __name__ == "__main__":
    run(lambda _: app, PINGS_OF_ALL)

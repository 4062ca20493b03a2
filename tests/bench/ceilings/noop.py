"""The ceiling of an answer: a bare ASGI application behind uvicorn, uvloop and httptools, with the gateway's answer."""

import sys

import uvicorn

BODY = b'{"message":"OK"}'
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(BODY)),
        (b"cache-control", b"no-store"),
    ],
}
END = {"type": "http.response.body", "body": BODY}


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})
        return
    await send(START)
    await send(END)


if __name__ == "__main__":
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        http="httptools",
        loop="uvloop",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )

"""The ceiling of a list: one bare ASGI application, one asyncpg SELECT of rows that are ready to be sent, orjson."""

import sys

import asyncpg
import orjson
import uvicorn

TABLE = """
CREATE TABLE IF NOT EXISTS listed (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, slug text, tags text, "desc" text, grace int,
    manual_resume boolean, methods text, subject text, subject_fail text, timeout int, n_pings bigint, status text,
    started boolean, last_ping timestamptz, next_ping timestamptz, uuid text, ping_url text, update_url text,
    pause_url text, resume_url text, channels text
)
"""
COLUMNS = """
name, slug, tags, "desc", grace, manual_resume, methods, subject, subject_fail, timeout, n_pings, status, started,
last_ping, next_ping, uuid, ping_url, update_url, pause_url, resume_url, channels
"""
LIST = f"SELECT {COLUMNS} FROM listed ORDER BY id"  # noqa: S608  # our own names


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for step in ("startup", "shutdown"):
            await receive()
            if step == "startup":
                app.pool = await asyncpg.create_pool(sys.argv[2], min_size=1, max_size=4)
            await send({"type": f"lifespan.{step}.complete"})
        return
    rows = await app.pool.fetch(LIST)
    body = orjson.dumps({"checks": [dict(row) for row in rows]})
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, proxy_headers=False)

"""The ceiling of a create: one FastAPI route, one asyncpg INSERT of 1 KB of JSON, committed and fsynced."""

import sys
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import uvicorn
from fastapi import FastAPI, Request
from pydantic import BaseModel

TABLE = "CREATE TABLE IF NOT EXISTS thing (id uuid PRIMARY KEY, state jsonb NOT NULL)"


class Thing(BaseModel):
    name: str
    interval: int
    methods: list[str]
    note: str


@asynccontextmanager
async def lifespan(app):
    async with asyncpg.create_pool(sys.argv[2], min_size=10, max_size=10) as app.state.pool:
        await app.state.pool.execute(TABLE)
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/thing", status_code=201)
async def create(thing: Thing, request: Request) -> dict[str, Any]:
    made = uuid4()
    await request.app.state.pool.execute("INSERT INTO thing VALUES ($1, $2)", made, thing.model_dump_json())
    return {"id": made}


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False, proxy_headers=False)

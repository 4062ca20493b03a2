"""Serves HTTP in every Pinghome process: uvicorn with our limits, until SIGTERM or SIGINT."""

import asyncio
import gc
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import Any, cast

import uvicorn
import uvloop
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from pinghome_common import logs
from pinghome_common.http1 import LimitedProtocol
from pinghome_common.limits import CONNECTIONS_LIMIT, OWN_FILES, Gate, error_answer
from pinghome_common.settings import Settings

DRAIN = 10  # seconds that open requests get after SIGTERM


class AnswerTimeout:
    """ASGI middleware: answers 503 if the application is cancelled before its answer started."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        try:
            await self.app(scope, receive, send)
        except asyncio.CancelledError:
            if scope["type"] == "lifespan":
                return  # a signal came during the start
            message = "The answer took too long; try again in a few seconds."
            kind, body = error_answer(503, message, scope["path"].encode(), scope["headers"])
            headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body))]
            with suppress(RuntimeError):  # the answer had started
                await send({"type": "http.response.start", "status": 503, "headers": headers})
                await send({"type": "http.response.body", "body": body})
        except ClientDisconnect:
            pass  # nobody to answer


class TrustedProxies:
    """ASGI middleware: takes the client of a request from a trusted proxy, if that gives an IP address.

    Whoever connects to a Unix socket is one: the file's mode says who may.
    """

    def __init__(self, app: ASGIApp, trusted: list[str]) -> None:
        self._app = app
        # Without a trusted address a request goes straight on: pings pay for each step.
        self._by_tcp: Any = ProxyHeadersMiddleware(cast("Any", self._checked), trusted) if trusted else app
        self._by_socket: Any = ProxyHeadersMiddleware(cast("Any", self._checked), "*")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        inner = self._by_tcp
        if scope["type"] == "http":
            scope["peer"] = scope["client"]
            if not scope["client"]:
                inner = self._by_socket
        await inner(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["client"] is not scope["peer"]:
            host, port = scope["client"]
            try:
                scope["client"] = str(ip_address(host.partition("%")[0])), port
            except ValueError:
                scope["client"] = scope["peer"]
        await self._app(scope, receive, send)


class Server(uvicorn.Server):
    """uvicorn's server with exit status 0 after a signal, and with a frozen heap, which garbage collection skips.

    Args:
        config: uvicorn's.
        path: of a Unix socket at which it listens, too; empty for none.
    """

    def __init__(self, config: uvicorn.Config, path: str = "") -> None:
        super().__init__(config)
        self._path = path

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle SIGTERM and SIGINT; uvicorn would raise them again at the end."""
        loop, serving = asyncio.get_running_loop(), asyncio.current_task()
        self._stopping = asyncio.Event()

        def stop(name: signal.Signals) -> None:
            self.handle_exit(name, None)
            self._stopping.set()
            if serving and not self.started:  # startup may wait for a database forever
                serving.cancel()

        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, stop, name)
        try:
            yield
        finally:
            for name in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(name)

    async def main_loop(self) -> None:
        """Serve until a signal; uvicorn would poll ten times a second, which costs an idle platform 0.8 % of a core."""
        while not await self.on_tick(0):  # which also updates the Date header
            with suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start and listen; `scope["state"]["stopping"]` is set at the signal, so that endless answers end."""
        self.lifespan.state["stopping"] = self._stopping
        await super().startup(sockets)
        if self._path and self.started:
            protocol = partial(
                cast("Any", self.config.http_protocol_class),
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )
            self.servers.append(await asyncio.get_running_loop().create_unix_server(protocol, self._path))
        freeze()


def freeze() -> None:
    """Takes what is there now out of the garbage collector's rounds, and makes these rarer.

    A full collection would later block the loop for 54 ms (house §3), and a projection that decodes a thousand samples
    of a hundred objects would spend half of its time in small ones.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


async def serve(app: ASGIApp, settings: Settings, pings: re.Pattern[bytes] | None = None, path: str = "") -> None:
    """Serve `app`, lifespan included, on the host and port of `settings` until SIGTERM or SIGINT, and drain.

    Args:
        app: an ASGI application.
        settings: host, port, limits and timeouts.
        pings: host and path of requests that may have a body of up to `LONG_BODY_LIMIT` bytes.
        path: of a Unix socket for this account's own proxies; empty for none.

    Raises:
        CancelledError: a signal came during startup.
        SystemExit: the application did not start, or the port is taken; uvicorn has logged the reason.
        ValueError: `trusted_proxies` contains `*`, which would let every client choose its own address.
    """
    os.umask(0o077)  # spools and snapshots are private to this account
    if "*" in settings.trusted_proxies:
        raise ValueError("list the addresses of your proxies: '*' would let every client choose its own address")
    gate = Gate(settings, pings)
    limited: ASGIApp = AnswerTimeout(app)
    config = uvicorn.Config(
        TrustedProxies(limited, settings.trusted_proxies) if settings.trusted_proxies or path else limited,
        host=settings.host,
        port=settings.port,
        http=cast("Any", partial(LimitedProtocol, gate)),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=DRAIN,
    )
    server = Server(config, path)
    async with asyncio.TaskGroup() as group:
        sweep = group.create_task(gate.sweep(server.server_state.connections))
        await server.serve()
        sweep.cancel()


def run(create_app: Callable[[Settings], ASGIApp], pings: re.Pattern[bytes] | None = None) -> None:
    """The `main()` of a service: serves the application built from the settings in the environment."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, CONNECTIONS_LIMIT + OWN_FILES)), hard))
    try:
        settings = Settings()
    except ValueError as error:
        sys.exit(f"The settings are wrong: {error}")
    logs.configure(settings.log_level)
    with suppress(asyncio.CancelledError):
        uvloop.run(serve(create_app(settings), settings, pings))

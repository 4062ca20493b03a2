"""uvicorn's HTTP/1.1 protocol with limits on the size and duration of requests."""

import asyncio
from typing import Any, cast

import httptools
from prometheus_client import Counter
from typing_extensions import override
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from pinghome_common import limits
from pinghome_common.corked import Corked
from pinghome_common.http1_request import MALFORMED, RequestLimits
from pinghome_common.limits import ConnectionRejected, Gate, Turn, error_answer

REFUSED = Counter("pinghome_http_refused", "Requests refused before they reached the application", ["status"])


class LimitedProtocol(RequestLimits):
    """One connection.

    The time limits cost a request nothing: `Gate.sweep` compares what uvicorn stores anyway. It also replaces uvicorn's
    keep-alive timer, which is one per request.
    """

    turn = Turn.ASKING
    awaited: object = Turn  # the request or answer at the last sweep; initially neither
    age = 0  # sweeps since `turn` or `awaited` changed
    lingered = 0
    address = ""
    refusal: ConnectionRejected | None = None
    stopping = False
    running: RequestResponseCycle | None = None
    task: asyncio.Task[None]

    def __init__(
        self,
        gate: Gate,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.gate = gate

    # -- the sweep ----------------------------------------------------------------------------------------------------

    def whose_turn(self) -> Turn:
        """What this connection waits for."""
        running, cycle = self.running, self.cycle
        if self.transport.is_closing():
            return Turn.LEAVING
        if self.refusal is not None:
            answering = running is not None and not (running.disconnected or running.response_complete)
            return Turn.ANSWERING if answering else Turn.LEAVING
        if self.flow.read_paused:  # paused by us until the application has caught up
            return Turn.ANSWERING
        if cycle is None or cycle.scope is not self.scope or (cycle.more_body and not cycle.waiting_for_100_continue):
            return Turn.ASKING
        return Turn.IDLE if cycle.response_complete else Turn.ANSWERING

    def watch(self) -> None:
        """Count one sweep, and end a connection that has waited too long."""
        turn = self.whose_turn()
        awaited = self.running if turn is Turn.ANSWERING else self.scope
        if turn is not self.turn or awaited is not self.awaited:
            self.turn, self.awaited, self.age = turn, awaited, 0
            return
        if turn is Turn.ANSWERING and self._streams() and not self.flow.write_paused:
            return
        self.age += 1
        limit = self.gate.sweeps[turn]
        if turn is Turn.ASKING:
            limit += int(self.body / limits.BODY_RATE / self.gate.period)
        if self.age < limit:
            return
        if turn is Turn.ANSWERING:
            self._hurry(limit)
        elif turn is Turn.LEAVING:
            self.transport.abort()
        elif turn is Turn.IDLE or self.scope is None:
            self.transport.close()
        else:
            seconds = self.gate.request_timeout
            self._refuse(ConnectionRejected(408, f"The request did not arrive within {seconds:g} s; send it again."))

    def _streams(self) -> bool:
        """True if the answer is an event stream, which goes on as long as the client reads it."""
        return self.running is not None and "streaming" in self.running.scope

    def _hurry(self, limit: int) -> None:
        """Cancel an application that has not started its answer; drop a client that does not read its answer."""
        if self.age == limit and self.running is not None and not self.running.response_started:
            self.task.cancel()
        elif self.age == 2 * limit:
            self.transport.abort()

    # -- the path of a request ----------------------------------------------------------------------------------------

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        super().connection_made(cast("asyncio.Transport", Corked(transport, self.loop)))
        addresses = self.gate.addresses
        self.address = addresses.enter(self.client)
        if addresses.full(self.address):
            full = f"More than {addresses.limit} connections from your address are open; close some."
        elif len(self.connections) > self.gate.connections_limit and not self.gate.make_room():
            full = "Too many connections are open; try again in a few seconds."
        else:
            return
        self._refuse(ConnectionRejected(503, full))
        transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self.gate.addresses.leave(self.address)
        self.gate.unread.remove(self)
        self.pipeline.clear()
        if self.running is not None:
            self.running.disconnected = True  # uvicorn notifies only the newest request
            self.running.message_event.set()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self.refusal is not None:
            self.lingered += len(data)
            if self.lingered > limits.LINGER_BYTES:
                self.flow.pause_reading()
            return
        if not data.isascii() and (self.in_line or self.scope is self.completed):
            data = self._quote_query(data)
        self.read, self.data, self.searched = len(data), data, 0
        try:
            self.parser.feed_data(data)
            if self.scope is self.completed:
                pass
            elif self.cycle is None or self.cycle.scope is not self.scope:
                self._check_unfinished_head(data)
            else:
                self._check_unfinished_body()
        except httptools.HttpParserUpgrade as upgrade:
            self._stay_with_http(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            cause = error.__context__  # httptools wraps what a callback raises
            self._refuse(cause if isinstance(cause, ConnectionRejected) else ConnectionRejected(400, MALFORMED))
        except ConnectionRejected as error:
            self._refuse(error)
        finally:
            self.data = b""  # free the memory while the connection waits

    @override
    def _should_upgrade(self) -> bool:
        return True  # uvicorn then leaves the request to _stay_with_http

    def _stay_with_http(self, rest: bytes) -> None:
        """Serve a request that asks for another protocol in HTTP/1.1, as RFC 9110 §7.8 allows.

        llhttp would treat the body as the new protocol, and Java's HttpClient asks for h2c in each request, so the
        request is parsed again without its Upgrade header.
        """
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            self._refuse(ConnectionRejected(405, "This server is not a proxy; send the request to its own address."))
            return
        head = [b"%b %b HTTP/%b" % (method, self.url, version)]
        head += [b"%b: %b" % header for header in self.headers if header[0] not in {b"connection", b"upgrade"}]
        self.parser = httptools.HttpRequestParser(self)
        self.data_received(b"\r\n".join([*head, b"", rest]))

    @override
    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.running = cycle
        if self.stopping:
            cycle.keep_alive = False
        self.task = task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    @override
    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_next()
        elif self.refusal is not None:
            self._leave(self.refusal)

    def _start_next(self) -> None:
        """Start a pipelined request once the client has read the previous answers."""
        if not self.flow.write_paused:
            self._start_asgi_task(*self.pipeline.pop())

    @override
    def shutdown(self) -> None:
        """Answer what is under way or comes in the last moment, and say in the answer that the connection ends."""
        self.stopping = True
        if self._answered():
            self.loop.call_later(limits.LAST_MOMENT, self._end)
        else:
            super().shutdown()

    def _answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end(self) -> None:
        if self._answered():
            self.transport.close()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self.gate.unread.add(self)

    @override
    def resume_writing(self) -> None:
        super().resume_writing()
        self.gate.unread.remove(self)
        answered = self.running is None or self.running.response_complete
        if self.pipeline and answered and not self.transport.is_closing():
            self._start_next()

    # -- refusals -----------------------------------------------------------------------------------------------------

    def _refuse(self, refusal: ConnectionRejected) -> None:
        """Accept no more requests; answer the earlier ones, then send the error and close."""
        if self.transport.is_closing():
            return
        self.refusal = refusal
        REFUSED.labels(refusal.status).inc()
        running = self.running
        cycle = self.cycle
        current = cycle if cycle is not None and cycle.scope is self.scope and cycle.more_body else None
        if current is not None and current is running:  # refused in its body
            if running.response_started:
                self.transport.close()
                return
            running.disconnected = True  # receive() reports it, and the application can no longer send
            running.message_event.set()
        elif current is not None:  # refused in its body while an earlier request is answered
            self.pipeline.popleft()
        if running is None or running.disconnected or running.response_complete:
            self._leave(refusal)

    def _leave(self, refusal: ConnectionRejected) -> None:
        path = self.url.partition(b"?")[0] if self.scope else b""
        kind, body = error_answer(refusal.status, str(refusal), path, self.scope["headers"] if self.scope else [])
        headers = [
            *self.server_state.default_headers,
            (b"content-type", kind),
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(b"".join([STATUS_LINE[refusal.status], *lines, b"\r\n", body]))
        self.transport.write_eof()

"""Targets that misbehave: real listeners on this machine, under both event loops that a prober may run on."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pinghome_common.guard import Guard
from prober.probes import PROBES, attempt
from prober.probes.connecting import tls_context
from prober.probes.http import probe
from prober.probes.probe_types import Observation, ProbeSpec

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def pytest_asyncio_loop_factories():
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


def pytest_itemcollected(item):
    item.add_marker("first")


@dataclass
class Target:
    """A listener, the connections it saw and the requests (head and body) it was sent."""

    port: int = 0
    host: str = "127.0.0.1"
    scheme: str = "http"
    connections: int = 0
    requests: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/"

    @property
    def last(self) -> tuple[bytes, list[bytes], bytes]:
        """Request line, headers and body of the last request."""
        head, _, body = self.requests[-1].partition(b"\r\n\r\n")
        line, *headers = head.split(b"\r\n")
        return line, headers, body


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((line[15:] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), b"0")
    return head + await reader.readexactly(int(length))


@asynccontextmanager
async def _listening(
    answer: bytes | Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, read: bool = True
) -> AsyncIterator[Target]:
    """A target that reads a request (unless told not to) and answers with bytes, or by a function of its own."""
    target = Target(host=host, scheme="https" if tls else "http")
    serving: set[asyncio.Task[None]] = set()
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        writers.add(writer)
        target.connections += 1
        try:
            if read:
                target.requests.append(await _read(reader))
            if callable(answer):
                await answer(writer)
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the prober has heard enough
        finally:
            writer.close()

    async with await asyncio.start_server(serve, host, 0, ssl=tls) as server:
        target.port = server.sockets[0].getsockname()[1]
        try:
            yield target
        finally:
            server.close()
            for _ in range(5):  # a connection may be about to be served; one that is left open is found by another test
                for task in serving:
                    task.cancel()
                await asyncio.gather(*serving, return_exceptions=True)
                for writer in writers:
                    writer.transport.abort()
                await asyncio.sleep(0)


Listening = Callable[..., AbstractAsyncContextManager[Target]]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine of the tests may be as late as it likes."""
    monkeypatch.setattr(attempt, "LATE_TIMEOUT", 60)


@pytest.fixture
def listening() -> Listening:
    return _listening


@pytest.fixture
def look() -> Callable[..., Awaitable[Observation]]:
    """Probes a URL, allowed to reach 127.0.0.1 alone."""
    guard = Guard([ipaddress.ip_network("127.0.0.1/32")])

    async def _look(url: str, deadline: float = 5, guard: Guard = guard, **check: object) -> Observation:
        return await probe(ProbeSpec(url=url, **check), guard, deadline)

    return _look


@pytest.fixture
def reach() -> Callable[..., Awaitable[Observation]]:
    """Probes a host by a type, allowed to reach 127.0.0.1 and ::1 alone."""
    guard = Guard([ipaddress.ip_network("127.0.0.1/32"), ipaddress.ip_network("::1/128")])

    async def _reach(
        kind: str, port: int = 0, deadline: float = 5, guard: Guard = guard, host: str = "127.0.0.1", **check: object
    ) -> Observation:
        return await PROBES[kind](ProbeSpec(host=host, port=port, **check), guard, deadline)

    return _reach


class Authority:
    """A certificate authority that the shared verifying context trusts during the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Pinghome tests")])
        certificate = (
            self._builder(self.name, self.name, self.key, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )
        pem = certificate.public_bytes(serialization.Encoding.PEM).decode()
        tls_context(verify=True).load_verify_locations(cadata=pem)

    @staticmethod
    def _builder(
        subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, days: int
    ) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=60))
            .not_valid_after(now + dt.timedelta(days=days))
        )

    def server(self, *, name: str = "localhost", days: int = 30, self_signed: bool = False) -> ssl.SSLContext:
        """A server's context with a certificate for `name` and 127.0.0.1 (or for `name` alone when it is another)."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        names: list[x509.GeneralName] = [x509.DNSName(name)]
        if name == "localhost":
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        certificate = (
            self._builder(subject, subject if self_signed else self.name, key, days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(key if self_signed else self.key, hashes.SHA256())
        )
        path = self.folder / f"{x509.random_serial_number()}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@pytest.fixture(scope="session")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))

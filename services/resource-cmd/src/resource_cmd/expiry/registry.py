"""Asking registries about domains: RDAP (RFC 9083), and WHOIS (RFC 3912) where it is missing or silent on the expiry.

Imported when the first domain is to be asked for: the libraries behind it take a second to load.
"""

import asyncio
import json
import re
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import httpx
import whoisit
from asyncwhois.errors import NotFoundError
from asyncwhois.servers.domains import CountryCodeTLD, GenericTLD, SponsoredTLD
from whoisit.errors import RateLimitedError, ResourceDoesNotExist, UnsupportedError, WhoisItError

from pinghome_common.events.domain import Domain
from pinghome_common.guard import AddressForbidden, Guard
from pinghome_delivery import egress
from resource_cmd.expiry import whois

WAIT = 10.0
"""Seconds for one question to one server."""

LARGEST = 1 << 20
"""Bytes of an RDAP server's answer."""
IANA = "whois.iana.org"
_REFERRAL = re.compile(r"^(?:refer|whois):\s*([a-z0-9.-]+)\s*$", re.MULTILINE)

# whoisit wants every section, though only domains are asked for: documentation's own numbers stand there.
_NOBODY = ["https://rdap.invalid/"]
_UNASKED = {
    "asn": [["64496-64511"], _NOBODY],
    "ipv4": [["192.0.2.0/24"], _NOBODY],
    "ipv6": [["2001:db8::/32"], _NOBODY],
    "object": [[], ["NOBODY"], _NOBODY],
}


class Silent(RuntimeError):
    """A registry did not tell; the text says why, in words of our own. `limited`: it asked us to come less often."""

    def __init__(self, why: str, *, limited: bool = False) -> None:
        super().__init__(why)
        self.limited = limited


async def _refuse_packed(response: httpx.Response) -> None:
    if response.headers.get("content-encoding", "identity") != "identity":
        raise httpx.DecodingError("the answer is packed though that was not asked for", request=response.request)


class Registries:
    """The registries of all domains.

    Args:
        guard: the way out.
        bootstrap: URL or path of a list of RDAP servers in IANA's form; what is in the package serves without it.
        whois_port: of WHOIS servers.
    """

    def __init__(self, guard: Guard, bootstrap: str, whois_port: int = 43) -> None:
        self._guard, self._bootstrap, self._whois_port = guard, bootstrap, whois_port
        self._http = egress.client(
            guard, most=LARGEST, timeout=httpx.Timeout(WAIT), follow_redirects=True, max_redirects=5,
            headers={"accept-encoding": "identity", "user-agent": "Pinghome/0.1"},
            event_hooks={"response": [_refuse_packed]},
        )  # fmt: skip
        self._load([])

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def refresh(self) -> None:
        """Reads the list of RDAP servers anew.

        Raises:
            Silent: it cannot be had; the one before stays.
        """
        try:
            if "://" in self._bootstrap:
                data = (await self._http.get(self._bootstrap)).raise_for_status().json()
            else:
                data = json.loads(await asyncio.to_thread(Path(self._bootstrap).read_bytes))
            self._load([(list(each[0]), list(each[1])) for each in data["services"]])
        except (AddressForbidden, httpx.HTTPError, OSError, ValueError, LookupError, TypeError, WhoisItError) as error:
            raise Silent(f"the list of RDAP servers cannot be had ({type(error).__name__})") from error

    def _load(self, services: list[tuple[list[str], list[str]]]) -> None:
        own = json.loads(files("resource_cmd.expiry").joinpath("rdap.json").read_bytes())["services"]
        sections: dict[str, Any] = {name: {"services": [each]} for name, each in _UNASKED.items()}
        data = {**sections, "timestamp": 0, "dns": {"services": [*own, *services]}}
        whoisit.clear_bootstrapping()
        # An operator's own list may name a server of the house, which speaks plain HTTP.
        whoisit.load_bootstrap_data(data, allow_insecure=True, from_json=False)

    def host(self, name: str) -> str:
        """Whom a domain is asked from: the RDAP server's host, or `whois` and the suffix."""
        try:
            return httpx.URL(whoisit.build_query(query_type="domain", query_value=name)[1]).host
        except UnsupportedError:
            return f"whois {name.rpartition('.')[2]}"

    async def ask(self, name: str, now: datetime) -> Domain:
        """What the registry tells of a domain; `expires_at` is None where it keeps that to itself.

        Raises:
            Silent: nobody told anything.
        """
        found: Domain | None = None
        try:
            found = await self._rdap(name, now)
        except Silent as silence:
            if silence.limited:
                raise
        if found and found.expires_at:
            return found
        try:
            return await self._whois(name, now)
        except Silent:
            if found:
                return found
            raise

    async def _rdap(self, name: str, now: datetime) -> Domain:
        try:
            async with asyncio.timeout(WAIT):
                told = await whoisit.domain_async(name, async_client=self._http, follow_related=False)
        except RateLimitedError as error:
            raise Silent("the registry wants to be asked less often", limited=True) from error
        except ResourceDoesNotExist as error:
            raise Silent("the registry does not know the domain") from error
        except (WhoisItError, TimeoutError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise Silent(f"RDAP failed ({type(error).__name__})") from error
        registrar = next((each.get("name") for each in told.get("entities", {}).get("registrar", [])), "")
        return Domain(
            name=name,
            registrar=_plain(registrar),
            created_at=_moment(told.get("registration_date")),
            expires_at=_moment(told.get("expiration_date")),
            checked_at=now,
        )

    async def _whois(self, name: str, now: datetime) -> Domain:
        suffix = name.rpartition(".")[2]
        attribute = suffix.upper().replace("-", "_")
        known = (getattr(kind, attribute, None) for kind in (GenericTLD, CountryCodeTLD, SponsoredTLD))
        server = next((each for each in known if each), None)
        if server is None:
            referral = _REFERRAL.search(await self._question(IANA, suffix))
            if referral is None:
                raise Silent("the suffix has neither RDAP nor WHOIS")
            server = referral[1]
        text = await self._question(server, name)
        try:
            told: dict[Any, Any] = await asyncio.to_thread(whois.Parser().parse, text, suffix)
        except NotFoundError as error:
            raise Silent("the registry does not know the domain") from error
        except Exception as error:  # a parser of foreign text, made of regular expressions
            raise Silent(f"the answer of WHOIS cannot be read ({type(error).__name__})") from error
        if not told.get("domain_name"):
            raise Silent("WHOIS told nothing")
        return Domain(
            name=name,
            registrar=_plain(told.get("registrar")),
            created_at=_moment(told.get("created")),
            expires_at=_moment(told.get("expires")),
            checked_at=now,
        )

    async def _question(self, server: str, question: str) -> str:
        """One line to a WHOIS server; the first 64 KiB of what it answers."""
        try:
            async with asyncio.timeout(WAIT):
                addresses = await self._guard.resolve(server)
                reader = asyncio.StreamReader()
                transport, _ = await self._guard.connect(
                    addresses[:1], self._whois_port, lambda: asyncio.StreamReaderProtocol(reader)
                )
                try:
                    transport.write(f"{question}\r\n".encode("ascii"))
                    answer = b""
                    while len(answer) < 1 << 16 and (part := await reader.read(1 << 16)):
                        answer += part
                finally:
                    transport.abort()
        except (OSError, AddressForbidden) as error:  # TimeoutError is one
            raise Silent(f"WHOIS failed ({type(error).__name__})") from error
        return answer.decode("utf-8", "replace")


def _plain(value: object) -> str:
    return "".join(letter for letter in value if letter.isprintable())[:255] if isinstance(value, str) else ""


def _moment(value: object) -> datetime | None:
    """A time that a registry gave, in UTC; None for anything else."""
    if not isinstance(value, datetime):
        return None
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None

"""Every environment variable of Pinghome, read once when a process starts."""

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from pinghome_common.setting_files import SettingFiles, placeholders
from pinghome_common.setting_types import Anchor, Location, Network

LARGEST_PING_BODY = 384 << 10
"""Bytes; a ping with such a body fits into one message of the stream."""

LONGEST_MESSAGE, MOST_COMPONENTS = 100_000, 1000
"""Characters of a message, and components of a page: with these a state still fits into one message of the stream."""


_KEYS = {
    "bootstrap_checks_key": r".{32}",
    "bootstrap_checks_read_key": r".{32}",
    "bootstrap_ping_key": r".{22}",
    "bootstrap_status_token": r"[A-Za-z0-9]{40}",
}


class Settings(BaseSettings):
    """The settings of one process; each field is the variable `PINGHOME_<FIELD>`.

    Each may be read from a file instead: `PINGHOME_SECRET_KEY_FILE=/run/secrets/key`.

    Raises:
        ValueError: a value is wrong, both a setting and its file are given, or a secret is an example's.
    """

    model_config = SettingsConfigDict(
        env_prefix="PINGHOME_", env_file=".env", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    port: int = Field(8000, ge=1, le=65535, description="the port to listen on")
    host: str = Field("127.0.0.1", description="the address to listen on")
    data: Path = Field(Path(".data"), description="the data folder: everything that outlives the process")
    url: str = Field(
        "", description="the public base URL, used in check-in URLs and links; default: scheme and host of the request"
    )
    regions: Annotated[list[str], NoDecode] = Field(
        ["eu-central-1"],
        description="comma-separated regions for which `pinghome up` runs a prober; more by `pinghome prober add`",
    )
    region: str = Field(
        "", description="the region of a standalone prober; default: all of PINGHOME_REGIONS in one process"
    )
    probe_allow_cidrs: Annotated[list[Network], NoDecode] = Field(
        [], description="comma-separated private networks that may be probed; metadata addresses never are"
    )
    probe_anchors: Annotated[list[Anchor], NoDecode] = Field(
        [],
        description="comma-separated host:port that always accept connections; if none does, the region is at fault",
    )
    probe_pinger: Literal["own", "aioping"] = Field(
        "own", description="implementation of ICMP; aioping is an optional dependency (GPLv2)"
    )
    prober_spool_bytes: int = Field(
        256 << 20, ge=32 << 20, description="bytes of results that a prober keeps while it has no link to the broker"
    )
    ops_channel: UUID | Literal[""] = Field(
        "", description="id of the channel that is told about the platform itself, such as a region without probers"
    )
    ops_heartbeat_url: str = Field("", description="URL that is requested each minute while the whole platform is well")
    ops_heartbeat_seconds: int = Field(60, ge=1, description="seconds between two such requests, if not a minute")
    period_unit_seconds: int = Field(60, ge=1, description="seconds in one unit of grace and recovery periods")
    rdap_bootstrap_url: str = Field(
        "https://data.iana.org/rdap/dns.json",
        description="list of RDAP servers in IANA's format, read weekly: a URL or the path of a file",
    )
    database_url: str = Field(
        "",
        description="PostgreSQL server to use instead of the embedded one; each service has its own database there",
    )
    postgres_shared_buffers: str = Field(
        "16MB", description="shared_buffers of the embedded PostgreSQL; more where there are thousands of monitors"
    )
    nats_url: str = Field(
        "",
        description="NATS server to use instead of the embedded one, with user and password; a comma list of a cluster",
    )
    nats_ca: str = Field(
        "", description="the authority of the NATS server's certificate, PEM or base64 of DER: then it has to speak TLS"
    )
    nats_replicas: int = Field(1, description="replicas of each stream: 1, or 3 on a cluster")
    secret_key: str = Field(
        "", description="encrypts secrets at rest and signs badges; generated at the first start if unset"
    )
    region_key: str = Field("", description="the key of a standalone prober's region, printed by `pinghome prober add`")
    badge_secret: str = Field(
        "", description="signs badges, for a standalone resource-query; default: derived from the secret key"
    )
    page_secret: str = Field(
        "", description="signs passes to private pages, for standalone status services; default: derived from the key"
    )
    subscription_secret: str = Field(
        "",
        description="signs subscribers' links, for a standalone statuspage-cmd; default: derived from the secret key",
    )
    console: bool = Field(default=True, description="whether the platform has a console, at /console/")
    console_api: str = Field(
        "",
        description="where a standalone console finds the services, such as http://{service}:8000; default: the "
        "platform's own port",
    )
    console_secret: str = Field(
        "", description="seals the console's cookies; a comma list: the newest first, old ones are still opened"
    )
    bootstrap_token: str = Field("", description="bearer token of the first organisation")
    bootstrap_checks_key: str = Field("", description="Healthchecks read-write key of the first service, 32 characters")
    bootstrap_checks_read_key: str = Field("", description="Healthchecks read-only key, 32 characters")
    bootstrap_status_token: str = Field(
        "", description="PingPong token of the first organisation's first status page, 40 letters or digits"
    )
    bootstrap_ping_key: str = Field("", description="Healthchecks ping key of the first service, 22 characters")
    smtp_url: str = Field(
        "", description="mail server of email channels: smtp://user:password@host:587?starttls or smtps://…"
    )
    mail_from: str = Field("", description="the sender of mails, such as Pinghome <alerts@example.com>")
    statuspage_io_url: str = Field("https://api.statuspage.io", description="base URL of Atlassian Statuspage's API")
    statuspage_io_token: str = Field("", description="Statuspage token for integrations without their own")
    statuspage_io_pages: Annotated[list[str], NoDecode] = Field(
        [],
        description="comma-separated page or organisation:page that may use it; default: the first organisation's",
    )
    mail_confirmed_domains: Annotated[list[str], NoDecode] = Field(
        [], description="comma-separated domains whose mail addresses need no confirmation"
    )
    channel_tests_per_minute: int = Field(5, ge=1, description="channel tests of one organisation in a minute")
    trusted_proxies: Annotated[list[str], NoDecode] = Field(
        [], description="comma-separated addresses of proxies whose X-Forwarded-For and -Proto are trusted; never *"
    )
    body_limit: int = Field(1 << 20, ge=1024, description="largest request body in bytes")
    request_timeout: float = Field(15.0, gt=0, description="seconds within which a client must send a whole request")
    connections_per_address: int = Field(
        512, ge=1, description="maximum open connections from one address (IPv6: /64); trusted proxies may have more"
    )
    answer_timeout: float = Field(30.0, gt=0, description="seconds within which a request must be answered")
    checks_limit: int = Field(
        10_000, ge=1, description="maximum number of checks in a service; `?create=1` may add as many again"
    )
    flips_as_object: bool = Field(
        default=False, description="whether Healthchecks' API v1 returns flips as an object, as v2 and v3 do"
    )
    ping_body_limit: int = Field(
        10_000,
        ge=0,
        le=LARGEST_PING_BODY,
        description="bytes of a ping's body that are kept; 0: the maximum, 393216",
    )
    smtp_listen: Anchor | Literal[""] = Field("", description="host:port to accept pings by mail on; default: off")
    ping_mail_domain: str = Field("", description="the domain that pings by mail are sent to")
    metrics_body_limit: int = Field(
        8 << 20, ge=1 << 20, description="bytes of a request with samples of servers, once decompressed"
    )
    metrics_limit: float = Field(
        10, gt=0, description="requests a second with samples that one agent may send, each with 2000 values on average"
    )
    metrics_raw_kept_days: int = Field(8, ge=1, le=90, description="days for which single samples of servers are kept")
    metrics_minutes_kept_days: int = Field(35, ge=1, description="days for which their minutes are kept")
    metrics_hours_kept_days: int = Field(
        400, ge=1, description="days for which their hours are kept; days are kept for ever"
    )
    server_grace_seconds: int = Field(
        30, ge=0, description="seconds, beyond two intervals, for which a server may be silent before it is down"
    )
    servers_limit: int = Field(1000, ge=1, description="servers that one organisation may have")
    pings_kept: int = Field(1000, ge=1, description="number of pings kept for each heartbeat or check")
    pings_kept_days: int = Field(90, ge=8, description="days that single pings are kept; hourly and daily counts stay")
    results_kept_days: int = Field(
        30, ge=8, description="days for which single probe results are kept; hourly and daily statistics stay"
    )
    audit_kept_days: int = Field(400, ge=32, description="days for which the audit log is kept, by months")
    changes_kept_days: int = Field(400, ge=32, description="days for which state changes and flips are kept")
    stream_max_bytes: int = Field(
        8 << 30, description="maximum size of the telemetry stream in bytes; while it is full, new data waits"
    )
    status_domain: str = Field(
        "", description="the domain below which each status page has its subdomain, such as status.example.com"
    )
    domains_per_day: int = Field(10, ge=1, description="domains that one organisation may claim for its pages in a day")
    pages_limit: int = Field(100, ge=1, description="status pages that one organisation may have")
    components_limit: int = Field(
        500, ge=1, le=MOST_COMPONENTS, description="components that one page may have, and as many groups"
    )
    page_metrics_limit: int = Field(50, ge=1, description="metrics, custom ones too, that one page may have")
    pingpong_locations: Annotated[list[Location], NoDecode] = Field(
        [],
        description="comma-separated location=region, such as US West=us-west-1: where metrics of PingPong's API are "
        "measured from; default: the first region",
    )
    updates_limit: int = Field(500, ge=1, description="updates that one incident may have")
    message_limit: int = Field(
        20_000, ge=1, le=LONGEST_MESSAGE, description="characters of one message of an incident or a maintenance"
    )
    subscribers_limit: int = Field(50_000, ge=1, description="verified subscribers that one page may have")
    dns_resolver: Anchor | Literal[""] = Field(
        "", description="host:port of the DNS server that is asked for pages' domains; default: the machine's"
    )
    mail_per_minute: int = Field(
        120, ge=1, description="mails a minute that tell subscribers of status pages; alerts do not wait for them"
    )
    subscription_require_page: bool = Field(
        default=False, description="whether a subscription has to say to which status page, where there are several"
    )
    subscriptions_per_hour: int = Field(
        20, ge=1, description="requests to subscribe in an hour from one address before it gets 429"
    )
    expose_tokens: bool = Field(
        default=False, description="whether whoever subscribes is shown the token that is mailed; for tests only"
    )
    public_metrics: bool = Field(
        default=False, description="whether /metrics, the reasons of /readyz, and the probers' pages are public"
    )
    wrong_tokens_per_minute: int = Field(30, ge=1, description="wrong tokens from one address before it gets 429")
    read_your_writes_seconds: float = Field(0.5, gt=0, le=60, description="most that an answer waits for read models")
    log_level: str = Field("info", description="debug, info, warning or error")

    @field_validator(
        "regions",
        "probe_allow_cidrs",
        "probe_anchors",
        "trusted_proxies",
        "statuspage_io_pages",
        "mail_confirmed_domains",
        "pingpong_locations",
        mode="before",
    )
    @classmethod
    def _comma_list(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator(*_KEYS)
    @classmethod
    def _key(cls, value: str, info: ValidationInfo) -> str:
        if value and not re.fullmatch(pattern := _KEYS[str(info.field_name)], value):
            raise ValueError(f"must match {pattern}")
        return value

    @field_validator("smtp_url")
    @classmethod
    def _smtp_url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("smtp", "smtps") or not parts.hostname):
            raise ValueError("must look like smtp://user:password@host:587?starttls or smtps://user:password@host")
        return value

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.smtp_url and "@" not in self.mail_from:
            raise ValueError("PINGHOME_SMTP_URL needs PINGHOME_MAIL_FROM, an address such as alerts@example.com")
        if self.smtp_listen and "." not in self.ping_mail_domain:
            raise ValueError("PINGHOME_SMTP_LISTEN needs PINGHOME_PING_MAIL_DOMAIN, such as ping.example.com")
        if names := [f"PINGHOME_{name.upper()}" for name in placeholders(self)]:
            raise ValueError(f"{', '.join(names)}: this is an example's; generate one, as `openssl rand -hex 32` does")
        return self

    @classmethod
    def settings_customise_sources(cls, settings_cls: type[BaseSettings], *_: Any, **sources: Any) -> tuple[Any, ...]:
        """What takes precedence: arguments, the environment, `.env`, files that these name."""
        variables = sources["env_settings"], sources["dotenv_settings"]
        return sources["init_settings"], *variables, SettingFiles(settings_cls, *variables)

    def database(self, name: str) -> str:
        """The URL of one service's own database on the PostgreSQL server."""
        return urlunsplit(urlsplit(self.database_url)._replace(path=f"/{name}"))

    def region_of(self, location: str) -> str:
        """The region for a location of PingPong's API; the first one where the operator has said nothing."""
        pairs = (each.partition("=") for each in self.pingpong_locations)
        found = {place.strip().lower(): region.strip() for place, _, region in pairs}
        return found.get(location.lower(), self.regions[0])

    @cached_property
    def public_url(self) -> str:
        """`PINGHOME_URL` without a trailing slash; empty when unset."""
        return self.url.rstrip("/")

    def but(self, **changes: object) -> Self:
        """A copy with some fields changed, for one service of the all-in-one."""
        return self.model_copy(update=changes)

"""Names that a status page may not have, because they are, or may become, those of the platform or of everybody."""

from functools import cache

from publicsuffixlist import PublicSuffixList

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.hosts import to_ascii

SERVICES = frozenset(
    ("resource-cmd", "resource-query", "statistic-query", "statuspage-cmd", "statuspage-query", "data-gateway")
)
RESERVED = SERVICES | {"console", "www", "api", "app", "mail", "admin", "docs"}


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def domain(name: str, platform: str, status_domain: str) -> str:
    """A page's own domain as it is looked up.

    Args:
        name: as somebody typed it; empty for none.
        platform: the host of the platform's public address, or empty.
        status_domain: below which pages have their subdomains, or empty.

    Raises:
        Invalid: it is none, or one of the platform's or of everybody's.
    """
    if not name:
        return ""
    try:
        host = to_ascii(name).removesuffix(".")
    except ValueError as error:
        raise Invalid(FieldError("domain", str(error))) from None
    if (
        "." not in host
        or ":" in host
        or host.replace(".", "").isdigit()
        or not host.replace("-", "").replace(".", "").isalnum()
    ):
        raise Invalid(FieldError("domain", "must be a host name such as status.example.com"))
    ours = host in {platform, status_domain} or (status_domain and host.endswith("." + status_domain))
    services = {f"{label}.{platform}" for label in SERVICES} if platform else set()
    if ours or host in services or host.partition(".")[0] in SERVICES or host.endswith(".localhost"):
        raise Invalid(FieldError("domain", "is a name of the platform itself; use a host name of your own"))
    if _suffixes().publicsuffix(host) == host:
        raise Invalid(FieldError("domain", "is a public suffix, which nobody owns; use a host name below it"))
    return host

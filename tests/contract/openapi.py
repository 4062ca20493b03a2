"""The routes in the services' own OpenAPI documents."""

from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from pinghome.services import SERVICES
from pinghome_common.settings import Settings


class Documented(NamedTuple):
    """A route; `about` is what its document says of it."""

    method: str
    service: str
    path: str
    about: dict[str, Any]


@cache
def documented() -> list[Documented]:
    """All of them, of all dialects."""
    found = []
    for service, factory in SERVICES.items():
        module, name = factory.split(":")
        application = getattr(import_module(module), name)(Settings(regions=["eu-central-1"], region="eu-central-1"))
        for path, methods in application.openapi()["paths"].items():
            found += [Documented(method.upper(), service, path, about) for method, about in methods.items()]
    return found

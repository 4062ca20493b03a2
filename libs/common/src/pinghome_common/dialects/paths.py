"""Routes that answer several spellings of a path: each route more would be looked through on each request."""

import re
from copy import copy
from typing import Any

from fastapi import APIRouter


def with_or_without_slash(route: Any) -> None:
    """Has a route of FastAPI answer its path with and without a trailing slash."""
    pattern = route.path_regex.pattern.removesuffix("$").removesuffix("/")
    route.path_regex = re.compile(f"{pattern}/?$")


def in_versions(route: Any, versions: str) -> None:
    """Has a route at `/api/v1/…` answer other versions, such as `123`, too."""
    route.path_regex = re.compile(route.path_regex.pattern.replace("/api/v1/", f"/api/v[{versions}]/", 1))


def also_head(router: APIRouter) -> None:
    """Has the newest route of a router answer HEAD, too, which OpenAPI need not show.

    It is a copy: FastAPI takes milliseconds to look through an endpoint's parameters, and we have hundreds of routes.
    """
    route: Any = copy(router.routes[-1])
    route.methods, route.include_in_schema = {"HEAD"}, False
    router.routes.append(route)

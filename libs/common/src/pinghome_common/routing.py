"""Finds a request's route among those that its path can belong to."""

import re
from functools import cached_property

from fastapi import APIRouter
from starlette._utils import get_route_path
from starlette.convertors import PathConvertor
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

Place = tuple[int, str, str | None]
"""How many segments a path has, and the first two; the second may be any if it is None."""

_LITERAL = re.compile(r"\^/((?:\w|\\.)+)(?:/((?:\w|\\.)+))?(?=/|\$)")
"""The first two segments of a route's pattern, if they are always the same."""


class Places:
    """The routes of a router by the place of their paths.

    To try the patterns of a hundred routes one after another takes a fifth of a small request.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request, or the life of the application."""
        router = self.near(get_route_path(scope)) if scope["type"] == "http" else self._router
        await router.app(scope, receive, send)

    def near(self, path: str) -> APIRouter:
        """The routes that a path can belong to, in their order."""
        size, first, second = _place(path)
        return self._by_place.get((size, first, second)) or self._by_place.get((size, first, None)) or self._others

    @cached_property
    def _by_place(self) -> dict[Place, APIRouter]:
        places = {place for place in map(_place_of, self._router.routes) if place}
        return {place: self._of(None, (*place[:2], None), place) for place in places}

    @cached_property
    def _others(self) -> APIRouter:
        return self._of(None)

    def _of(self, *places: Place | None) -> APIRouter:
        routes = [route for route in self._router.routes if _place_of(route) in places]
        return APIRouter(routes=routes, redirect_slashes=self._router.redirect_slashes)


def _place(path: str) -> tuple[int, str, str]:
    path = path.removesuffix("/")  # which many routes leave to those who ask
    _, first, second, *_ = [*path.split("/", 3), "", ""]
    return path.count("/"), first, second


def _place_of(route: BaseRoute) -> Place | None:
    """None for a route that may match anywhere: a mounted application, or one with a parameter at the beginning."""
    if not isinstance(route, Route) or any(isinstance(it, PathConvertor) for it in route.param_convertors.values()):
        return None
    literal = _LITERAL.match(route.path_regex.pattern)
    first, second = (each and each.replace("\\", "") for each in literal.groups()) if literal else (None, None)
    return (_place(route.path)[0], first, second) if first else None

"""Finds a request's route among those that its path can belong to."""

from functools import cached_property

from fastapi import APIRouter
from starlette._utils import get_route_path
from starlette.convertors import PathConvertor
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

Place = tuple[int, str, str]
"""How many segments a path has, and the first two."""


class Places:
    """The routes of a router by the place of their paths.

    To try the patterns of a hundred routes one after another takes a fifth of a small request.
    """

    def __init__(self, router: APIRouter) -> None:
        self._router = router

    @cached_property
    def _routers(self) -> tuple[dict[Place, APIRouter], APIRouter]:
        """A router of each place, and that of all others; each has the routes that may be anywhere."""
        places = [_place_of(route) for route in self._router.routes]

        def router(of: Place | None) -> APIRouter:
            near = zip(places, self._router.routes, strict=True)
            return APIRouter(
                routes=[route for place, route in near if place in (of, None)],
                redirect_slashes=self._router.redirect_slashes,
            )

        return {place: router(place) for place in places if place}, router(None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one request, or the life of the application."""
        router = self.near(get_route_path(scope)) if scope["type"] == "http" else self._router
        await router.app(scope, receive, send)

    def near(self, path: str) -> APIRouter:
        """The routes that a path can belong to, in their order."""
        places, others = self._routers
        return places.get(_place(path), others)


def _place(path: str) -> Place:
    path = path.removesuffix("/")  # which many routes leave to those who ask
    _, first, second, *_ = [*path.split("/", 3), "", ""]
    return path.count("/"), first, second


def _place_of(route: BaseRoute) -> Place | None:
    """None for a route that may match anywhere: a mounted application, or one with a parameter at the beginning."""
    if not isinstance(route, Route) or any(isinstance(it, PathConvertor) for it in route.param_convertors.values()):
        return None
    place = _place(route.path)
    return None if "{" in place[1] + place[2] else place

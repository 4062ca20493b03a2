"""Records of components and their groups: contract C3, C5, C8 and C10, pingpong.txt lines 44 to 185.

Their paths are inferred.
"""

from collections.abc import Iterable
from typing import TypeVar

from fastapi import Response

from pinghome_common.dialects import pingpong_documents as documents
from pinghome_common.dialects.pingpong import Router, answer, identified
from pinghome_common.dialects.pingpong_documents import shows
from pinghome_common.errors import NotFound
from pinghome_common.events.statuspage import Component, Group
from statuspage_query.api.pingpong.reading import Reading

routes = Router()

T = TypeVar("T", Component, Group)


@routes.get("/components", responses=shows([documents.COMPONENT]))
async def collection(it: Reading) -> Response:
    """The page's components in their order, also those that it does not show (C3)."""
    project = await it.project()
    return answer([project.component(each) for each in it.page.components])


@routes.get("/components/{id}", responses=shows(documents.COMPONENT))
async def one(id: str, it: Reading) -> Response:  # noqa: A002  # the document's word
    """A component with the status that it shows now (C5)."""
    found = _find(it.page.components, id)
    return answer((await it.project()).component(found))


@routes.get("/component-groups", responses=shows([documents.GROUP]))
async def groups(it: Reading) -> Response:
    """The page's groups of components in their order (C8)."""
    project = await it.project()
    return answer([project.group(each) for each in it.page.groups])


@routes.get("/component-groups/{id}", responses=shows(documents.GROUP))
async def group(id: str, it: Reading) -> Response:  # noqa: A002
    """A group of components (C10)."""
    found = _find(it.page.groups, id)
    return answer((await it.project()).group(found))


def _find(kind: Iterable[T], text: str) -> T:
    id_ = identified(text)
    found = next((each for each in kind if each.id == id_), None)
    if found is None:
        raise NotFound("Not found")
    return found

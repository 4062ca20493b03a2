"""The components of a page and their groups, one by one, and what names them; no I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.errors import FieldError, Invalid, NotFound
from pinghome_common.events.statuspage import Component, Group, StatusPage

T = TypeVar("T", Component, Group)


def check(page: StatusPage, components: Iterable[UUID]) -> None:
    """Checks that components are a page's, each once.

    Raises:
        Invalid: one is not, or is named twice.
    """
    left = {each.id for each in page.components}
    for place, id_ in enumerate(components):
        if id_ not in left:
            raise Invalid(FieldError(f"components.{place}", "must be a component of this page, and only once"))
        left.remove(id_)


def find(kind: Sequence[T], id_: UUID) -> T:
    """One of a page's components or groups; raises NotFound."""
    found = next((each for each in kind if each.id == id_), None)
    if found is None:
        raise NotFound("Component not found")
    return found


def add(page: StatusPage, settings: dict[str, Any], now: datetime, most: int) -> tuple[StatusPage, Component]:
    """The page with a component more; raises Invalid when it has `most`."""
    made = Component(id=uuid7(), created_at=now, **settings)
    check_count([*page.components, made], page.groups, most)
    return _with_components(page, [*page.components, made], now), made


def edit(page: StatusPage, id_: UUID, settings: dict[str, Any], now: datetime) -> tuple[StatusPage, Component]:
    """The page with other settings of a component; raises NotFound."""
    changed = replace(find(page.components, id_), **settings)
    components = [changed if each.id == id_ else each for each in page.components]
    return _with_components(page, components, now), changed


def add_group(page: StatusPage, settings: dict[str, Any], now: datetime, most: int) -> tuple[StatusPage, Group]:
    """The page with a group more; raises Invalid when it has `most`."""
    made = Group(id=uuid7(), created_at=now, **settings)
    check_count(page.components, [*page.groups, made], most)
    return replace(page, groups=[*page.groups, made], updated_at=now), made


def edit_group(page: StatusPage, id_: UUID, settings: dict[str, Any], now: datetime) -> tuple[StatusPage, Group]:
    """The page with other settings of a group; raises NotFound."""
    changed = replace(find(page.groups, id_), **settings)
    return replace(page, groups=[changed if each.id == id_ else each for each in page.groups], updated_at=now), changed


def check_count(components: Sequence[Component], groups: Sequence[Group], most: int) -> None:
    """Raises Invalid when there are more than `most` components or groups."""
    if len(components) > most or len(groups) > most:
        raise Invalid(FieldError("components", f"a page has at most {most} components, and as many groups"))


def _with_components(page: StatusPage, components: Sequence[Component], now: datetime) -> StatusPage:
    """The page with these components, those without a group first, then group by group."""
    places = {each.id: place for place, each in enumerate(page.groups)}
    ordered = sorted(components, key=lambda each: places[each.group] if each.group else -1)
    return replace(page, components=ordered, updated_at=now)

"""What may be done with a status page; no I/O, the time is an argument."""

import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from uuid_utils.compat import uuid7

from pinghome_common.events.statuspage import Component, Group, StatusPage
from statuspage_cmd.pages.components import check_count

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A component or a group as somebody wants it; `id` names one that there is, else its name does."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)
    id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedGroup(Wanted):
    """A group with the components in it."""

    components: Sequence[Wanted] = ()


def create(id_: UUID, organisation: UUID, settings: dict[str, Any], now: datetime) -> StatusPage:
    """A new page."""
    return StatusPage(
        id=id_,
        organisation=organisation,
        domain_token=_random(32),
        shields_key="sp_" + _random(22),
        created_at=now,
        updated_at=now,
        **settings,
    )


def edit(it: StatusPage, settings: dict[str, Any], now: datetime) -> StatusPage:
    """The page with other settings."""
    return replace(it, **settings, updated_at=now)


def arrange(
    it: StatusPage, components: Sequence[Wanted] | None, groups: Sequence[WantedGroup] | None, now: datetime, most: int
) -> StatusPage:
    """The page with other components or groups; None leaves those outside of groups, or the groups, as they are.

    What there was keeps its id: it is known by that, else by its name.

    Raises:
        Invalid: there are more than `most` components or groups.
    """
    loose = [each for each in it.components if each.group is None]
    grouped = [each for each in it.components if each.group is not None]
    known = [*(loose if components is not None else ()), *(grouped if groups is not None else ())]
    made = it.groups
    if components is not None:
        loose = [_component(want, known, None, now) for want in components]
    if groups is not None:
        made, grouped = [], []
        old = list(it.groups)
        for want in groups:
            group = _group(want, old, now)
            made.append(group)
            grouped += [_component(each, known, group.id, now) for each in want.components]
    check_count(loose + grouped, made, most)
    return replace(it, components=loose + grouped, groups=made, updated_at=now)


def _component(want: Wanted, known: list[Component], group: UUID | None, now: datetime) -> Component:
    if before := _taken(want, known):
        return replace(before, name=want.name, group=group, **want.settings)
    return Component(id=uuid7(), name=want.name, group=group, created_at=now, **want.settings)


def _group(want: Wanted, known: list[Group], now: datetime) -> Group:
    if before := _taken(want, known):
        return replace(before, name=want.name, **want.settings)
    return Group(id=uuid7(), name=want.name, created_at=now, **want.settings)


T = TypeVar("T", Component, Group)


def _taken(want: Wanted, known: list[T]) -> T | None:
    """What there is and is wanted again; nothing is taken twice."""
    found = next((each for each in known if each.id == want.id), None)
    if found is None and want.id is None:
        found = next((each for each in known if each.name == want.name), None)
    if found is not None:
        known.remove(found)
    return found


def _random(length: int) -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(length))

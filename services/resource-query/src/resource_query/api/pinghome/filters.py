"""What a list may be asked for: `id`, `q`, `state`, `type`, `tag` and `sort` (contract K, our extension)."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Depends, Query

from pinghome_common.dialects.pinghome_fields import Id, Text
from pinghome_common.errors import FieldError, Invalid
from resource_query.lists import NOUNS, Wanted

_PART = Query(max_length=100, description="our extension: a part of name, url, host or tag, in any case")
_TAG = Query(default_factory=list, max_length=20, description="our extension: has it, as a whole; of several, all")


Types = Annotated[
    list[str],
    Query(default_factory=list, max_length=20, description="our extension: of several, any, such as http or dns"),
]


def _any_of(words: Sequence[str]) -> Any:
    return Query(default_factory=list, max_length=20, description=f"our extension: of several, any: {', '.join(words)}")


def _by(sorts: Sequence[str]) -> Any:
    return Query(description=f"our extension: {', '.join(sorted(sorts))}; with - in front, descending")


def typed(types: Sequence[str]) -> Sequence[str]:
    """Types of monitors.

    Raises:
        Invalid: there is no such type.
    """
    _check("type", types, NOUNS["resource"].types)
    return types


def sorted_by(table: str) -> Any:
    """The dependency of lists that are searched and sorted only, of channels or services."""
    sorts = [*NOUNS[table].sorts]

    async def wanted(
        q: Annotated[Text, Query(max_length=100, description="our extension: a part of the name, in any case")] = "",
        sort: Annotated[str, _by(sorts)] = "",
    ) -> Wanted:
        _check("sort", [sort.removeprefix("-")], ["", *sorts])
        return Wanted(q=q, sort=sort)

    return Depends(wanted)


def filtered(table: str) -> Any:
    """The dependency of lists of monitors, heartbeats or servers, with the filters that they have."""
    noun = NOUNS[table]

    async def wanted(
        state: Annotated[list[str], _any_of(noun.states)],
        tag: Annotated[list[Text], _TAG],
        q: Annotated[Text, _PART] = "",
        sort: Annotated[str, _by([*noun.sorts])] = "",
    ) -> Wanted:
        _check("state", state, noun.states)
        _check("sort", [sort.removeprefix("-")], ["", *noun.sorts])
        return Wanted(q=q, states=state, tags=tag, sort=sort)

    return Depends(wanted)


Ids = Annotated[list[Id], Query(alias="id", default_factory=list, max_length=100, description="only these")]
Services = Annotated[list[Id], Query(default_factory=list, max_length=50, description="only of these services")]


def _check(name: str, given: Sequence[str], known: Sequence[str]) -> None:
    if unknown := [word for word in given if word not in known]:
        raise Invalid(FieldError(name, f"{unknown[0][:50]} is not one of {', '.join(filter(None, known))}"))

"""Types of fields and parameters in PingHome's dialect: strict types, ids, pages (contract A.0)."""

from functools import cache
from typing import Annotated, Any
from uuid import UUID
from zoneinfo import available_timezones

from fastapi import Depends, Query
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from pinghome_common.errors import FieldError, Invalid


def _text(value: str) -> str:
    if "\x00" in value:
        raise PydanticCustomError("nul", "must not contain the character NUL")
    return value


Text = Annotated[StrictStr, AfterValidator(_text)]
Name = Annotated[
    str, StringConstraints(strict=True, strip_whitespace=True, min_length=1, max_length=255), AfterValidator(_text)
]
Flag = StrictBool
Int = StrictInt


_zones = cache(available_timezones)  # it walks a tree of 600 files


def _zone(value: str) -> str:
    if value not in _zones():
        raise PydanticCustomError("zone", "must be the name of a time zone such as Europe/Berlin")
    return value


Zone = Annotated[Text, AfterValidator(_zone)]


def _id(value: Any) -> Any:
    if isinstance(value, UUID):
        return value
    try:
        return UUID(value) if isinstance(value, str) and len(value) == 36 and value.isascii() else _not_an_id()
    except ValueError:
        return _not_an_id()


def _not_an_id() -> UUID:
    raise PydanticCustomError("uuid", "must be a UUID such as 6766163a-568d-47b4-a1fa-91a0957e06d4")


Id = Annotated[UUID, BeforeValidator(_id)]


def _tags(value: list[str]) -> list[str]:
    if not all(0 < len(tag) <= 50 and tag.split() == [tag] for tag in value):
        raise PydanticCustomError("tags", "must be words of 1 to 50 characters without white space")
    tags = list(dict.fromkeys(value))
    if len(" ".join(tags)) > 500:
        raise PydanticCustomError("tags", "must have at most 500 characters in all, with a space between two")
    return tags


Tags = Annotated[
    list[Text], AfterValidator(_tags), Field(max_length=20, description="our extension: words to find it by")
]


class Page(BaseModel):
    """`page` and `limit` of a list (contract A.0)."""

    page: int = Field(1, ge=1, le=1_000_000)
    limit: int = Field(50, ge=1, le=500)

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * self.limit


# Async although it awaits nothing: FastAPI runs sync dependencies in a thread, which costs more than the rest of the
# request.
async def page(
    page: Annotated[int, Query(ge=1, le=1_000_000)] = 1, limit: Annotated[int, Query(ge=1, le=500)] = 50
) -> Page:
    """The requested page of a list."""
    return Page(page=page, limit=limit)


Paged = Annotated[Page, Depends(page)]


def listing(rows: list[dict[str, Any]], at: Page, total: int) -> dict[str, Any]:
    """The body of a paginated list (contract F)."""
    return {"data": rows, "page": at.page, "limit": at.limit, "total": total}


async def ids(
    id: Annotated[  # noqa: A002  # the document's word
        list[str],
        Query(description="repeated, or one comma-separated list", examples=[["6766163a-568d-47b4-a1fa-91a0957e06d4"]]),
    ] = [],  # noqa: B006  # FastAPI copies it
) -> list[UUID]:
    """The ids of a bulk request: repeated `id`, a comma-separated list, or a Python list (contract A2).

    Raises:
        Invalid: there is none, there are too many, or one is not a UUID.
    """
    found: list[UUID] = []
    for raw in id:
        for part in raw.strip("[] ").split(","):
            text = part.strip(" '\"")
            if len(text) != 36 or not text.isascii():  # a UUID with dashes
                raise Invalid(FieldError("id", "must be a UUID"))
            try:
                found.append(UUID(text))
            except ValueError:
                raise Invalid(FieldError("id", "must be a UUID")) from None
    if not found:
        raise Invalid(FieldError("id", "at least one id is required, as ?id=…&id=…"))
    if len(found) > 1000:
        raise Invalid(FieldError("id", "at most 1000 ids at a time"))
    return list(dict.fromkeys(found))


Ids = Annotated[list[UUID], Depends(ids)]

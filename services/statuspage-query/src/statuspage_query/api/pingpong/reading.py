"""What routes depend on: the page that the caller's token is for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from pinghome_common.dialects.pingpong import authorize, page_of
from pinghome_common.dialects.pingpong_documents import Project
from pinghome_common.events.statuspage import StatusPage
from statuspage_query.read import Read


@dataclass(slots=True)
class OfPage:
    """An authorized query on one page."""

    read: Read
    page: StatusPage

    async def project(self) -> Project:
        """The page as the dialect shows it."""
        return Project(self.page, await self.read.statuses(self.page))


async def _reading(request: Request) -> OfPage:
    caller = authorize(request)
    read = Read(request.app.state.db, caller.organisation)
    page, _ = await read.page(page_of(caller))
    return OfPage(read, page)


Reading = Annotated[OfPage, Depends(_reading)]
"""The page of the caller."""

"""A change of the page that a token is for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import Request

from pinghome_common.command import carry_out
from pinghome_common.dialects.pingpong import authorize, page_of, sent
from pinghome_common.dialects.pingpong_documents import Project
from pinghome_common.events.statuspage import StatusPage
from pinghome_common.store import Row
from statuspage_cmd.command import Command
from statuspage_cmd.pages.statuses import statuses


@dataclass(slots=True)
class Change:
    """What a route works with: the command, the page, locked, and the body."""

    command: Command
    row: Row[StatusPage]
    document: dict[str, Any]

    @property
    def page(self) -> StatusPage:
        """The page."""
        return self.row.state

    async def save(self, page: StatusPage) -> None:
        """Saves the page."""
        self.row.state = page
        await self.command.pages.save(self.row)

    async def project(self) -> Project:
        """The page as the dialect shows it after the change."""
        return Project(self.page, await statuses(self.command.tx, self.page))


@asynccontextmanager
async def changing(request: Request) -> AsyncIterator[Change]:
    """One change in a transaction; first the token counts, then the page, then the body."""
    caller = authorize(request)
    document = await sent(request)
    async with carry_out(request, caller, Command) as command:
        yield Change(command, await command.pages.edit(page_of(caller)), document)

"""Commands of PingHome callers on the nouns of statuspage-cmd."""

from functools import cached_property
from typing import Annotated

from fastapi import Depends

from pinghome_common.dialects.pinghome_command import Answering, in_transaction
from statuspage_cmd.incidents.store import Incidents, Templates, Updates
from statuspage_cmd.maintenance.store import Maintenances, Recurrences
from statuspage_cmd.pages.store import Pages


class PageCommand(Answering):
    """What a route needs to carry out one command."""

    @cached_property
    def pages(self) -> Pages:
        """The caller's status pages."""
        return Pages(*self._parts)

    @cached_property
    def incidents(self) -> Incidents:
        """The caller's incidents."""
        return Incidents(*self._parts)

    @cached_property
    def updates(self) -> Updates:
        """The updates of the caller's incidents."""
        return Updates(*self._parts)

    @cached_property
    def templates(self) -> Templates:
        """The caller's templates."""
        return Templates(*self._parts)

    @cached_property
    def maintenances(self) -> Maintenances:
        """The caller's maintenance."""
        return Maintenances(*self._parts)

    @cached_property
    def recurrences(self) -> Recurrences:
        """The rules of the caller's recurring maintenance."""
        return Recurrences(*self._parts)

    @property
    def author(self) -> str:
        """Who reports what the command says: the key's name, and never nobody."""
        return self.caller.name or "API"


Commanded = Annotated[PageCommand, Depends(in_transaction(PageCommand), scope="function")]
"""A command in a transaction."""

"""Commands of PingHome callers on the nouns of statuspage-cmd."""

from functools import cached_property
from typing import Annotated

from fastapi import Depends

from pinghome_common.dialects.pinghome_command import Answering, in_transaction
from statuspage_cmd.pages.store import Pages


class PageCommand(Answering):
    """What a route needs to carry out one command."""

    @cached_property
    def pages(self) -> Pages:
        """The caller's status pages."""
        return Pages(*self._parts)


Commanded = Annotated[PageCommand, Depends(in_transaction(PageCommand), scope="function")]
"""A command in a transaction."""

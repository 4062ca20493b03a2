"""What monitors, heartbeats and servers have in common: a list, commands on many, a form."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """A noun of the console.

    Attributes:
        word: of its pages: `/monitors`.
        api: its name in the API: `resource`.
        one, several: in English, the keys of their translations.
        sorts: what lists can be sorted by, with labels.
    """

    word: str
    api: str
    one: str
    several: str
    states: Sequence[str]
    sorts: Sequence[tuple[str, str]]

    @property
    def listed(self) -> str:
        """The path of the organisation's list."""
        return f"resource-query/v1/{self.api}s"

    def read(self, id_: object) -> str:
        """The path of one."""
        return f"resource-query/v1/{self.api}/{id_}"

    def command(self, rest: object = "") -> str:
        """The path of a command on one or on many."""
        return f"resource-cmd/v1/{self.api}" + (f"/{rest}" if rest else "")


_SORTS = (("name", "Name"), ("state", "State"), ("-state_changed_at", "Last change"), ("-created_at", "Newest"))

MONITOR = Noun(
    "monitors", "resource", "Monitor", "Monitors", ("down", "unknown", "up", "pending", "maintenance", "paused"), _SORTS
)
HEARTBEAT = Noun(
    "heartbeats", "heartbeat", "Heartbeat", "Heartbeats", ("down", "running", "up", "pending", "paused"), _SORTS
)
SERVER = Noun("servers", "server-resource", "Server", "Servers", ("down", "unknown", "up", "pending", "paused"), _SORTS)
OF_API = {"resource": MONITOR, "heartbeat": HEARTBEAT, "server-resource": SERVER, "server_resource": SERVER}
"""By the noun of the API's answers."""

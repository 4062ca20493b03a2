"""What a command of statuspage-cmd works with: the stores of its nouns."""

from functools import cached_property
from typing import Any

from pinghome_common import command
from pinghome_common.errors import FieldError, Invalid
from pinghome_common.settings import Settings
from statuspage_cmd.incidents.store import Incidents, Templates, Updates
from statuspage_cmd.maintenance.store import Maintenances, Recurrences
from statuspage_cmd.metrics.store import CustomMetrics, Metrics
from statuspage_cmd.pages.pictures import Pictures
from statuspage_cmd.pages.store import Pages
from statuspage_cmd.subscriptions.store import Subscriptions


class Command(command.Command):
    """What a route needs to carry out one command of a caller."""

    @property
    def settings(self) -> Settings:
        """The platform's settings."""
        settings: Settings = self.state.settings
        return settings

    def checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """What a body says; raises Invalid when its message, as it is kept, is too long."""
        most = self.settings.message_limit
        if len(settings.get("message", "")) > most:
            raise Invalid(FieldError("message", f"must have at most {most} characters"))
        return settings

    @cached_property
    def pages(self) -> Pages:
        """The caller's status pages."""
        return Pages(*self._parts)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        """Subscriptions of all pages."""
        return Subscriptions(*self._parts)

    @cached_property
    def pictures(self) -> Pictures:
        """The caller's pages' pictures."""
        return Pictures(*self._parts)

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

    @cached_property
    def metrics(self) -> Metrics:
        """The metrics of the caller's pages that a monitor measures."""
        return Metrics(*self._parts)

    @cached_property
    def custom_metrics(self) -> CustomMetrics:
        """The custom metrics of the caller's pages."""
        return CustomMetrics(*self._parts)

    @property
    def author(self) -> str:
        """Who reports what the command says: the key's name, and never nobody."""
        return self.caller.name or "API"

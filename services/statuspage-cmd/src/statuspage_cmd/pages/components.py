"""The components of a page that something names."""

from collections.abc import Iterable
from uuid import UUID

from pinghome_common.errors import FieldError, Invalid
from pinghome_common.events.statuspage import StatusPage


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

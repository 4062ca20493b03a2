"""The rows of pages' pictures."""

from typing import Any, ClassVar

from pinghome_common.events.statuspage import Picture
from pinghome_common.store import Store


class Pictures(Store[Picture]):
    """Pictures of pages."""

    source, prefix = "statuspage-cmd", "status"
    noun, type = "picture", Picture
    columns: ClassVar = {"page": "uuid"}

    def _values(self, state: Picture) -> list[Any]:
        return [state.page]

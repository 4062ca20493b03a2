"""Which mounts, disks or interfaces are measured."""

from dataclasses import dataclass
from fnmatch import fnmatchcase


@dataclass(frozen=True)
class Choice:
    """Shell patterns of names: an include beats an exclude, and both beat the default."""

    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()

    def takes(self, name: str, *, by_default: bool) -> bool:
        """True when the name is to be measured."""
        if self.includes(name):
            return True
        return by_default and not any(fnmatchcase(name, pattern) for pattern in self.exclude)

    def includes(self, name: str) -> bool:
        """True when an include names it."""
        return any(fnmatchcase(name, pattern) for pattern in self.include)


ALL_BY_DEFAULT = Choice()

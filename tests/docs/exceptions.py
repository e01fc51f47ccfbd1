"""The classes of exceptions that this package defines."""

from __future__ import annotations

from typing import TypeVar

Error = TypeVar("Error", bound=BaseException)


def family(root: type[Error]) -> set[type[Error]]:
    """Return `root` and every class of this package below it."""
    below = (family(child) for child in root.__subclasses__())
    ours = {root} if root.__module__.startswith("django_xcover.") else set()
    return ours.union(*below)

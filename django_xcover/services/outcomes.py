"""What can come of an attempt besides an answer and a vendor's error."""

from __future__ import annotations


class Unworkable(Exception):
    """The operation cannot be carried out as things stand, and XCover was not asked.

    `str()` tells staff what to mend.
    """


class Undecided(Exception):
    """XCover answered, but the answer does not tell whether the operation took place."""


class NotNeeded(Exception):
    """The operation has become pointless. `str()` tells why."""

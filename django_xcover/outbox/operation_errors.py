"""What can come of an attempt besides an answer and a vendor's error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django_xcover.client import XCoverError


class Unworkable(Exception):
    """The operation cannot be carried out as things stand, and XCover was not asked.

    `str()` tells staff what to mend.
    """

    code = "cannot_perform"


class Undecided(Exception):
    """XCover answered, but the answer does not tell whether the operation took place."""

    code = "outcome_unknown"


class NotNeeded(Exception):
    """The operation has become pointless. `str()` tells why."""

    code = "not_needed"


@contextmanager
def after_post(*, outcome_known: bool = False) -> Iterator[None]:
    """Let a look that fails in here leave as much in doubt as the post before it did.

    A look changes nothing, so its own error always claims to know that nothing happened; the
    post has been answered, and most likely carried out. `outcome_known` is for a post that failed.
    """
    try:
        yield
    except XCoverError as error:
        error.outcome_known = error.outcome_known and outcome_known
        raise

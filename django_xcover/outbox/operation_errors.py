"""Outcomes of an attempt other than an answer or a vendor error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django_xcover.client import XCoverError


class CannotPerform(Exception):
    """The operation can't be carried out at present, and XCover was not called.

    `str()` says what staff have to fix.
    """

    code = "cannot_perform"


class OutcomeUnknown(Exception):
    """XCover answered, but the answer doesn't show whether the operation was carried out."""

    code = "outcome_unknown"


class Obsolete(Exception):
    """The operation is obsolete. `str()` gives the reason."""

    code = "not_needed"


@contextmanager
def after_post(*, outcome_known: bool = False) -> Iterator[None]:
    """If a read inside this block fails, keep the uncertainty of the preceding write.

    A read changes nothing, so its own error always says that nothing happened, but the write was
    answered and most likely carried out. Set `outcome_known` for a write that failed.
    """
    try:
        yield
    except XCoverError as error:
        error.outcome_known = error.outcome_known and outcome_known
        raise

"""Errors nobody foresaw, logged so that they can be found and tell nothing about a customer."""

from __future__ import annotations

import traceback

from django_xcover.values import UnusableValue

# What staff read instead.
TOLD = "An error in the shop or in this package. The worker's log says where."


def describe(error: BaseException) -> str:
    """Return the type of `error` and where it was raised, without its text.

    The text is left out because it can quote what a customer typed (a failed cast, a key error).
    That of an UnusableValue names a place in the adapter and quotes nothing.
    """
    places = "".join(traceback.format_tb(error.__traceback__))
    text = f": {error}" if isinstance(error, UnusableValue) else ""
    return f"{type(error).__name__}{text}\n{places}"

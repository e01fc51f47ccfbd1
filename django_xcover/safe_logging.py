"""Loggers whose lines cannot be forged, and errors described without what a customer typed."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from django_xcover.client.errors import clean
from django_xcover.values import UnusableValue

# What staff read instead.
TOLD = "An error in the shop or in this package. The worker's log says where."


class Places(str):
    """Lines of a traceback: the only text that may take several lines of a log."""

    __slots__ = ()


class OneLineLogger(logging.LoggerAdapter[logging.Logger]):
    """Logs each text as one printable line.

    An order number from a careless import may hold line breaks, and a vendor's text control
    characters: written as they are, they would forge or garble lines of the log.
    """

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log `msg` with every text among `args` reduced to one line."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().log(level, msg, *(_in_one_line(value) for value in args), **kwargs)


def get_logger(name: str) -> OneLineLogger:
    """Return the logger called `name`, such as `django_xcover.orders`."""
    return OneLineLogger(logging.getLogger(name), {})


def describe(error: BaseException) -> str:
    """Return the type of `error` and where it was raised, without its text.

    The text is left out because it can quote what a customer typed (a failed cast, a key error).
    That of an UnusableValue names a place in the adapter and quotes nothing.
    """
    places = "".join(traceback.format_tb(error.__traceback__))
    text = f": {error}" if isinstance(error, UnusableValue) else ""
    return Places(f"{type(error).__name__}{text}\n{places}")


def _in_one_line(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, Places) or value.isprintable():
        return value
    return clean(value)

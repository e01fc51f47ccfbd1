"""Loggers whose lines cannot be forged, and descriptions of errors without customer data."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from django_xcover.client.errors import clean
from django_xcover.values import UnusableValue

# Shown to staff instead of the error.
STAFF_MESSAGE = "An error in the shop or in this package. The worker's log says where."


class TracebackText(str):
    """A formatted traceback: the only text that may span several log lines."""

    __slots__ = ()


class OneLineLogger(logging.LoggerAdapter[logging.Logger]):
    """Log each text argument as one printable line.

    An order number from a bad import can contain line breaks, and a vendor's text control
    characters. Logged unchanged, they would forge or garble log lines.
    """

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """Log `msg` with each string in `args` reduced to one line."""
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().log(level, msg, *(_in_one_line(value) for value in args), **kwargs)


def get_logger(name: str) -> OneLineLogger:
    """Return the logger named `name`, such as `django_xcover.orders`."""
    return OneLineLogger(logging.getLogger(name), {})


def describe(error: BaseException) -> str:
    """Return the type of `error` and its traceback, without its text.

    The text is left out because it can quote what a customer typed (a failed cast, a KeyError).
    The text of an UnusableValue is included: it names a place in the adapter and quotes nothing.
    """
    trace = "".join(traceback.format_tb(error.__traceback__))
    text = f": {error}" if isinstance(error, UnusableValue) else ""
    return TracebackText(f"{type(error).__name__}{text}\n{trace}")


def _in_one_line(value: object) -> object:
    if not isinstance(value, str) or isinstance(value, TracebackText) or value.isprintable():
        return value
    return clean(value)

"""Exceptions that leave the package without what its variables held.

Error reporters (Sentry, Django's error page and its mails to ADMINS) print the variables of every
frame, and know only names such as `password`. Ours are `person`, `payload` or `value`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from types import FrameType, TracebackType
from typing import Any, ParamSpec, TypeVar

DRIVERS = frozenset({"psycopg", "psycopg2", "MySQLdb", "pymysql", "sqlite3"})
# Where databases quote a value: PostgreSQL in its DETAIL, which is a line of its own, and after a
# colon ("invalid input syntax for type integer: …"), MariaDB in "Duplicate entry '…' for key".
_QUOTED_VALUE = re.compile(r"""(?s)\n.*|(?<=: )(["']).*\1|(?<=Duplicate entry )'.*'(?= for key)""")

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# Ours, and of what is handed our values. The shop's own code keeps its variables: only the shop
# knows which of them are personal.
CLEARED = frozenset(
    {
        *("django_xcover", "django", "rest_framework", "celery", "tenacity"),
        *("requests", "urllib3", "http", "ssl", "socket", "email", "smtplib", "json", "decimal"),
        *("phonenumbers", "babel"),
        *DRIVERS,
    }
)


def clears_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Clear the variables of the frames below `function` when it raises, its arguments included.

    Put it outermost on what a shop, Django or Celery calls: by then those frames have ended. Types,
    texts and line numbers stay.
    """
    if inspect.isgeneratorfunction(function):
        return _clears_frames_of_generator(function)

    @wraps(function)
    def cleared(*args: P.args, **kwargs: P.kwargs) -> R:
        outer = id(sys.exception())
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            _clear(error, outer)
            raise
        finally:
            del args, kwargs

    return cleared


def _clears_frames_of_generator(function: Callable[P, Any]) -> Callable[P, Any]:
    @wraps(function)
    def cleared(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        outer = id(sys.exception())
        try:
            yield from function(*args, **kwargs)
        except BaseException as error:
            _clear(error, outer)
            raise
        finally:
            del args, kwargs

    return cleared


def methods_clear_frames(owner: type[T]) -> type[T]:
    """Let the public methods of a class, and its `__init__`, clear their frames."""
    for name, method in list(vars(owner).items()):
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(owner, name, clears_frames(method))
    return owner


def _clear(error: BaseException, outer: int) -> None:
    """Clear the frames of `error` and of those behind it, up to the one with the id `outer`.

    That one was being handled before, so it is the caller's.
    """
    seen = {outer}
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if one.__suppress_context__ and id(one.__context__) != outer:
            one.__context__ = one.__cause__  # hidden by `from`: its text may quote a value
        waiting += [one.__cause__, one.__context__]
        if type(one).__module__ == "django.db.utils" or _root(type(one).__module__) in DRIVERS:
            one.args = tuple(_without_values(fact) for fact in one.args)
        for frame in _frames(one.__traceback__):
            if _root(frame.f_globals.get("__name__")) in CLEARED:
                _empty(frame)


def _frames(trace: TracebackType | None) -> Iterator[FrameType]:
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _root(module: object) -> str:
    return str(module).partition(".")[0]


def _without_values(fact: object) -> object:
    return _QUOTED_VALUE.sub("", fact) if isinstance(fact, str) else fact


def _empty(frame: FrameType) -> None:
    # One that still runs cannot be cleared: its own `cleared` will.
    with suppress(RuntimeError):
        frame.clear()

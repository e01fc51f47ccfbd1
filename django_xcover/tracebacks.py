"""Clear frame variables from exceptions that leave the package.

Error reporters (Sentry, Django's error page and its e-mails to ADMINS) print the variables of each
frame and only hide names such as `password`. Ours are called `person`, `payload` or `value`.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from traceback import walk_tb
from typing import Any, ParamSpec, TypeVar

DRIVERS = frozenset({"psycopg", "psycopg2", "MySQLdb", "pymysql", "sqlite3"})
# Where databases quote a value: PostgreSQL in its DETAIL, which is a separate line, and after a
# colon ("invalid input syntax for type integer: …"), MariaDB in "Duplicate entry '…' for key".
_QUOTED_VALUE = re.compile(r"""(?s)\n.*|(?<=: )(["']).*\1|(?<=Duplicate entry )'.*'(?= for key)""")

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

# The packages whose frames are cleared: this one, and those that receive its values. Frames of the
# shop's code are kept, because only the shop knows which of its variables are personal.
CLEARED = frozenset(
    {
        *("django_xcover", "django", "rest_framework", "celery", "tenacity"),
        *("requests", "urllib3", "http", "ssl", "socket", "email", "smtplib", "json", "decimal"),
        *("phonenumbers", "babel"),
        # Monitoring wraps the calls of the libraries above, with their arguments.
        *("sentry_sdk", "opentelemetry", "ddtrace", "elasticapm", "newrelic", "wrapt"),
        *("debug_toolbar", "silk"),
        *DRIVERS,
    }
)


def clears_frames(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate `function` to clear the variables of its frames, arguments included, if it raises.

    Make it the outermost decorator of functions that a shop, Django or Celery calls, because only
    frames that have ended can be cleared. Exception types, texts and line numbers are kept.
    """
    if inspect.isgeneratorfunction(function):
        return _clears_frames_of_generator(function)

    @wraps(function)
    def cleared(*args: P.args, **kwargs: P.kwargs) -> R:
        with _clearing():
            try:
                return function(*args, **kwargs)
            finally:
                del args, kwargs

    return cleared


def _clears_frames_of_generator(function: Callable[P, Any]) -> Callable[P, Any]:
    @wraps(function)
    def cleared(*args: P.args, **kwargs: P.kwargs) -> Iterator[Any]:
        with _clearing():
            try:
                yield from function(*args, **kwargs)
            finally:
                del args, kwargs

    return cleared


@contextmanager
def _clearing() -> Iterator[None]:
    outer = id(sys.exception())
    try:
        yield
    except BaseException as error:
        _clear(error, outer)
        raise


def methods_clear_frames(owner: type[T]) -> type[T]:
    """Apply `clears_frames` to the public methods of a class and to its `__init__`."""
    for name, method in list(vars(owner).items()):
        if inspect.isfunction(method) and (name == "__init__" or not name.startswith("_")):
            setattr(owner, name, clears_frames(method))
    return owner


def _clear(error: BaseException, outer: int) -> None:
    """Clear the frames of `error` and of its chained exceptions, except the one with id `outer`.

    That exception was already being handled, so it belongs to the caller. Example: a shop's
    `except KeyError:` calls `freeze_cover`, which raises. Python chains the KeyError to what is
    raised, but its frames are the shop's own and stay as they are. Only the id is kept, because a
    variable that holds the exception would keep its frames alive.
    """
    seen = {outer}
    waiting: list[BaseException | None] = [error]
    while waiting:
        chained = waiting.pop()
        if chained is None or id(chained) in seen:
            continue
        seen.add(id(chained))
        if chained.__suppress_context__ and id(chained.__context__) != outer:
            chained.__context__ = chained.__cause__  # hidden by `from`; its text may quote a value
        waiting += [chained.__cause__, chained.__context__]
        module = type(chained).__module__
        if module == "django.db.utils" or _root(module) in DRIVERS:
            chained.args = tuple(_without_values(arg) for arg in chained.args)
        for frame, _line in walk_tb(chained.__traceback__):
            if _root(frame.f_globals.get("__name__")) in CLEARED:
                # A frame that is still running cannot be cleared. Its own `cleared` wrapper does
                # it later.
                with suppress(RuntimeError):
                    frame.clear()


def _root(module: object) -> str:
    return str(module).partition(".")[0]


def _without_values(arg: object) -> object:
    return _QUOTED_VALUE.sub("", arg) if isinstance(arg, str) else arg

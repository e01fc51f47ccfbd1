"""What an error reporter would keep of an exception, and a database that fails wherever one likes.

Sentry, Django's page for errors and its mails to ADMINS print every variable of every frame.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from django.db import OperationalError, connection, transaction

MARKER = "MARKER-Zoë"
# In an e-mail address, a header or a query a name may be spelt otherwise; this part never is.
MARK = "MARKER-Zo"


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield `error`, and all that it was raised from or during."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [one.__cause__, one.__context__]


def frames(error: BaseException) -> Iterator[FrameType]:
    """Yield each frame of this package's code, `<string>` of its dataclasses included."""
    for one in chain(error):
        trace = one.__traceback__
        while trace is not None:
            if str(trace.tb_frame.f_globals.get("__name__")).startswith("django_xcover"):
                yield trace.tb_frame
            trace = trace.tb_next


def leaks(error: BaseException, *secrets: str) -> list[str]:
    """Return the places at which `error` shows one of `secrets`, or the marker."""
    shown = {
        f"{frame.f_globals['__name__']}.{frame.f_code.co_name}: {name}": repr(value)
        for frame in frames(error)
        for name, value in frame.f_locals.items()
    }
    for one in chain(error):
        shown |= {f"{type(one).__name__} as text": f"{one} {one!r}"}
    shown["pickle"] = ascii(_pickled(error))
    return [place for place, text in shown.items() if any(s in text for s in (MARK, *secrets))]


def _pickled(error: BaseException) -> bytes:
    try:
        return pickle.dumps(error)
    except Exception:  # noqa: BLE001 - nothing is sent to a broker then
        return b""


def caught(act: Callable[[], object]) -> BaseException:
    """Return what `act` raises."""
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - whatever leaves the package is looked at
        return error
    raise AssertionError("nothing was raised")


def errors_at_every_query(act: Callable[[], object], *, atomic: bool = True) -> Iterator[Exception]:
    """Yield what leaves the package as the first query of `act` fails, then the next, to the last.

    With `atomic` it starts from the same rows each time.
    """
    broken = _Broken(0)
    while not broken.is_past_the_end:
        broken = _Broken(broken.number + 1)
        try:
            _run(act, broken, atomic=atomic)
        except Exception as error:  # noqa: BLE001 - whatever leaves the package is looked at
            if list(frames(error)):
                yield error


def _run(act: Callable[[], object], broken: _Broken, *, atomic: bool) -> None:
    if not atomic:
        with connection.execute_wrapper(broken):
            act()
        return
    with transaction.atomic():
        with connection.execute_wrapper(broken):
            act()
        transaction.set_rollback(True)


class _Broken:
    """Let the query of this number fail, as a server that goes away does."""

    def __init__(self, number: int) -> None:
        self.number = self.left = number

    @property
    def is_past_the_end(self) -> bool:
        """Return whether there was no query of this number."""
        return self.left > 0

    def __call__(self, execute: Any, sql: Any, params: Any, many: Any, context: Any) -> Any:
        self.left -= 1
        if self.left == 0:
            del params  # this frame is not the package's, and would show them
            raise OperationalError("server closed the connection unexpectedly")
        return execute(sql, params, many, context)

"""Which demo runs on the folder: one at a time, and where its shop and its sandbox answer.

The lock is the operating system's, so that it ends with the demo however the demo ends. What is
written beside it counts only while the lock is held.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import IO

from example_shop.data_dir import DATA_DIR, FolderUnusable

LOCK = DATA_DIR / "demo.lock"
STATE = DATA_DIR / "demo.json"
# Whoever asks whether a demo runs has the lock for a moment.
PATIENCE = 1.0


class AlreadyRunning(Exception):
    """Another demo runs on this folder; `str()` says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Where a running demo answers: addresses without a slash at their end."""

    shop: str
    sandbox: str


def running_demo() -> Running | None:
    """Return the demo that runs on the folder, None when none does."""
    try:
        with LOCK.open("rb") as file:
            if _lock(file, alone=False):
                return None
        return Running(**json.loads(STATE.read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def only_demo() -> Iterator[None]:
    """Hold the folder for this demo; raise AlreadyRunning when another one holds it.

    Raises FolderUnusable when it cannot be written.
    """
    with _lock_file() as file:
        deadline = time.monotonic() + PATIENCE
        while not _lock(file, alone=True):
            if time.monotonic() > deadline:
                raise AlreadyRunning(_already_running())
            time.sleep(0.05)
        try:
            # Of one that was killed.
            STATE.unlink(missing_ok=True)
            yield
        finally:
            with suppress(OSError):
                STATE.unlink(missing_ok=True)


def _lock_file() -> IO[bytes]:
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        return LOCK.open("ab")
    except OSError as error:
        raise FolderUnusable(error) from error


def announce(running: Running) -> None:
    """Say where this demo answers, to the commands that are run beside it."""
    draft = STATE.with_name(f"{STATE.name}.{os.getpid()}")
    draft.write_text(json.dumps(asdict(running)))
    draft.replace(STATE)


def _already_running() -> str:
    known = running_demo()
    where = f" at {known.shop}/" if known else ""
    other = DATA_DIR.with_name(f"{DATA_DIR.name}-2")
    return (
        f"A demo already runs on {DATA_DIR}{where}: stop it with Ctrl-C, or give this one a folder "
        f"and ports of its own: XCOVER_DEMO_DIR={other} python manage.py demo --port 8080 "
        "--sandbox-port 8701"
    )


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[bytes], *, alone: bool) -> bool:
        """Lock `file` until it is closed; return False when it is locked already.

        Windows knows only locks for one. Two that ask at the same moment are rare enough.
        """
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(file: IO[bytes], *, alone: bool) -> bool:
        """Lock `file` until it is closed, alone or with others that ask; return whether it is."""
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

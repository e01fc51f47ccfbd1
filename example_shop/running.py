"""The demo that runs on the folder, at most one, and the URLs of its shop and sandbox.

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
# A process that checks for a demo also holds the lock briefly.
PATIENCE = 1.0


class AlreadyRunning(Exception):
    """Another demo is running on this folder; `str()` says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The URLs of a running demo, without a trailing slash."""

    shop: str
    sandbox: str


def running_demo() -> Running | None:
    """Return the demo that is running on the folder, or None."""
    try:
        with LOCK.open("rb") as file:
            if _lock(file, alone=False):
                return None
        return Running(**json.loads(STATE.read_text()))
    except (OSError, ValueError, TypeError):
        return None


@contextmanager
def only_demo() -> Iterator[None]:
    """Lock the folder for this demo; raise AlreadyRunning if another one has it.

    Raises FolderUnusable when it cannot be written.
    """
    with _lock_file() as file:
        deadline = time.monotonic() + PATIENCE
        while not _lock(file, alone=True):
            if time.monotonic() > deadline:
                raise AlreadyRunning(_already_running())
            time.sleep(0.05)
        try:
            # Left by a demo that was killed.
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
    """Publish this demo's URLs to commands that are run meanwhile."""
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
        """Lock `file` until it is closed; return False if it is already locked.

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
        """Lock `file` until it is closed, exclusively or shared; return whether it worked."""
        try:
            fcntl.flock(file, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

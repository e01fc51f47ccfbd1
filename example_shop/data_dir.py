"""The folder for all the shop's data: database, broker and signing key."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from errno import EACCES
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("XCOVER_DEMO_DIR", PROJECT / ".demo")).resolve()


def secret_key() -> str:
    """Return this installation's own signing key; make it on the first start.

    A key in the repository would be everybody's. Several processes may start at once: the link is
    atomic, so all of them read the key of the first.
    """
    path = DATA_DIR / "secret-key"
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text()
    except OSError as error:
        # The settings are being loaded, so an exception would end in a long traceback.
        raise SystemExit(str(FolderUnusable(error))) from error


class FolderUnusable(Exception):
    """The folder or a file in it isn't writable; `str()` gives the reason and the fix."""

    def __init__(self, error: OSError) -> None:
        path = error.filename or DATA_DIR
        super().__init__(
            f"The shop cannot write to {DATA_DIR} ({error.strerror}: {path}). Make it writable for "
            "this user, or name another folder in the environment: XCOVER_DEMO_DIR=/tmp/encore"
        )


def require_writable() -> None:
    """Raise FolderUnusable if the folder or a file in it isn't writable."""
    for path in (DATA_DIR, *DATA_DIR.iterdir()):
        if not os.access(path, os.W_OK):
            raise FolderUnusable(PermissionError(EACCES, os.strerror(EACCES), str(path)))


def _make_key(path: Path) -> None:
    DATA_DIR.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_urlsafe(50))
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()

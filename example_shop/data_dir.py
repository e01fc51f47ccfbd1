"""The folder that holds everything the shop writes: its database, its broker and its key."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("XCOVER_DEMO_DIR", PROJECT / ".demo")).resolve()


def secret_key() -> str:
    """Return this installation's own signing key; make it on the first start.

    A key in the repository would be everybody's. Several processes may start at once: the link is
    atomic, so all of them read the key of the first.
    """
    path = DATA_DIR / "secret-key"
    if not path.exists():
        _make_folder()
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_text()


def _make_folder() -> None:
    try:
        DATA_DIR.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        # The settings are being read: an exception here would reach nobody as one sentence.
        raise SystemExit(
            f"The shop cannot write to {DATA_DIR} ({error.strerror}). Name another folder in the "
            "environment: XCOVER_DEMO_DIR=/tmp/encore"
        ) from error

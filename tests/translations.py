"""`python -m tests.translations`: write each `.mo` from the `.po` beside it.

Django reads only the compiled catalogue, and a wheel is built without gettext, so both are kept.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[1]


def sources() -> Iterator[Path]:
    """Return the `.po` files of the package and of the example shop."""
    for app in ("django_xcover", "example_shop"):
        yield from sorted((ROOT / app / "locale").glob("*/LC_MESSAGES/django.po"))


def read(source: Path) -> Catalog:
    """Return the catalogue in a `.po` file."""
    with source.open("rb") as file:
        return read_po(file, locale=source.parts[-3])


def compiled(source: Path) -> bytes:
    """Return the `.mo` of a `.po`."""
    buffer = io.BytesIO()
    write_mo(buffer, read(source))
    return buffer.getvalue()


if __name__ == "__main__":
    for po in sources():
        po.with_suffix(".mo").write_bytes(compiled(po))

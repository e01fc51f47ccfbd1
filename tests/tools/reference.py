"""Write docs/reference.md from the code: `python -m tests.tools.reference`."""

from __future__ import annotations

import importlib
import inspect
import os
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "reference.md"
MODULES = ("cover", "policies", "payments", "types", "policy_requests", "adapters", "client")
HEAD = """\
# Reference

Generated from the code by `python -m tests.tools.reference`. A shop may import what stands here,
the [signals](signals.md), the models (to read) and the tasks. Everything else is private.
"""


def page() -> str:
    """Return the text of the page as the code has it now."""
    sections = (_section(f"django_xcover.{name}") for name in MODULES)
    return "\n".join([HEAD, *sections, _exceptions()])


def _section(name: str) -> str:
    module = importlib.import_module(name)
    offered = getattr(module, "__all__", ("ShopAdapter",))
    errors = {key for key in offered if _is_error(getattr(module, key))}
    entries = (_entry(key, getattr(module, key)) for key in sorted({*offered} - errors))
    return "\n".join([f"## `{name}`\n", *entries])


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)


def _entry(name: str, value: object) -> str:
    return f"### `{name}{_signature(value)}`\n\n{_first_paragraph(value)}\n"


def _signature(value: object) -> str:
    if inspect.isclass(value) and issubclass(value, Enum):
        return ""  # not called, and written differently by each Python version
    try:
        signature = inspect.signature(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    text = str(signature).replace("'", "").replace("-> None", "")
    return re.sub(r"\b(?:[A-Za-z_]\w*\.)+(\w+)", r"\1", text).strip()


def _first_paragraph(value: object) -> str:
    return " ".join((inspect.getdoc(value) or "").split("\n\n")[0].split())


def _exceptions() -> str:
    # Set up by now, so that the sentences can be read.
    from django.utils import translation

    from django_xcover import exceptions
    from django_xcover.values import UnusableValue

    roots = (exceptions.ActionRefused, exceptions.NotVisible, exceptions.XCoverError, UnusableValue)
    lines = ["## Exceptions\n", "All in `django_xcover.exceptions`; those of the client in "]
    lines[-1] += "`django_xcover.client`. A `code` never changes.\n"
    lines += ["| Exception | `code` | When |", "|---|---|---|"]
    with translation.override("en"):
        lines += [_row(cls) for root in roots for cls in _family(root)]
    return "\n".join(lines) + "\n"


def _row(cls: type[Exception]) -> str:
    return f"| `{cls.__name__}` | `{vars(cls)['code']}` | {_first_paragraph(cls)} |"


def _family(root: type[Exception]) -> Iterator[type[Exception]]:
    if root.__module__.startswith("django_xcover."):
        yield root
    for child in sorted(root.__subclasses__(), key=lambda cls: cls.__name__):
        yield from _family(child)


if __name__ == "__main__":
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "example_shop.settings")
    django.setup()
    PAGE.write_text(page())

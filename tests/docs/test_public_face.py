"""README, docs and example shop import what is public, and nothing else."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db.models import Model

from tests.docs.pages import ROOT, all_blocks

# What a shop may import. Everything else is private and free to move.
PUBLIC = {
    "django_xcover.adapters",
    "django_xcover.client",
    "django_xcover.contrib.oscar.adapter",
    "django_xcover.contrib.oscar.refunds",
    "django_xcover.cover",
    "django_xcover.exceptions",
    "django_xcover.models",
    "django_xcover.payments",
    "django_xcover.policies",
    "django_xcover.policy_requests",
    "django_xcover.sandbox",
    "django_xcover.sandbox.http.adapter",
    "django_xcover.sandbox.http.server",
    "django_xcover.signals",
    "django_xcover.sync.webhooks",  # `replay`, until it has a public place
    "django_xcover.tasks",
    "django_xcover.testing.factories",
    "django_xcover.testing.gallery",
    "django_xcover.testing.webhooks",
    "django_xcover.types",
}
FACES = (
    "adapters",
    "client",
    "cover",
    "exceptions",
    "models",
    "payments",
    "policies",
    "policy_requests",
    "signals",
    "tasks",
    "types",
)
SHOP = sorted((ROOT / "example_shop").rglob("*.py"))
SHOP_CONTRACT = "The example shop imports what is public, and nothing else"


def imported(source: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of each import from this package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("django_xcover"):
            for alias in node.names:
                yield _split(node.module or "", alias.name)
        elif isinstance(node, ast.Import):
            yield from ((a.name, "") for a in node.names if a.name.startswith("django_xcover"))


def _split(module: str, name: str) -> tuple[str, str]:
    whole = f"{module}.{name}"
    try:
        is_module = importlib.util.find_spec(whole) is not None
    except ModuleNotFoundError:
        is_module = False
    return (whole, "") if is_module else (module, name)


SOURCES = {
    **{block.name: block.text for block in all_blocks("python", "pycon")},
    **{str(path.relative_to(ROOT)): path.read_text() for path in SHOP},
}


@pytest.mark.parametrize("name", [n for n, text in SOURCES.items() if "django_xcover" in text])
def test_only_what_is_public_is_imported(name: str) -> None:
    found = set(imported(SOURCES[name]))

    assert {module for module, _name in found} <= PUBLIC
    for module, what in found:
        if module.startswith("django_xcover.contrib.oscar"):
            pytest.importorskip("oscar")
        public = getattr(importlib.import_module(module), "__all__", None)
        assert not what or public is None or what in public, (module, what)


def test_a_private_import_would_be_seen() -> None:
    [found] = imported("from django_xcover.outbox import operations")

    assert found[0] not in PUBLIC


def test_the_import_contract_of_the_example_shop_allows_only_what_is_public() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    [contract] = [c for c in settings["contracts"] if c["name"] == SHOP_CONTRACT]
    allowed = [line.partition(" -> ")[2] for line in contract["ignore_imports"]]

    assert contract["source_modules"] == ["example_shop"]
    assert contract["forbidden_modules"] == ["django_xcover"]
    assert set(allowed) <= PUBLIC


@pytest.mark.parametrize("name", FACES)
def test_a_public_module_says_so_and_names_what_it_offers(name: str) -> None:
    module = importlib.import_module(f"django_xcover.{name}")

    assert (module.__doc__ or "").startswith("PUBLIC")
    assert sorted(module.__all__) == sorted(set(module.__all__))
    assert all(hasattr(module, offered) for offered in module.__all__)
    assert Path(module.__file__ or "").is_file()


def test_the_urls_are_public() -> None:
    assert (importlib.import_module("django_xcover.urls").__doc__ or "").startswith("PUBLIC: ")


@pytest.mark.parametrize("name", FACES)
def test_no_signature_of_the_public_face_gives_up_type_checking(name: str) -> None:
    module = importlib.import_module(f"django_xcover.{name}")

    loose = [
        f"{offered}.{where}: {annotation}"
        for offered in module.__all__
        for where, annotation in annotations_of(getattr(module, offered))
        if re.search(r"\bAny\b", annotation)
    ]

    assert loose == []


def annotations_of(value: object) -> Iterator[tuple[str, str]]:
    """Yield what a shop's type checker reads of a function, or of a class and its methods."""
    if inspect.isclass(value):
        for key, member in vars(value).items():
            if (key == "__init__" or not key.startswith("_")) and not _is_djangos(value, key):
                yield from ((f"{key}.{at}", said) for at, said in annotations_of(member))
        found = vars(value).get("__annotations__", {})
    else:
        function = getattr(value, "__func__", getattr(value, "fget", value))
        found = getattr(function, "__annotations__", {})
    yield from ((key, str(said)) for key, said in found.items() if not key.startswith("_"))


def _is_djangos(cls: type, method: str) -> bool:
    return issubclass(cls, Model) and hasattr(Model, method)


def test_a_loose_signature_would_be_seen() -> None:
    class Loose:
        amount: Any

        def method(self, cart: Any | None) -> None: ...

    assert dict(annotations_of(Loose)) == {
        "method.cart": "Any | None",
        "method.return": "None",
        "amount": "Any",
    }

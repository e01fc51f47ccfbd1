"""What the pages for shops name exists, and what a shop can use is named."""

from __future__ import annotations

import re
from dataclasses import MISSING, Field, fields
from inspect import signature
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.staticfiles import finders
from django.dispatch import Signal
from django.template import engines
from django.template.loader import get_template
from django.urls import get_resolver

from django_xcover import adapters, checks, signals, tasks
from django_xcover.adapters import ShopAdapter
from django_xcover.conf import Account, Config
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest
from tests.docs.pages import DOCS, PAGES, ROOT, blocks, code_in, column, table

INSTALLATION, ADAPTER = DOCS / "installation.md", DOCS / "adapter.md"
SIGNALS, TEMPLATES = DOCS / "signals.md", DOCS / "templates.md"
EVERYTHING = "\n".join(page.read_text() for page in PAGES)
SENT = {name: value for name, value in vars(signals).items() if isinstance(value, Signal)}


def default_of(item: Field[Any]) -> str:
    """Return how a page writes the default of a setting."""
    if item.default_factory is not MISSING:
        return f"`{item.default_factory()}`"
    if item.default is MISSING:
        return "required"
    return f'`"{item.default}"`' if isinstance(item.default, str) else f"`{item.default}`"


@pytest.mark.parametrize(
    ("cls", "head"),
    [(Config, "| Key | Default | Unit |"), (Account, "| Key | Default | What it is |")],
)
def test_every_setting_is_documented_with_its_default(cls: type[Any], head: str) -> None:
    documented = {code_in(row[0])[0]: row[1] for row in table(INSTALLATION, head)}

    assert documented == {item.name.upper(): default_of(item) for item in fields(cls)}


def test_every_setting_that_is_named_exists() -> None:
    known = {item.name.upper() for cls in (Config, Account) for item in fields(cls)}

    named = set(re.findall(r"""XCOVER\[["']([A-Z_]+)["']\]""", EVERYTHING))
    named |= set(re.findall(r"`([A-Z]+_(?:DEADLINE|LIFETIME|LEASE|SPACING|RATE))`", EVERYTHING))

    assert named
    assert named <= known


def test_every_check_is_documented() -> None:
    known = set(re.findall(r"^([EW]\d{3})  ", checks.__doc__ or "", re.MULTILINE))
    used = set(re.findall(r'"xcover\.([EW]\d{3})"', Path(checks.__file__).read_text()))

    assert {name.removeprefix("xcover.") for name in column(INSTALLATION, "| Id |")} == known
    assert used == known


def test_every_logger_is_documented_and_no_other() -> None:
    sources = (ROOT / "django_xcover").rglob("*.py")
    own = [path.read_text() for path in sources if "sandbox" not in path.parts]
    used = set(re.findall(r'[lL]ogger\("(django_xcover[\w.]*)"\)', "\n".join(own)))

    assert set(column(INSTALLATION, "| Logger |")) == used


def test_every_logger_that_a_page_names_is_in_the_table() -> None:
    said = r"`(?:ERROR|CRITICAL)`[^.]{0,60}?`(django_xcover[\w.]*)`"
    said += r"|`(django_xcover[\w.]*)`[^.]{0,30}?`(?:ERROR|CRITICAL)`"
    named = {a or b for a, b in re.findall(said, EVERYTHING)}

    assert named
    assert named <= set(column(INSTALLATION, "| Logger |"))


def test_the_urls_are_documented() -> None:
    _, resolver = get_resolver("example_shop.urls").namespace_dict["xcover"]
    names = {f"xcover:{name}" for name in resolver.reverse_dict if isinstance(name, str)}

    assert {code_in(row[1])[0] for row in table(INSTALLATION, "| URL |")} == names


def test_every_task_is_documented() -> None:
    names = {name for name in current_app.tasks if name.startswith(f"{tasks.__name__}.")}

    assert names == set(re.findall(r"`(django_xcover\.tasks\.\w+)`", INSTALLATION.read_text()))


def test_the_whole_schedule_sends_every_task_that_needs_no_primary_key() -> None:
    whole = next(b for b in blocks(INSTALLATION) if "CELERY_BEAT_SCHEDULE = " in b.text)
    names: dict[str, Any] = {}
    exec(whole.code(), names)  # noqa: S102 - the page is what is tested
    ours = {
        name: task
        for name, task in current_app.tasks.items()
        if name.startswith("django_xcover.tasks.")
    }

    sent = {entry["task"] for entry in names["CELERY_BEAT_SCHEDULE"].values()}

    assert sent == {name for name, task in ours.items() if not signature(task.run).parameters}


def test_every_method_of_the_adapter_is_documented_with_its_arguments() -> None:
    methods = {
        f"{name}({', '.join(list(signature(value).parameters)[1:])})"
        for name, value in vars(ShopAdapter).items()
        if callable(value) and not name.startswith("_")
    }

    assert set(re.findall(r"^### `(.+)`$", ADAPTER.read_text(), re.MULTILINE)) == methods


@pytest.mark.parametrize("cls", [QuoteRequest, PolicyRequest, Policyholder])
def test_every_field_an_adapter_fills_is_documented(cls: type[Any]) -> None:
    text = ADAPTER.read_text()
    optional = cls is Policyholder  # "The rest is optional"

    missing = [f.name for f in fields(cls) if f"`{f.name}`" not in text]

    assert [name for name in missing if not optional or name in {"first_name", "phone"}] == []


def test_what_the_adapter_must_provide_is_told_apart() -> None:
    text = ADAPTER.read_text()
    must = text[text.index("## What you must") : text.index("## What you may")]
    source = Path(adapters.__file__).read_text()

    assert set(re.findall(r"^### `(\w+)\(", must, re.MULTILINE)) == set(
        re.findall(r'_must\("(\w+)"\)', source)
    )


def test_every_signal_is_documented_and_no_other() -> None:
    headings = re.findall(r"^### `(\w+)`$", SIGNALS.read_text(), re.MULTILINE)

    assert sorted(headings) == sorted(SENT)


def test_every_template_tag_exists_and_is_documented() -> None:
    library = set(engines["django"].engine.template_libraries["xcover"].tags)  # type: ignore[attr-defined]
    named = set(re.findall(r"\{% (xcover_\w+)", EVERYTHING))

    assert named == library
    assert {code.split()[1] for code in column(TEMPLATES, "| Tag |")} == library


def test_every_template_exists_and_is_documented() -> None:
    folder = ROOT / "django_xcover" / "templates" / "xcover"
    named = column(TEMPLATES, "| Template |")

    assert set(named) == {f"xcover/{path.name}" for path in folder.glob("*.html")}
    for name in named:
        get_template(name)


def test_the_blocks_of_the_frame_are_documented() -> None:
    frame = (ROOT / "django_xcover/templates/xcover/base.html").read_text()
    [row] = [row for row in table(TEMPLATES, "| Template |") if "base.html" in row[0]]

    assert code_in(row[1]) == re.findall(r"\{% block (\w+) %\}", frame)


def test_every_css_property_exists_and_is_documented() -> None:
    css = Path(str(finders.find("xcover/xcover.css"))).read_text()

    assert set(column(TEMPLATES, "| Property |")) == set(re.findall(r"var\((--xcover-[\w-]+)", css))


def test_every_event_exists_and_is_documented() -> None:
    script = Path(str(finders.find("xcover/xcover.js"))).read_text()
    sent = {f"xcover:{name}" for name in re.findall(r'emit\([^"]+, "(\w+)"', script)}
    heard = set(re.findall(r'addEventListener\("(xcover:\w+)"', script))

    assert set(column(TEMPLATES, "| Event |")) == sent
    assert set(re.findall(r'"(xcover:\w+)"', TEMPLATES.read_text())) <= sent | heard
    for name in re.findall(r"\bxcover\.(\w+)\(", TEMPLATES.read_text()):
        assert re.search(rf"window\.xcover = \{{.*\b{name}\b", script), name

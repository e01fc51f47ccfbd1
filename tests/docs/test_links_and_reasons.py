"""Links lead somewhere, files exist, and each dependency has its reason."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, README, ROOT, table

DECISIONS = DOCS / "decisions.md"


def test_every_dependency_has_its_reason_and_no_other_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = [project["dependencies"], *project["optional-dependencies"].values()]
    wanted = {re.split(r"[\[><=]", name)[0] for group in groups for name in group}
    rows = [
        *table(DECISIONS, "| Package | Why |", number=1),
        *table(DECISIONS, "| Package | Extra |"),
        *table(DECISIONS, "| Package | Why |", number=2),
    ]

    named = {name for row in rows for name in row[0].split(", ")}

    assert named == wanted - {"django-xcover"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    for address in re.findall(r"\]\(([^)]+)\)", page.read_text()):
        if "://" in address:
            continue
        name, _, anchor = address.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), address
        assert not anchor or anchor in anchors(target), address


def test_every_page_is_linked_from_the_index_and_from_the_readme() -> None:
    index = (DOCS / "README.md").read_text()
    readme = README.read_text()

    for page in DOCS.glob("*.md"):
        if page.name != "README.md":
            assert f"]({page.name})" in index
            assert f"](docs/{page.name})" in readme


def test_every_file_that_is_named_exists() -> None:
    everything = "\n".join(page.read_text() for page in PAGES)

    for path in re.findall(r"`((?:tests|example_shop|django_xcover|docs)/[\w./]+)`", everything):
        assert (ROOT / path).exists(), path


def test_the_map_names_only_what_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    the_map = text[text.index("## The map") : text.index("## What a change needs")]
    paths = re.findall(r"`([\w/]+(?:/|\.py))`", the_map)

    assert len(paths) > 50
    # Paths outside the package are written in full.
    outside = ("example_shop/", "tests/", "docs/")
    full = [path if path.startswith(outside) else f"django_xcover/{path}" for path in paths]
    assert [path for path in full if not (ROOT / path).exists()] == []


def test_the_map_names_every_room() -> None:
    """Each layer of the import contract but those that only wire or help."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = contracts["contracts"][0]["layers"]
    rooms = {
        name.strip().removeprefix("django_xcover.") for row in layers for name in row.split("|")
    }
    aside = {"apps", "urls", "converters", "db", "safe_logging", "validators"}
    the_map = (ROOT / "CONTRIBUTING.md").read_text()

    unnamed = {room for room in rooms - aside if not re.search(rf"`{room}(?:/|\.py)", the_map)}

    assert unnamed == set()


def anchors(page: Path) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    kept = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {heading.replace(" ", "-") for heading in kept}

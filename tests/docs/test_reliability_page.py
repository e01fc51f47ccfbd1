"""What the page about faults names exists."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, ROOT, code_in, table

PAGE = DOCS / "reliability.md"
TABLES = ("| Fault | Steps | Test |", "| Threat | Where | Test |")


@pytest.mark.parametrize("head", TABLES)
def test_every_test_on_the_page_exists(head: str) -> None:
    everything = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)", everything))

    named = {name for row in table(PAGE, head) for name in code_in(row[2])}

    assert named
    assert named <= defined


def test_every_letter_of_the_matrix_is_explained() -> None:
    matrix = table(PAGE, "| What fails |")
    explained = {row[0] for row in table(PAGE, "| | What the shopper sees |")}

    assert {letter for row in matrix for letter in row[1:]} == explained
    assert {len(row) for row in matrix} == {9}

"""The page about policy types lists every field that the functions take, with its source."""

from __future__ import annotations

import inspect
import re

import pytest

from django_xcover import policy_requests
from tests.docs.pages import DOCS

PAGE = (DOCS / "policy-types.md").read_text()
BUILDERS = [name for name in policy_requests.__all__ if name.islower()]
COMMON = {"policy_type", "policy_type_version", "policy_start_date", "partner_price"}


def rows(heading: str) -> dict[str, tuple[str, str]]:
    """Return the fields of the section's table, with whether each is required, and its source."""
    [section] = re.findall(rf"^## {heading}.*?\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    found = re.findall(r"^\| `(\w+)` \| (.+?) \| (.+?) \|$", section, re.MULTILINE)
    return {name: (required, source) for name, required, source in found}


@pytest.mark.parametrize("name", BUILDERS)
def test_every_field_stands_on_the_page_with_its_source(name: str) -> None:
    arguments = inspect.signature(getattr(policy_requests, name)).parameters
    listed = rows(f"`{name}`")

    assert set(listed) == set(arguments) - COMMON - {"reference", "label"}
    assert set(rows("Fields of every policy type")) == COMMON
    assert all(source for _required, source in listed.values())


@pytest.mark.parametrize("name", BUILDERS)
def test_what_the_page_calls_required_has_no_default(name: str) -> None:
    arguments = inspect.signature(getattr(policy_requests, name)).parameters
    without = {key for key, one in arguments.items() if one.default is inspect.Parameter.empty}

    assert {key for key, (need, _) in rows(f"`{name}`").items() if need == "yes"} == without - {
        "reference"
    }
